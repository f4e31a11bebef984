import { ConfigurationError } from '@countersign/core'
import type { Guard } from '@countersign/core/adapter'
import type { ModulesContainer } from '@nestjs/core'

const guards = new WeakMap<ModulesContainer, Guard>()

/** Notes which guard stands before an application. Throws a ConfigurationError where another one does: they would disagree. */
export function standBefore(modules: ModulesContainer, guard: Guard): void {
  const standing = guards.get(modules)
  if (standing !== undefined && standing !== guard) {
    throw new ConfigurationError(
      'CountersignModule',
      'two guards stand before one application: import it once, in the root module, or give both the same guard',
    )
  }
  guards.set(modules, guard)
}

/** True for an application that some guard stands before. */
export const isGuarded = (modules: ModulesContainer): boolean => guards.has(modules)
