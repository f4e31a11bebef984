import { isRecord } from '../jws/json-object.ts'
import { parsePublicKey, type PublicJwk } from '../jws/public-key.ts'

/**
 * The keys of a JWK Set (RFC 7517 §5) that can be used here. Keys of unknown kinds are passed over, as the RFC asks.
 * Throws an Error for the operator where the document is no key set at all, has no usable key, or publishes private
 * key material, which is then everybody's.
 */
export function parseJwkSet(document: unknown): readonly PublicJwk[] {
  const keys = entriesOf(document).flatMap((entry) => parseEntry(entry) ?? [])
  if (keys.length === 0) throw new Error('expected at least one usable public key')
  return keys
}

/** What stands in `keys`. All of it or nothing: where a set is cut off, the order of its keys would have a meaning. */
export function entriesOf(document: unknown): readonly unknown[] {
  const entries = isRecord(document) ? document['keys'] : undefined
  if (!Array.isArray(entries)) throw new Error('expected a JWK Set with an array `keys`')
  if (entries.length > maxKeys) throw new Error(`expected at most ${maxKeys} keys, got ${entries.length}`)
  return entries
}

/** Undefined for a key that nobody here uses. Throws for one that gives a secret away. */
export function parseEntry(entry: unknown): PublicJwk | undefined {
  // A copy: an object that an operator wrote down could be another one later.
  const jwk = parsePublicKey(isRecord(entry) ? { ...entry } : entry)
  if (jwk === 'private') throw new Error('the key set publishes private or symmetric keys')
  return jwk
}

const maxKeys = 256
