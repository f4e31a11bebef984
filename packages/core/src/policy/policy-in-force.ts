import type { Occasion } from './occasion.ts'
import { joinPlacements } from './joined-placements.ts'
import type { Placement } from './placement.ts'
import type { Policy, PolicyCaller, PolicyRoute } from './policy.ts'
import { reachOf } from './zone-reach.ts'
import type { Requirement } from './requirement.ts'

/** What a policy says of one route, for one spelling of it. */
export interface RoutePolicy {
  /** All that it asks there; undefined where it says nothing. */
  readonly placement: Placement | undefined
  readonly entries: readonly PolicyRoute[]
}

/**
 * A policy as it is asked: what can be found out once is. INVARIANT: it never changes. Whatever replaces it is another object, so
 * what was worked out with one is told by it from what holds now.
 */
export class PolicyInForce {
  readonly policy: Policy
  readonly candidate: PolicyInForce | undefined
  /** Who may call this service at all, where zones limit that. */
  readonly reach: Requirement | undefined
  /** True where some route or caller has a mode of its own. */
  readonly hasModes: boolean
  readonly #exact = new Map<string, PolicyCaller[]>()
  readonly #patterns: readonly PolicyCaller[]
  readonly #routes = new Map<string, Map<string, RoutePolicy>>()

  constructor(policy: Policy) {
    this.policy = policy
    this.candidate = policy.candidate === undefined ? undefined : new PolicyInForce(policy.candidate)
    this.reach = reachOf(policy)
    this.hasModes = [...policy.routes.values(), ...policy.callers].some(({ mode }) => mode !== undefined)
    for (const caller of policy.callers) {
      for (const { text, isExact } of caller.is) {
        if (isExact) this.#exact.set(text, [...(this.#exact.get(text) ?? []), caller])
      }
    }
    this.#patterns = policy.callers.filter(({ is }) => is.some(({ isExact }) => !isExact))
  }

  /** The entries that mean this party. */
  callersOf(id: string): readonly PolicyCaller[] {
    const exact = this.#exact.get(id) ?? []
    const others = this.#patterns.filter(
      (caller) => !exact.includes(caller) && caller.is.some((pattern) => pattern.matches(id)),
    )
    return [...exact, ...others]
  }

  /** The zones that a party is in. */
  zonesOf(id: string): readonly string[] {
    const names = this.callersOf(id).map(({ name }) => name)
    return [...this.policy.zones].flatMap(([zone, members]) =>
      names.some((name) => members.has(name)) ? [zone] : [],
    )
  }

  /** Whether two names were written down as one workload's. A pattern means many workloads, and joins nobody. */
  isSameWorkload(one: string, other: string): boolean {
    const others = this.#exact.get(other)
    return this.#exact.get(one)?.some((entry) => others?.includes(entry)) === true
  }

  /** What the document only observes, and until when, for whoever has to be told. */
  get observed(): readonly (readonly [what: string, until: number])[] {
    const { routes, callers } = this.policy
    const named = [
      ...[...routes.values()].map(({ route, mode }) => [`the policy of ${route}`, mode] as const),
      ...callers.map(({ name, mode }) => [`the policy of the caller ${name}`, mode] as const),
    ]
    return named.flatMap(([what, mode]) =>
      typeof mode === 'object' ? [[what, mode.observe.until] as const] : [],
    )
  }

  /** The routes of the document that are none of these: a typing mistake, or a route that is no more. */
  unknownRoutes(routes: readonly { readonly method: string; readonly path: string }[]): readonly string[] {
    return [...this.policy.routes.keys()].filter((spelling) => {
      const [method, path] = [
        spelling.slice(0, spelling.indexOf(' ')),
        spelling.slice(spelling.indexOf(' ') + 1),
      ]
      // HEAD is answered by GET, and a route for every method by each.
      const methods = method === 'HEAD' ? ['HEAD', 'GET', '*'] : [method, '*']
      return !routes.some(
        (route) => route.path === path && (method === '*' || methods.includes(route.method)),
      )
    })
  }

  /** What the document says of a route. Looked for once for each spelling, of which there are as many as routes. */
  routeOf({ route, registered }: Pick<Occasion, 'route' | 'registered'>): RoutePolicy {
    const known = this.#routes.get(registered)
    let found = known?.get(route)
    if (found === undefined) {
      found = this.#find(route, registered)
      if (known !== undefined && known.size < maxSpellings) known.set(route, found)
      if (known === undefined && this.#routes.size < maxRoutes) {
        this.#routes.set(registered, new Map([[route, found]]))
      }
    }
    return found
  }

  // HEAD is answered by the route for GET, and a route for all methods by whichever is asked for: each spelling counts.
  #find(route: string, registered: string): RoutePolicy {
    const path = registered.slice(registered.indexOf(' '))
    const entries = [...new Set([route, registered, `*${path}`])].flatMap((spelling) => {
      const entry = this.policy.routes.get(spelling)
      return entry === undefined ? [] : [entry]
    })
    const asked = joinPlacements(entries.map(({ placement }) => placement))
    return { placement: asked, entries }
  }
}

/** Methods are a caller's text, and some frameworks let any by. */
const maxSpellings = 64
/** Whoever calls a guard by hand may name a route as it came. */
const maxRoutes = 10_000
