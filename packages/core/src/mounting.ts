import type { Placement } from './policy/placement.ts'

/** A route of a controller, ready to be placed in a framework. */
export interface MountableRoute {
  /** Lower-case, such as `get`; `all` for every method. */
  readonly method: string
  readonly path: string
  /** Undefined where nothing was declared: the guard's `undeclared` then decides. */
  readonly placement: Placement | undefined
  /** Takes the framework's own handler arguments. */
  readonly handler: (...args: readonly unknown[]) => unknown
}

/** How one framework takes routes. An adapter registers one when its guard is installed. */
export interface Mounter {
  readonly framework: string
  recognises(app: unknown): boolean
  mount(app: unknown, routes: readonly MountableRoute[]): void
}

const mounters = new Map<string, Mounter>()

export function registerMounter(mounter: Mounter): void {
  mounters.set(mounter.framework, mounter)
}

export function mounterFor(app: unknown): Mounter | undefined {
  return [...mounters.values()].find((mounter) => mounter.recognises(app))
}
