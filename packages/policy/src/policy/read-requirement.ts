import {
  allOf,
  anyOf,
  anyScope,
  authenticated,
  authenticatedWith,
  callerIn,
  freshWithin,
  not,
  provenBy,
  scopes,
  userScopes,
  type Duration,
  type ProofName,
  type Requirement,
  type ScopeName,
} from '@countersign/core'
import type { DocumentNode } from '../document/document-node.ts'
import type { Reader } from '../document/reader.ts'
import { when } from '../condition/when.ts'
import { callersAre } from './callers-are.ts'
import type { Declared } from './declared.ts'
import { someKnownNames } from './names.ts'
import { readClaims } from './read-claims.ts'

/** What a route asks: all of its keys. */
export function readRequirement(
  node: DocumentNode,
  declared: Declared,
  reader: Reader,
): Requirement | undefined {
  const fields = reader.fields(node, keys, 'what the route asks, such as { scopes: [orders:read] }')
  if (fields === undefined) return undefined
  const written = keys.filter((key) => fields[key] !== undefined)
  // An empty one would allow everybody.
  if (written.length === 0) {
    return node.kind === 'mapping' && node.entries.length > 0
      ? undefined
      : reader.refuse(
          node,
          'say what it asks, such as { scopes: [orders:read] }, or { authenticated: true } for any caller',
        )
  }
  const parts = written.flatMap((key) => {
    const value = fields[key]
    return value === undefined ? [] : (kinds[key](value, declared, reader) ?? [])
  })
  const [first, ...others] = parts
  // A part that could not be read was told: nobody gets to see the rest.
  return first === undefined || others.length === 0 ? first : allOf(first, ...others)
}

type Kind = (node: DocumentNode, declared: Declared, reader: Reader) => Requirement | undefined

/** A list of texts, each checked by what is made of them. */
const ofTexts =
  (what: string, make: (first: string, ...others: string[]) => Requirement): Kind =>
  (node, _, reader) => {
    const items = reader.items(node, `a list of which each is ${what}`)
    const texts = (items ?? []).flatMap((item) => {
      const text = reader.text(item, what)
      return text !== undefined && reader.attempt(item, () => make(text)) !== undefined ? text : []
    })
    const [first, ...others] = texts
    if (items?.length === 0) return reader.expected(node, `a list of which each is ${what}`)
    return first === undefined || texts.length !== items?.length ? undefined : make(first, ...others)
  }

// `Register` narrows the names that code may write, and says nothing of a document.
const ofScopes = (make: (first: ScopeName, ...others: ScopeName[]) => Requirement): Kind =>
  ofTexts('a scope such as orders:read', (...names) => make(...(names as [ScopeName])))

const ofParts =
  (make: (first: Requirement, ...others: Requirement[]) => Requirement): Kind =>
  (node, declared, reader) => {
    const what = 'a list of what is asked, such as [{ scopes: [orders:read] }]'
    const items = reader.items(node, what)
    if (items?.length === 0) return reader.expected(node, what)
    const parts = (items ?? []).flatMap((item) => readRequirement(item, declared, reader) ?? [])
    const [first, ...others] = parts
    return first === undefined || parts.length !== items?.length ? undefined : make(first, ...others)
  }

const kinds = {
  authenticated: (node, _, reader) =>
    node.kind === 'scalar' && node.value === true ? authenticated() : reader.expected(node, 'true'),
  scopes: ofScopes(scopes),
  anyScope: ofScopes(anyScope),
  userScopes: ofScopes(userScopes),
  zones: (node, { zones }, reader) => {
    const names = someKnownNames(node, 'zone', zones, reader)
    return names && callerIn(...names)
  },
  callers: (node, { callers }, reader) => {
    const names = someKnownNames(node, 'caller', callers, reader)
    return names && callersAre(names.flatMap((name) => callers.get(name) ?? []))
  },
  provenBy: ofTexts('a proof', (...proofs) => provenBy(...(proofs as [ProofName]))),
  freshWithin: (node, _, reader) => {
    const isSpan = node.kind === 'scalar' && /^(?:string|number)$/.test(typeof node.value)
    return isSpan
      ? reader.attempt(node, () => freshWithin(node.value as Duration)) // which checks it
      : reader.expected(node, 'a time span such as 5m')
  },
  authenticatedWith: ofTexts('an authentication context class', authenticatedWith),
  claims: (node, _, reader) => readClaims(node, [], reader),
  when: (node, _, reader) => {
    const expression = reader.lines(node, 'a condition in CEL')
    return expression === undefined ? undefined : reader.attempt(node, () => when(expression))
  },
  allOf: ofParts(allOf),
  anyOf: ofParts(anyOf),
  not: (node, declared, reader) => {
    const part = readRequirement(node, declared, reader)
    return part && reader.attempt(node, () => not(part))
  },
} as const satisfies Record<string, Kind>

const keys = Object.keys(kinds) as readonly (keyof typeof kinds)[] // of the very object
