import { Refusal, quoted } from '../../refusal.ts'

/** A workload's name, `spiffe://<trust domain>/<path>`, that follows the SPIFFE ID grammar exactly. */
export interface SpiffeId {
  /** The whole ID, byte for byte as it came: nothing is normalised, so equal names are equal strings. */
  readonly uri: string
  readonly trustDomain: string
  /** Starts with `/`; empty for a trust domain's own ID. */
  readonly path: string
  /** Only `parseSpiffeId` makes one. */
  readonly [parsed]: true
}

declare const parsed: unique symbol

/** Parses a SPIFFE ID (SPIFFE-ID §2), or undefined where the text is none. Refuses rather than normalises. */
export function parseSpiffeId(text: string): SpiffeId | undefined {
  if (text.length > maxIdLength) return undefined
  const [, trustDomain, path] = grammar.exec(text) ?? []
  if (trustDomain === undefined || path === undefined || !isTrustDomain(trustDomain)) return undefined
  if (path.split('/').some((segment) => segment === '.' || segment === '..')) return undefined
  return Object.freeze({ uri: text, trustDomain, path }) as SpiffeId // made here, from the grammar above
}

/** The same of a workload's ID, which has a path: not of a trust domain's own. */
export function parseWorkloadId(text: string): SpiffeId | undefined {
  const id = parseSpiffeId(text)
  return id?.path === '' ? undefined : id
}

/** The ID in a URI name, or why it names no workload. */
export const readWorkloadId = (uri: string): SpiffeId | Refusal =>
  parseWorkloadId(uri) ??
  new Refusal('svid_id_malformed', { expected: 'spiffe://<trust domain>/<path>', actual: quoted(uri) })

export const isTrustDomain = (text: string): boolean => /^[a-z0-9._-]{1,255}$/.test(text)

const grammar = /^spiffe:\/\/([a-z0-9._-]+)((?:\/[A-Za-z0-9._-]+)*)$/
const maxIdLength = 2048
