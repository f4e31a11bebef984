import type { Placement } from '@countersign/core'
import { Refusal, type RequestContext, contextOf, joinPlacements } from '@countersign/core/adapter'
import { answer, runBounded } from './answering.ts'
import {
  pathText,
  printableMethod,
  registeredAs,
  runInOrder,
  type Handler,
  type Layer,
  type RoutedContext,
} from './framework.ts'
import { readDeclared, type Declared } from './route-declarations.ts'

/** How a request came to a route. */
export interface Arrival {
  /** Stands before the path of the layer: empty for a router that the application itself holds. */
  readonly prefix: string
  /** What its router asks where it does not do so itself, since it runs one layer only. */
  readonly floors: readonly Placement[]
  /** Ends what was allowed and asked in its router. Only the last route that matches leaves it. */
  readonly leave: ((hasFailed: boolean) => void) | undefined
}

const gates = new WeakMap<Handler, { readonly layer: Layer; readonly handlers: readonly Handler[] }>()

/** What a request came to: a property and no weak map, which would keep the collector busy for longer than the request takes. */
interface Traveller {
  [arrivals]?: { readonly layer: Layer; readonly arrival: Arrival }[]
}

const arrivals = Symbol('countersign arrivals')

/** The handlers of a layer as the application gave them. */
export const handlersOf = ({ stack }: Layer): readonly Handler[] =>
  stack.flatMap((handler) => gates.get(handler)?.handlers ?? handler)

/** Notes how a request came to a route, when its router has matched it and not yet entered it. */
export function rememberArrival(request: object, layer: Layer, arrival: Arrival): void {
  const traveller: Traveller = request
  // The last one counts: a request may come to a route again.
  traveller[arrivals] = [{ layer, arrival }, ...(traveller[arrivals] ?? [])]
}

const arrivalAt = (request: object, layer: Layer): Arrival =>
  (request as Traveller)[arrivals]?.find((each) => each.layer === layer)?.arrival ?? stray

/**
 * Puts a gate in the place of the handlers of a route, which it runs: there the decision falls, with all that the route and what was met
 * before it declare. Each layer has a gate of its own, also where nested routers share their handlers. A handler that was put before the
 * gate since, by `router.param()`, is taken behind it.
 */
export function protectRoute(layer: Layer): void {
  const [first, ...others] = layer.stack
  const known = first === undefined || others.length > 0 ? undefined : gates.get(first)
  if (known?.layer === layer) return
  // The very list that the application has given, where there is one: the router may still add to it.
  const handlers =
    known?.handlers ?? (layer.stack.some((each) => gates.has(each)) ? handlersOf(layer) : layer.stack)
  const gate = makeGate(layer, handlers)
  gates.set(gate, { layer, handlers })
  layer.stack = [gate]
}

function makeGate(layer: Layer, handlers: readonly Handler[]): Handler {
  let length = -1
  let declared: Declared = undeclared
  return function countersignGate(context: RoutedContext, next) {
    if (handlers.length !== length) declared = readDeclared(handlers)
    length = handlers.length
    const access = contextOf(context.req)
    // Not of this guard: declarations say so themselves.
    if (access === undefined) return runInOrder(handlers, context, next)
    const arrival = arrivalAt(context.req, layer)
    if (isPlainPreflight(layer, declared, arrival, access)) {
      return runInOrder(declared.handlers, context, next)
    }
    const end = access.begin(layer)
    const decision = decide(layer, declared, arrival, access, context)
    return answer(decision, context, () =>
      runBounded(context, access, arrival.leave ?? end, declared.handlers, next),
    )
  }
}

function decide(
  layer: Layer,
  { placement, isMisplaced }: Declared,
  { prefix, floors }: Arrival,
  access: RequestContext,
  { method, params = {} }: RoutedContext,
): ReturnType<RequestContext['decide']> {
  const path = `${prefix}${pathText(layer)}`
  const name = `${printableMethod(method)} ${path}`
  if (isMisplaced) return access.refuse(misplaced, name)
  const own =
    floors.length === 0
      ? placement
      : joinPlacements(placement === undefined ? floors : [...floors, placement])
  // Whatever was asked so far was asked of all behind it: in Koa, that runs inside.
  return access.decide(own, name, true, params, `${registeredAs(layer, method.toUpperCase())} ${path}`)
}

/** Nothing but handlers for `OPTIONS`, of which nobody says who may call them: they answer preflights, and the latch sees what. */
const isPlainPreflight = (
  layer: Layer,
  { placement }: Declared,
  { floors, prefix }: Arrival,
  access: RequestContext,
): boolean =>
  layer.methods.every((method) => method === 'OPTIONS') &&
  placement === undefined &&
  floors.length === 0 &&
  access.isPreflightFor(`OPTIONS ${prefix}${pathText(layer)}`)

const undeclared = readDeclared([])
const stray: Arrival = { prefix: '/…', floors: [], leave: undefined }
const misplaced = new Refusal('declaration_misplaced', {
  expected: 'what says who may call first on the route',
  actual: 'a handler before it',
  advice:
    "write router.get(path, requireScopes('…'), handler): the declaration comes before every other handler",
})
