import type { CensusEntry } from '@countersign/core'
import { censusEntry, sealCensus, type Guard, type SealAdvice } from '@countersign/core/adapter'
import type { ApplicationConfig, HttpAdapterHost, ModulesContainer } from '@nestjs/core'
import type { Declared } from './call.ts'
import { hasPatterns, ofController, ofGateway, type EntryPoint } from './entry-points.ts'
import type { Class, Handler } from './framework.ts'
import { isSamePlace, placeOfGateway, type GatewayPlace } from './gateway-places.ts'
import { holdersIn, type Holder } from './holders.ts'
import { httpPaths } from './http-paths.ts'
import { methodsOf, namesOf, requireMethods } from './methods.ts'
import { placementFor } from './placements.ts'

/** By what an application can be called, and who may. It is known when all modules were scanned, before anything is served. */
export class Application {
  readonly guard: Guard
  readonly gateways: readonly Holder[]
  /** Those that answer patterns. */
  readonly patternHolders: readonly Holder[]
  readonly #controllers: readonly Holder[]
  readonly #entryPoints: readonly EntryPoint[]
  /** By the type of the call, the handler, and the class: a method that is inherited is a handler of several. */
  readonly #declared = new Map<string, WeakMap<Handler, Map<Class, Declared>>>()
  #census: { readonly under: object | undefined; readonly entries: readonly CensusEntry[] } | undefined
  /** From then on its routes no longer change. */
  #isComplete = false

  constructor(guard: Guard, modules: ModulesContainer, config: ApplicationConfig, host: HttpAdapterHost) {
    const { controllers, gateways } = holdersIn(modules)
    this.guard = guard
    this.gateways = gateways
    this.#controllers = controllers
    this.patternHolders = controllers.filter(hasPatterns)
    this.#entryPoints = [
      ...controllers.flatMap((holder) =>
        ofController(holder, (handler) => httpPaths(holder, handler, config, host, modules.applicationId)),
      ),
      ...gateways.flatMap(ofGateway),
    ]
    guard.register(() => this.census())
  }

  /** What is known of a handler that Nest is about to call. `type`: see `ExecutionContext.getType`. */
  declared(type: string, controller: Class, handler: Handler): Declared {
    let ofType = this.#declared.get(type)
    if (ofType === undefined) this.#declared.set(type, (ofType = new WeakMap()))
    let ofHandler = ofType.get(handler)
    if (ofHandler === undefined) ofType.set(handler, (ofHandler = new Map()))
    let declared = ofHandler.get(controller)
    if (declared === undefined) ofHandler.set(controller, (declared = this.#find(type, controller, handler)))
    return declared
  }

  /** What the gateways at a place ask of those who connect. */
  connectionsTo(place: GatewayPlace): readonly Declared[] {
    return this.#entryPoints
      .filter(({ kind, handler }) => kind === 'ws' && handler === undefined)
      .filter(({ controller }) => isSamePlace(placeOfGateway(controller), place))
      .map(({ placement, spellings }) => ({ placement, spellings: spellings() }))
  }

  /** Every entry point, made anew only where policy was replaced. */
  census(): readonly CensusEntry[] {
    const { policyInForce } = this.guard
    if (this.#census !== undefined && this.#census.under === policyInForce) return this.#census.entries
    const entries = this.#entryPoints.flatMap(({ placement: own, spellings }) =>
      spellings().map((spelling) => censusEntry({ ...spelling, own, declaredAt: null }, this.guard)),
    )
    if (this.#isComplete) this.#census = { under: policyInForce, entries }
    return entries
  }

  /**
   * Checks an application that is complete. Throws a ConfigurationError where Nest would call something else than a method, and one that
   * names, under `undeclared: 'fail-start'`, everything of which nobody says who may call it; otherwise that is told to the log.
   */
  seal(): void {
    for (const { metatype, instance } of this.#controllers) requireMethods(metatype, instance)
    this.#isComplete = true
    sealCensus(this.guard, this.census(), advice)
  }

  #find(type: string, controller: Class, handler: Handler): Declared {
    const names = namesOf(controller, handler)
    const methods = names.map((name) => methodsOf(controller).get(name))
    const found = this.#entryPoints.filter(
      (each) =>
        each.kind === type &&
        methods.includes(each.handler) &&
        (each.controller === controller || each.controller.prototype.constructor === controller),
    )
    const placement = placementFor(controller, handler)
    if (found.length > 0 || isKnown(type)) {
      return { placement, spellings: found.flatMap(({ spellings }) => spellings()) }
    }
    return { placement, spellings: [{ method: type.toUpperCase(), path: `${controller.name}.${names[0]}` }] }
  }
}

const isKnown = (type: string): boolean => type === 'http' || type === 'rpc' || type === 'ws'

const advice: SealAdvice = {
  misplaced: "write @RequireScopes('…') above the method",
  undeclared:
    "write @RequireScopes('…') above each or its class, or @Unprotected('why') if everybody may call it; for those who connect to a gateway, above its class or its handleConnection",
  unguarded: 'import CountersignModule',
}
