import type { Decision } from '@countersign/core'
import { Refusal, type RequestContext, contextOf } from '@countersign/core/adapter'
import type { Context, Next } from 'hono'
import type { H } from 'hono/types'
import { knownMethod, matchedList, paramsOf } from './framework.ts'
import { type Part, isRequirement, partsOf, spellingOf } from './parts.ts'
import { proceed } from './proceed.ts'

/** From where on a list has gates. */
const gatedFrom = new WeakMap<object, number>()

/**
 * Puts a gate before each part of what was matched for a request, behind the handler that runs now. There it is decided, with all that
 * the part and those before it declare. A list that serves several requests gets its gates once.
 */
export function putGates(c: Context): void {
  const list = matchedList(c)
  const start = c.req.routeIndex + 1
  const end = gatedFrom.get(list) ?? list.length
  if (start >= end) return
  gatedFrom.set(list, start)
  for (const part of partsOf(list.slice(start).map(([[, route]]) => route))) {
    const at = start + part.from
    const matched = list[at]
    // A guard that is left out for some requests leaves the rest of a list to the one behind it.
    if (matched === undefined || at >= end) break
    const [[handler, route], params] = matched
    // The entry itself is shared with the lists of other paths.
    list[at] = [[gateOf(part, handler), route], params]
  }
}

function gateOf(part: Part, handler: H): H {
  return function countersignGate(c: Context, next: Next) {
    const context = contextOf(c)
    // Somebody has led the request past the guard: whatever asks for a caller behind this throws.
    if (context === undefined) return handler(c, next)
    leave(c)
    return proceed(c, arrive(c, context, part), () => {
      if (speaksForItsHandler(part)) stay(c, part, context.begin(part))
      // A declaration would only find that it has been decided with.
      return part.declarations.has(handler) ? next() : handler(c, next)
    })
  }
}

/** Decides for a part that was reached; undefined where nothing is to be decided. */
function arrive(c: Context, context: RequestContext, part: Part): Decision | Promise<Decision> | undefined {
  stay(c, part)
  const { placement, isRoute, hasHandler } = part
  const name = nameOf(part, c)
  if (isRoute) return decideRoute(c, context, part, name)
  if (placement === undefined) return undefined
  if (isRequirement(placement)) return context.enter(placement, name)
  return hasHandler ? context.enter(placement, name, new Set([part])) : context.refuse(nothingBeside, name)
}

function decideRoute(
  c: Context,
  context: RequestContext,
  part: Part,
  name: string,
): Decision | Promise<Decision> | undefined {
  const { placement, isBelowFloor, isMisplaced } = part
  if (isMisplaced) return context.refuse(misplaced, name)
  if (isPlainOptions(part) && context.isPreflightFor(spellingOf(part))) return undefined
  stay(c, part, context.begin(part))
  return context.decide(placement, name, isBelowFloor, paramsOf(c), spellingOf(part))
}

/** A declaration that asks nothing, beside a handler on the way to others. */
const speaksForItsHandler = ({ placement, isRoute, hasHandler }: Part): boolean =>
  placement !== undefined && !isRequirement(placement) && hasHandler && !isRoute

/** Nothing but handlers for `OPTIONS`, which say nothing of who may call them. */
const isPlainOptions = ({ method, placement }: Part): boolean =>
  method === 'OPTIONS' && placement === undefined

// HEAD requests come to what was registered for GET, and all of them to what was for every method.
export function nameOf(part: Part, { req }: Context): string {
  const { method, path, isRoute } = part
  return isRoute && req.method !== method ? `${knownMethod(req.method)} ${path}` : spellingOf(part)
}

/** What a request is in now. */
interface Traveller {
  [current]?: { readonly part: Part; readonly end: ((hasFailed: boolean) => void) | undefined }
}

const current = Symbol('countersign part')

/** True if a gate has decided with this declaration, in the part that is running. */
export const isDecidedByGate = (c: Context, declaration: object): boolean =>
  (c as Traveller)[current]?.part.declarations.has(declaration) === true

function stay(c: Context, part: Part, end?: (hasFailed: boolean) => void): void {
  ;(c as Traveller)[current] = { part, end }
}

/** Ends what was allowed in the part before: what comes next speaks for itself. */
function leave(c: Context): void {
  ;(c as Traveller)[current]?.end?.(false)
}

const misplaced = new Refusal('declaration_misplaced', {
  expected: 'what says who may call first on the route',
  actual: 'a handler before it',
  advice:
    "write app.get(path, requireScopes('…'), handler): the declaration comes before every other handler",
})

/** What asks nothing speaks for a handler beside it: alone, it would open nothing, or everything. */
export const nothingBeside = new Refusal('declaration_misplaced', {
  expected: 'a handler in the same `use`',
  actual: 'a declaration alone',
  advice:
    "write app.use(path, unprotected('why'), handler); a route says it itself: app.get(path, unprotected('why'), handler)",
})
