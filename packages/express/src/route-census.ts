import type { CensusEntry } from '@countersign/core'
import { censusEntry, type Guard, type ListRoutes } from '@countersign/core/adapter'
import type { Application } from 'express'
import { pathText, routerOf, type Route } from './framework.ts'
import { guardOfAll } from './guard-middlewares.ts'
import type { Way } from './way.ts'
import { gateIn } from './protected-route.ts'
import { declarationsOf, type OwnDeclaration } from './route-declarations.ts'
import { sizeOf, walk } from './router-tree.ts'

/** Lists the routes of an application for its guard, anew only where routes were added or policy was replaced. */
export function routeCensus(app: Application, guard: Guard): ListRoutes {
  let size = -1
  let policy: object | undefined
  let entries: readonly CensusEntry[] = []
  return () => {
    const current = sizeOf(routerOf(app))
    if (current !== size || guard.policyInForce !== policy) entries = takeCensus(app, guard)
    size = current
    policy = guard.policyInForce
    return entries
  }
}

/** Every route of an application but those behind other guards, and what is asked there. */
function takeCensus(app: Application, guard: Guard): readonly CensusEntry[] {
  const entries: CensusEntry[] = []
  const router = routerOf(app)
  const covering = guardOfAll(router)
  walk(router, {
    route(route, way) {
      const standing = covering ?? way.guard
      if (standing !== undefined && standing !== guard) return
      for (const own of declarationsOf(route, gateIn(route))) {
        entries.push(entryOf(route, way, own, standing))
      }
    },
  })
  return entries
}

function entryOf(
  route: Route,
  way: Way,
  own: OwnDeclaration & { readonly method: string },
  guard: Guard | undefined,
): CensusEntry {
  const cover = (way.isBelowFloor ? way.floor : undefined) ?? way.cover
  return censusEntry(
    {
      ...own,
      path: `${way.path}${pathText(route.path)}`,
      own: own.placement,
      floor: way.floor,
      cover,
      declaredAt:
        own.declaredAt ?? (own.placement === undefined && cover === undefined ? null : way.declaredAt),
    },
    guard,
  )
}
