import {
  Global,
  Inject,
  Module,
  type DynamicModule,
  type ModuleMetadata,
  type NestModule,
  type OnApplicationBootstrap,
  type OnApplicationShutdown,
  type OnModuleInit,
} from '@nestjs/common'
import { ConfigurationError, type Guard, type GuardOptions } from '@countersign/core'
import { ApplicationConfig, HttpAdapterHost, ModulesContainer } from '@nestjs/core'
import { Application } from './application.ts'
import { CountersignGuard } from './countersign-guard.ts'
import { guardsGateways } from './guard-gateways.ts'
import { standBefore } from './guarded-applications.ts'
import { installOn } from './install.ts'
import { guardMessages } from './message-guard.ts'
import { COUNTERSIGN_GUARD, closeOwn, providersWith, type GuardFactory } from './providers.ts'

/** Where the guard's options come from when something has to be asked for them. */
export interface AsyncGuardOptions extends GuardFactory, Pick<ModuleMetadata, 'imports'> {}

/**
 * Puts an application behind a guard: `imports: [CountersignModule.forRoot({ audience, issuers })]`, in its root module. Every route,
 * every message pattern, every gateway of every module is decided before its handler; what nobody declares is refused.
 */
export class CountersignModule
  implements NestModule, OnModuleInit, OnApplicationBootstrap, OnApplicationShutdown
{
  readonly #application: Application
  readonly #config: ApplicationConfig

  constructor(
    application: Application,
    guard: CountersignGuard,
    config: ApplicationConfig,
    host: HttpAdapterHost,
    modules: ModulesContainer,
  ) {
    this.#application = application
    this.#config = config
    standBefore(modules, application.guard)
    guardMessages([...application.patternHolders, ...application.gateways], guard)
    this.#requireBeforeServing()
    // As soon as there is a platform: in tests, that is later. Whatever is put into it from then on stands behind the guard.
    host.init$.subscribe(() => {
      // A microservice has none.
      if (host.httpAdapter) installOn(host.httpAdapter, application.guard)
    })
  }

  /** Takes the guard's options, or a guard that is shared. What is wrong with them is thrown when the application is created. */
  static forRoot(optionsOrGuard: GuardOptions | Guard): DynamicModule {
    return CountersignModule.forRootAsync({ useFactory: () => optionsOrGuard })
  }

  /** The same with a factory: `forRootAsync({ inject: [ConfigService], useFactory: (config) => ({ … }) })`. */
  static forRootAsync({ imports = [], ...factory }: AsyncGuardOptions): DynamicModule {
    return {
      module: CountersignModule,
      global: true,
      imports,
      providers: providersWith(factory),
      exports: [COUNTERSIGN_GUARD, CountersignGuard],
    }
  }

  /** Called by Nest, as all that follow: before routes and middlewares are registered. */
  configure(): void {
    requireConstructed(#application in this)
    this.#requireGuardedGateways()
  }

  /** A microservice is not configured. */
  onModuleInit(): void {
    requireConstructed(#application in this)
    this.#requireGuardedGateways()
  }

  onApplicationBootstrap(): void {
    this.#application.seal()
  }

  onApplicationShutdown(): void {
    closeOwn(this.#application.guard)
  }

  // Nest opens the ports of gateways before it configures modules, and asks for their adapter before that.
  #requireBeforeServing(): void {
    const getIoAdapter = this.#config.getIoAdapter.bind(this.#config)
    this.#config.getIoAdapter = () => {
      this.#config.getIoAdapter = getIoAdapter
      this.#requireGuardedGateways()
      return getIoAdapter()
    }
  }

  #requireGuardedGateways(): void {
    const [gateway] = this.#application.gateways
    if (gateway === undefined || guardsGateways(this.#config.getIoAdapter())) return
    throw new ConfigurationError(
      gateway.metatype.name,
      'Nest asks no guard about who connects to a gateway: write app.useWebSocketAdapter(guardGateways(app, new WsAdapter(app))) before the application is initialised, with the adapter that you use',
    )
  }
}

// What depends on a request is made anew for each: Nest then has a module whose constructor has never run, and guards that guard nothing.
function requireConstructed(isConstructed: boolean): void {
  if (isConstructed) return
  throw new ConfigurationError(
    'CountersignModule.forRootAsync({ inject })',
    'something in it is made for each request, and there is one guard for all of them: inject what has the default scope',
  )
}

for (const [index, token] of [
  Application,
  CountersignGuard,
  ApplicationConfig,
  HttpAdapterHost,
  ModulesContainer,
].entries()) {
  Inject(token)(CountersignModule, undefined, index)
}
Global()(CountersignModule)
Module({})(CountersignModule)
