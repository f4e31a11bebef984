import type { CompactSign } from 'jose/jws/compact/sign'
import type { compactVerify } from 'jose/jws/compact/verify'
import type { importJWK } from 'jose/key/import'

/** The parts of jose that verification uses. */
interface Jose {
  readonly compactVerify: typeof compactVerify
  readonly importJWK: typeof importJWK
}

let loading: Promise<Jose> | undefined

/**
 * Loads jose when a token has to be verified for the first time. It is a fifth of what a service has to load for this
 * library; loading it beside the first fetch of keys costs nobody time.
 */
export function loadJose(): Promise<Jose> {
  loading ??= Promise.all([import('jose/jws/compact/verify'), import('jose/key/import')]).then(
    ([verify, keys]) => ({ compactVerify: verify.compactVerify, importJWK: keys.importJWK }),
  )
  return loading
}

/** Loads the part of jose that signs: only where this service authenticates by a key of its own. */
export const loadSigner = async (): Promise<typeof CompactSign> =>
  (await import('jose/jws/compact/sign')).CompactSign
