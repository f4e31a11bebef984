import type { CompactSign } from 'jose/jws/compact/sign'
import type { importJWK } from 'jose/key/import'

/** The part of jose that verification uses. */
interface Jose {
  readonly importJWK: typeof importJWK
}

let loading: Promise<Jose> | undefined

/**
 * Loads jose when a key has to be made ready for the first time. Loading it beside the first fetch of keys costs nobody
 * time.
 */
export function loadJose(): Promise<Jose> {
  loading ??= import('jose/key/import')
  return loading
}

/** Loads the part of jose that signs: only where this service authenticates by a key of its own. */
export const loadSigner = async (): Promise<typeof CompactSign> =>
  (await import('jose/jws/compact/sign')).CompactSign
