import type { Placement } from '@countersign/core'
import { declaredAtOf, joinPlacements, placementOf } from '@countersign/core/adapter'
import { pathText, type Route } from './framework.ts'
import type { Way } from './way.ts'

/** What a route declares for one method. */
export interface OwnDeclaration {
  /** Undefined where nothing was declared. */
  readonly placement: Placement | undefined
  /** True if a handler stands before a declaration, and would run before it. */
  readonly isMisplaced: boolean
  readonly handlers: ReadonlySet<object>
  readonly declaredAt: string | null
}

/** The same, for requests that came by one way. */
export interface Declared extends OwnDeclaration {
  readonly isBelowFloor: boolean
  /** For events: the method of the request, and the path as it was written. */
  readonly name: string
  /** For policy documents: the method that was registered, and the path as it was written. */
  readonly registered: string
  /** Nothing but handlers for `OPTIONS`, of which nobody says who may call them. */
  readonly isPlainOptions: boolean
}

/** What a route declares for a method, in whichever case; undefined where it does not handle it. */
export function readDeclared(route: Route, method: string, way: Way, gate: object): Declared | undefined {
  const handled = handledAs(route, method.toLowerCase())
  const own = readOwn(route, handled, gate)
  if (own === undefined) return undefined
  const registered = isForAll(route) ? anyMethod : handled
  const path = `${way.path}${pathText(route.path)}`
  const { isBelowFloor } = way
  return {
    ...own,
    isBelowFloor,
    // A middleware may have put a caller's text in place of the method.
    name: `${METHODS.includes(method) ? method : '*'} ${path}`,
    registered: `${nameOf(registered)} ${path}`,
    isPlainOptions:
      registered === 'options' &&
      own.placement === undefined &&
      !isBelowFloor &&
      route.stack.every(({ handle, method: named }) => handle === gate || named !== undefined),
  }
}

/** What a route declares for each of its methods, for the census. */
export function declarationsOf(
  route: Route,
  gate: object | undefined,
): readonly (OwnDeclaration & { readonly method: string })[] {
  const methods = Object.keys(route.methods)
  return (isForAll(route) ? methods.slice(0, 1) : methods).flatMap((method) => {
    const own = readOwn(route, method, gate)
    return own === undefined ? [] : [{ ...own, method: isForAll(route) ? '*' : nameOf(method) }]
  })
}

// A HEAD request runs the GET handlers, so it is held to what GET declares.
function handledAs({ methods }: Route, method: string): string {
  if (methods[method] === true) return method
  return method === 'head' && methods['get'] === true ? 'get' : anyMethod
}

/** True for what `app.all` makes, the same handlers for each method that there is, and for `router.all`, which names no method. */
function isForAll({ stack }: Route): boolean {
  const [first, ...others] = METHODS.map((method) =>
    stack.filter((layer) => layer.method === method.toLowerCase()).map(({ handle }) => handle),
  )
  return others.every(
    (handlers) => handlers.length === first?.length && handlers.every((handler, i) => handler === first[i]),
  )
}

function readOwn(route: Route, method: string, gate: object | undefined): OwnDeclaration | undefined {
  const handlers = route.stack
    .filter((layer) => layer.handle !== gate && (layer.method === undefined || layer.method === method))
    .map(({ handle }) => handle)
  if (handlers.length === 0) return undefined
  const placements = handlers.map(placementOf)
  const firstHandler = placements.indexOf(undefined)
  return {
    placement: joinPlacements(placements.filter((placement) => placement !== undefined)),
    isMisplaced:
      firstHandler !== -1 && placements.slice(firstHandler).some((placement) => placement !== undefined),
    handlers: new Set(handlers),
    declaredAt: handlers.map(declaredAtOf).find((place) => place !== null) ?? null,
  }
}

// An import of `node:http` by name reads all its names, and so loads Node's fetch and WebSocket client.
const { METHODS } = process.getBuiltinModule('node:http')

/** As Express 4 and 5 call what `router.all` registers. */
const anyMethod = '_all'
const nameOf = (method: string): string => (method === anyMethod ? '*' : method.toUpperCase())
