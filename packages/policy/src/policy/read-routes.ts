import { callerOptional, unprotected } from '@countersign/core'
import type { Placement, PolicyRoute } from '@countersign/core/adapter'
import { quoted } from '@countersign/core/adapter'
import type { DocumentNode } from '../document/document-node.ts'
import type { Fields, Reader } from '../document/reader.ts'
import type { Declared } from './declared.ts'
import { readMode } from './read-mode.ts'
import { readRequirement } from './read-requirement.ts'

/** What routes ask, by their spelling. */
export function readRoutes(
  node: DocumentNode | undefined,
  declared: Declared,
  reader: Reader,
): ReadonlyMap<string, PolicyRoute> {
  const routes = new Map<string, PolicyRoute>()
  const items = node && reader.items(node, `a list of routes, such as \`- ${example}\``)
  for (const item of items ?? []) {
    const route = readRoute(item, declared, reader)
    const first = route && routes.get(route.route)
    if (first !== undefined) reader.refuse(item, `the route is written twice: first in line ${first.at.line}`)
    else if (route !== undefined) routes.set(route.route, route)
  }
  return routes
}

function readRoute(node: DocumentNode, declared: Declared, reader: Reader): PolicyRoute | undefined {
  const fields = reader.fields(node, ['route', ...placements, 'mode'], example)
  if (fields === undefined) return undefined
  const route = fields.route && readSpelling(fields.route, reader)
  if (fields.route === undefined) reader.refuse(node, 'say which route: `route: GET /orders/:id`')
  const placement = readPlacement(node, fields, declared, reader)
  const mode = readMode(fields.mode, reader)
  if (fields.mode && fields.unprotected) {
    reader.refuse(fields.mode, 'an unprotected route refuses nobody: leave it out')
  }
  if (route === undefined || placement === undefined) return undefined
  return Object.freeze({ route, placement, mode, at: node.at })
}

/** A method, or `*` for every method, and the path as the framework registered it: the census shows the spelling. */
export function readSpelling(node: DocumentNode, reader: Reader): string | undefined {
  const what =
    'a method and a path as they are registered, such as GET /orders/:id, or * /orders/:id for every method'
  const text = reader.text(node, what)
  if (text === undefined || /^(?:[A-Z][A-Z-]{0,31}|\*) \S.*(?<!\s)$/.test(text)) return text
  const [, method = '', path = ''] = /^([A-Za-z]+) (\/.*)$/.exec(text) ?? []
  return method === ''
    ? reader.expected(node, what)
    : reader.refuse(
        node,
        `methods are written in capitals: write ${quoted(`${method.toUpperCase()} ${path}`)}`,
      )
}

function readPlacement(
  node: DocumentNode,
  fields: Fields<(typeof placements)[number]>,
  declared: Declared,
  reader: Reader,
): Placement | undefined {
  const [written, second] = placements.filter((name) => fields[name] !== undefined)
  if (written === undefined || second !== undefined) {
    const either = 'exactly one of `requires`, `unprotected: <reason>` and `callerOptional: <reason>`'
    return reader.refuse(node, `say who may call it: ${either}`)
  }
  const value = fields[written]
  if (value === undefined) return undefined
  if (written === 'requires') return readRequirement(value, declared, reader)
  const reason = reader.text(value, 'the reason, such as `liveness probe, returns no data`')
  const place = written === 'unprotected' ? unprotected : callerOptional
  return reason === undefined ? undefined : reader.attempt(value, () => place(reason))
}

const placements = ['requires', 'unprotected', 'callerOptional'] as const
const example = '{ route: GET /orders/:id, requires: { scopes: [orders:read] } }'
