import type { FactoryProvider, Provider } from '@nestjs/common'
import type { GuardOptions } from '@countersign/core'
import { requireGuard, type Guard } from '@countersign/core/adapter'
import { APP_GUARD, ApplicationConfig, HttpAdapterHost, ModulesContainer } from '@nestjs/core'
import { Application } from './application.ts'
import { CountersignGuard } from './countersign-guard.ts'
import { loadRefusing } from './refusing.ts'

/** The token of the guard: a test puts its own in its place, `overrideProvider(COUNTERSIGN_GUARD).useValue(createGuard({ … }))`. */
export const COUNTERSIGN_GUARD: unique symbol = Symbol('countersign guard')

/** What makes a guard, or its options. */
export type GuardFactory = Pick<FactoryProvider<GuardOptions | Guard>, 'useFactory' | 'inject'>

/** Guards that were made here, and are closed here. */
const made = new WeakSet<Guard>()

/** Closes a guard, unless it is somebody else's. */
export function closeOwn(guard: Guard): void {
  if (made.has(guard)) guard.close()
}

export const providersWith = ({ useFactory, inject = [] }: GuardFactory): Provider[] => [
  {
    provide: COUNTERSIGN_GUARD,
    inject,
    useFactory: async (...dependencies: unknown[]): Promise<Guard> => {
      const optionsOrGuard = await useFactory(...dependencies)
      const guard = requireGuard(optionsOrGuard)
      if (guard !== optionsOrGuard) made.add(guard)
      return guard
    },
  },
  {
    provide: Application,
    inject: [COUNTERSIGN_GUARD, ModulesContainer, ApplicationConfig, HttpAdapterHost],
    useFactory: (
      guard: unknown,
      modules: ModulesContainer,
      config: ApplicationConfig,
      host: HttpAdapterHost,
    ) => new Application(requireGuard(guard as Guard), modules, config, host), // checked right there: a test may have put anything here
  },
  {
    provide: CountersignGuard,
    inject: [Application],
    useFactory: async (application: Application) =>
      new CountersignGuard(
        application,
        await loadRefusing({
          hasPatterns: application.patternHolders.length > 0,
          hasGateways: application.gateways.length > 0,
        }),
      ),
  },
  // Not `useClass`: so a test that overrides CountersignGuard overrides this, too.
  { provide: APP_GUARD, useExisting: CountersignGuard },
]
