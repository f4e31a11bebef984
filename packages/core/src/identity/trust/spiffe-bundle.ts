import { isRecord } from '../jws/json-object.ts'
import type { PublicJwk } from '../jws/public-key.ts'
import { entriesOf, parseEntry } from './jwk-set.ts'

/**
 * The JWT-SVID keys of a SPIFFE trust domain's bundle (SPIFFE Trust Domain and Bundle §4): those with `use: jwt-svid`.
 * There may be none: then no JWT-SVID of the domain is valid. Throws an Error for the operator where the document is no
 * bundle, where such a key has no `kid`, and where private key material is published.
 */
export function parseSpiffeBundle(document: unknown): readonly PublicJwk[] {
  const keys: PublicJwk[] = []
  for (const entry of entriesOf(document)) {
    const jwk = parseEntry(entry)
    if (!isRecord(entry) || entry['use'] !== 'jwt-svid') continue
    if (typeof entry['kid'] !== 'string' || entry['kid'] === '') {
      throw new Error('the bundle has a `jwt-svid` key without `kid`')
    }
    // Signatures are what these keys are for. Saying so here, and only here, is what keeps a key that is marked
    // `jwt-svid` in an ordinary key set from fitting any algorithm.
    if (jwk !== undefined) keys.push({ ...jwk, use: 'sig' })
  }
  return keys
}

/**
 * The X.509 authorities of a SPIFFE trust domain's bundle, in DER: of each key with `use: x509-svid` the first certificate in
 * `x5c`, and nothing else of it (SPIFFE Trust Domain and Bundle §4.2.3). There may be none: then no X.509-SVID of the domain is
 * valid. Throws an Error for the operator where the document is no bundle, and where `x5c` is not what it has to be.
 */
export function parseX509Authorities(document: unknown): readonly Uint8Array[] {
  return entriesOf(document).flatMap((entry) => {
    if (!isRecord(entry) || entry['use'] !== 'x509-svid' || entry['x5c'] === undefined) return []
    const [first]: readonly unknown[] = Array.isArray(entry['x5c']) ? entry['x5c'] : []
    // Standard base64, not the one of URLs (RFC 7517 §4.7).
    if (typeof first !== 'string' || !/^[A-Za-z0-9+/]+={0,2}$/.test(first)) {
      throw new Error('the bundle has an `x509-svid` key whose `x5c` holds no certificate in base64')
    }
    return [Buffer.from(first, 'base64')]
  })
}

/**
 * A bundle's `spiffe_sequence`, exactly as it is written: it may be larger than a JavaScript number can tell apart.
 * Undefined where the bundle has none. Throws an Error where it is no whole number. The text must be JSON.
 */
export function sequenceOf(octets: Uint8Array): bigint | undefined {
  const written = new Map<unknown, string>()
  const bundle = parseWithSource(utf8.decode(octets), function (name, value, { source }) {
    if (name === 'spiffe_sequence') written.set(this, source ?? '')
    return value
  })
  // Only the bundle's own member counts, not one of the same name in a key.
  const sequence = written.get(bundle)
  if (sequence === undefined) return undefined
  if (!/^\d{1,40}$/.test(sequence)) throw new Error('`spiffe_sequence` is not a whole number')
  return BigInt(sequence)
}

/**
 * SPIFFE Trust Domain and Bundle §4.1.1: an older bundle could bring a withdrawn key back. Throws an Error for the operator where
 * the sequence went back.
 */
export function requireNewerSequence(next: bigint | undefined, previous: bigint | undefined): void {
  if (next !== undefined && previous !== undefined && next < previous) {
    throw new Error(`\`spiffe_sequence\` went back from ${previous} to ${next}`)
  }
}

/** Seconds after which the publisher wants its bundle to be read again; undefined where it does not say, or no number. */
export function refreshHintOf(document: unknown): number | undefined {
  const hint = isRecord(document) ? document['spiffe_refresh_hint'] : undefined
  return typeof hint === 'number' && hint > 0 ? hint : undefined
}

type Reviver = (this: unknown, name: string, value: unknown, context: { readonly source?: string }) => unknown

// The third argument of a reviver is in every supported Node and not yet in TypeScript's library.
const parseWithSource = JSON.parse as (text: string, reviver: Reviver) => unknown

const utf8 = new TextDecoder()
