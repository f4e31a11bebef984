import type { Policy } from '@countersign/core/adapter'
import type { DocumentNode } from '../document/document-node.ts'
import { readTree } from '../document/read-tree.ts'
import { Reader, type Fields } from '../document/reader.ts'
import { isName } from './names.ts'
import { readCallers } from './read-callers.ts'
import { readRoutes } from './read-routes.ts'
import { readCalls, readZones } from './read-zones.ts'

/**
 * Reads a policy document, YAML or JSON, and checks it as a whole. Throws a `PolicyError` with everything that is wrong; `name`
 * is what its message calls the document.
 */
export function parsePolicy(text: string, name: string = documentName): Policy {
  const reader = new Reader()
  const tree = readTree(text, reader.problems)
  return reader.problems.requireNone(tree && readPolicy(tree, reader), name)
}

function readPolicy(tree: DocumentNode, reader: Reader): Policy | undefined {
  const fields = reader.fields(tree, ['version', 'service', ...sections, 'candidate'], 'a policy document')
  if (fields === undefined) return undefined
  if (fields.version === undefined) reader.refuse(tree, 'say which format it is: `version: 1`')
  else if (fields.version.kind !== 'scalar' || fields.version.value !== 1) {
    reader.refuse(fields.version, 'expected `version: 1`, the only format there is')
  }
  const service = fields.service && readService(fields.service, reader)
  const policy = readSections(fields, service, reader)
  return Object.freeze({ ...policy, candidate: readCandidate(fields, service, reader) })
}

function readService(node: DocumentNode, reader: Reader): string | undefined {
  const what = 'the name of this service, such as orders'
  const service = reader.text(node, what)
  return service === undefined || isName(service) ? service : reader.expected(node, what)
}

type Sections = Fields<(typeof sections)[number]>

function readSections(fields: Sections, service: string | undefined, reader: Reader): Policy {
  const callers = readCallers(fields.callers, reader)
  const zones = readZones(fields.zones, service, callers, reader)
  const calls = readCalls(fields.calls, service, zones, reader)
  const routes = readRoutes(fields.routes, { callers, zones }, reader)
  return {
    service,
    callers: Object.freeze([...callers.values()]),
    zones,
    calls,
    routes,
    candidate: undefined,
  }
}

// What it leaves out is as the document has it: so it can be a change of one line, and is judged as a whole.
function readCandidate(
  fields: Sections & Fields<'candidate'>,
  service: string | undefined,
  reader: Reader,
): Policy | undefined {
  if (fields.candidate === undefined) return undefined
  const what = `what shall change: any of ${sections.map((each) => `\`${each}\``).join(', ')}`
  const changed = reader.fields(fields.candidate, sections, what)
  if (changed === undefined) return undefined
  if (Object.keys(changed).length === 0) return reader.expected(fields.candidate, what)
  return Object.freeze(readSections({ ...fields, ...changed }, service, reader))
}

const sections = ['zones', 'calls', 'callers', 'routes'] as const

/** What a policy document is called where nobody says so. */
const documentName = 'countersign.policy.yaml'
