import type { CensusEntry } from '@countersign/core'
import { censusEntry, type Guard, type ListRoutes } from '@countersign/core/adapter'
import { middlewareOf, walk, walkRouter, type Way } from './application-tree.ts'
import { type Application, pathText, registeredMethods, type Layer, type Router } from './framework.ts'
import { handlersOf } from './protected-route.ts'
import { readDeclared } from './route-declarations.ts'

/** Routers that an application, or one mounted in it, was found to hold. */
const inView = new WeakSet<Router>()
/** How many middlewares an application had when it was looked through last. */
const lookedThrough = new WeakMap<Application, number>()
/** Routers that took requests of an application and stand behind a function, so that nobody knows the whole path to them. */
const hidden = new WeakMap<Application, Set<Router>>()

/** True if the paths of a router are whole, as far as its application knows. */
export function isInView(app: Application, router: Router): boolean {
  const { length } = app.middleware
  if (lookedThrough.get(app) !== length) walk(app, { router: (found) => void inView.add(found) })
  lookedThrough.set(app, length)
  return inView.has(router)
}

/** Makes a router known that no walk finds. Bounded, since a function may make one for each request. */
export function noteHidden(app: Application, router: Router): void {
  const known = hidden.get(app) ?? new Set()
  if (known.size < maxHidden) hidden.set(app, known.add(router))
}

/** Lists the routes of an application for its guard, anew only where routes were added or policy was replaced. */
export function routeCensus(app: Application, guard: Guard): ListRoutes {
  let size = -1
  let policy: object | undefined
  let entries: readonly CensusEntry[] = []
  return () => {
    const current = sizeOf(app)
    if (current !== size || guard.policyInForce !== policy) entries = takeCensus(app, guard)
    size = current
    policy = guard.policyInForce
    return entries
  }
}

/** Every route of an application but those behind other guards, and what is asked there. */
function takeCensus(app: Application, guard: Guard): readonly CensusEntry[] {
  const entries: CensusEntry[] = []
  const list = (prefix: string) => (layer: Layer, way: Way) => {
    if (way.guard !== undefined && way.guard !== guard) return
    entries.push(...entriesOf(prefix, layer, way))
  }
  walk(app, { router: (found) => void inView.add(found), route: list('') })
  for (const router of hidden.get(app) ?? []) {
    if (!inView.has(router)) walkRouter(router, { ...unknownWay, guard }, { route: list('/…') })
  }
  return entries
}

function entriesOf(prefix: string, layer: Layer, way: Way): readonly CensusEntry[] {
  const { placement, isMisplaced, declaredAt } = readDeclared(handlersOf(layer))
  const cover = way.floor ?? way.cover
  const path = `${prefix}${pathText(layer)}`
  return registeredMethods(layer).map((method) =>
    censusEntry(
      {
        method,
        path,
        own: placement,
        floor: way.floor,
        cover,
        isMisplaced,
        declaredAt: declaredAt ?? (cover === undefined ? null : way.declaredAt),
      },
      way.guard,
    ),
  )
}

// As long as that stays, an application has gained nothing.
function sizeOf(app: Application): number {
  let size = middlewareOf(app).length
  const count = ({ stack }: Router): void => {
    for (const layer of stack) size += 1 + handlersOf(layer).length
  }
  walk(app, { router: count })
  for (const router of hidden.get(app) ?? []) count(router)
  return size
}

const unknownWay: Way = { floor: undefined, cover: undefined, guard: undefined, declaredAt: null }
const maxHidden = 100
