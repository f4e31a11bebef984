import { ConfigurationError, type Placement } from '@countersign/core'
import { declaredAt, listed, requirePlacement } from '@countersign/core/adapter'

/**
 * Who may call which method, by the method's path, such as `/orders.Orders/Get`. Undefined: it is known, and nobody says who may call
 * it.
 */
export type MethodPlacements = Readonly<Record<string, Placement | undefined>>

/** Of the definition of a service, the part that is needed. */
interface DefinedMethod {
  readonly path: string
  /** The other name under which grpc-js looks for a handler. */
  readonly originalName?: string | undefined
}

/**
 * Says of each method of a service who may call it: `protect(OrdersService, { get: requireScopes('orders:read'), … })`. Methods are
 * named as their handlers are. With a typed definition, one that is missing or misspelt does not compile; with any, one that is
 * missing is undeclared, and a misspelt one throws a ConfigurationError.
 */
export function protect<Service extends { readonly [Method in keyof Service]: DefinedMethod }>(
  service: Service,
  methods: { readonly [Method in keyof Service]: Placement },
): MethodPlacements {
  const left = new Map<string, unknown>(Object.entries(methods))
  const names = Object.entries<DefinedMethod>(service)
  const placements = names.map(([name, { path, originalName = name }]) => {
    const said = left.has(name) ? name : originalName
    const placement = left.has(said)
      ? requirePlacement(left.get(said), `protect(…, { ${said}: … })`)
      : undefined
    left.delete(said)
    return [path, placement] as const
  })
  const [unknown] = left.keys()
  if (unknown !== undefined) {
    throw new ConfigurationError(
      `protect(…, { ${unknown}: … })`,
      `the service has no such method, or it is named twice: write ${listed(names.map(([name]) => name))}, each once`,
    )
  }
  const protectedMethods = Object.freeze(Object.fromEntries(placements))
  places.set(protectedMethods, declaredAt(protect))
  return protectedMethods
}

const places = new WeakMap<MethodPlacements, string | null>()

/** Where `protect` was called for these; undefined where they were written by hand. */
export const placeOf = (methods: MethodPlacements): string | null | undefined => places.get(methods)

/** Checks a path as it was written. Throws a ConfigurationError for what is none. */
export function requirePath(path: string): string {
  if (/^\/[^/\s]+\/[^/\s]+$/.test(path)) return path
  throw new ConfigurationError(
    `countersign(…, { '${path}': … })`,
    "write the path of a method, such as '/orders.Orders/Get', or protect(OrdersService, { … })",
  )
}
