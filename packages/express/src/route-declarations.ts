import type { Placement } from '@countersign/core'
import { joinPlacements } from '@countersign/core/adapter'
import { METHODS } from 'node:http'
import { pathText, type Route } from './framework.ts'
import { unknownPath, type Way } from './mount-point.ts'
import { declaredAtOf, placementOf } from './placements.ts'

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
export function readDeclared(
  route: Route,
  method: string,
  way: Way | undefined,
  gate: object,
): Declared | undefined {
  const registered = registeredMethod(route, method.toLowerCase())
  const own = readOwn(route, registered, gate)
  if (own === undefined) return undefined
  const path = `${way?.path ?? unknownPath}${pathText(route.path)}`
  const isBelowFloor = way?.isBelowFloor === true
  return {
    ...own,
    isBelowFloor,
    // A middleware may have put a caller's text in place of the method.
    name: `${methods.has(method) ? method : '*'} ${path}`,
    registered: `${nameOf(registered)} ${path}`,
    isPlainOptions:
      method === 'OPTIONS' &&
      own.placement === undefined &&
      !isBelowFloor &&
      route.stack.every(({ handle, method: handled }) => handle === gate || handled !== undefined),
  }
}

/** What a route declares for each of its methods, for the census. */
export function declarationsOf(
  route: Route,
  gate: object | undefined,
): readonly (OwnDeclaration & { readonly method: string })[] {
  return Object.keys(route.methods).flatMap((method) => {
    const own = readOwn(route, method, gate)
    return own === undefined ? [] : [{ ...own, method: nameOf(method) }]
  })
}

// A HEAD request runs the GET handlers, so it is held to what GET declares.
function registeredMethod({ methods: registered }: Route, method: string): string {
  if (registered[method] === true) return method
  return method === 'head' && registered['get'] === true ? 'get' : anyMethod
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

/** As Express 4 and 5 call what `all` registers. */
const anyMethod = '_all'
const nameOf = (method: string): string => (method === anyMethod ? '*' : method.toUpperCase())
const methods = new Set(METHODS)
