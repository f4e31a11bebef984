/** The parts of jose that verification uses. */
export interface Jose {
  readonly compactVerify: typeof import('jose/jws/compact/verify').compactVerify
  readonly importJWK: typeof import('jose/key/import').importJWK
}

let loading: Promise<Jose> | undefined

/**
 * Loads jose when a token has to be verified for the first time. It is a fifth of what a service has to load for this
 * library; loading it beside the first fetch of keys costs nobody time.
 */
export function loadJose(): Promise<Jose> {
  loading ??= Promise.all([import('jose/jws/compact/verify'), import('jose/key/import')]).then(
    ([{ compactVerify }, { importJWK }]) => ({ compactVerify, importJWK }),
  )
  return loading
}
