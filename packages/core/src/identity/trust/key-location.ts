import {
  UnexpectedStatus,
  type FetchDocument,
  type FetchOptions,
  type FetchedDocument,
} from './fetch-document.ts'

/** Where an issuer's keys are found. */
export type KeyLocation =
  | { readonly kind: 'given'; readonly jwks: unknown }
  | { readonly kind: 'url'; readonly url: URL }
  | { readonly kind: 'discovery'; readonly issuer: string; readonly mayUse: (url: URL) => boolean }

/** Fetches the key set of a location that is not given outright. Rejects with a sentence for the operator. */
export async function fetchKeySet(
  location: Exclude<KeyLocation, { kind: 'given' }>,
  fetch: FetchDocument,
  options: FetchOptions,
): Promise<FetchedDocument> {
  const url = location.kind === 'url' ? location.url : await discover(location, fetch, options)
  return fetch(url, options)
}

// OIDC Discovery 1.0 §4 appends its well-known path, RFC 8414 §3.1 inserts one: an issuer serves either.
async function discover(
  { issuer, mayUse }: Extract<KeyLocation, { kind: 'discovery' }>,
  fetch: FetchDocument,
  options: FetchOptions,
): Promise<URL> {
  const { body } = await fetch(openIdUrl(issuer), options).catch((error: unknown) => {
    if (error instanceof UnexpectedStatus && error.status === 404) return fetch(oauthUrl(issuer), options)
    throw error
  })
  // Code point by code point: an issuer must not be able to speak for another one (RFC 8414 §3.3).
  if (body['issuer'] !== issuer) throw new Error('the discovery document names another `issuer`')
  const jwksUri = body['jwks_uri']
  if (typeof jwksUri !== 'string' || !URL.canParse(jwksUri)) {
    throw new Error('the discovery document has no `jwks_uri`')
  }
  const url = new URL(jwksUri)
  if (!mayUse(url)) throw new Error('the discovery document sends to a `jwks_uri` that is not https')
  return url
}

const openIdUrl = (issuer: string): URL =>
  new URL(`${issuer.replace(/\/$/, '')}/.well-known/openid-configuration`)

function oauthUrl(issuer: string): URL {
  const { origin, pathname } = new URL(issuer)
  return new URL(`${origin}/.well-known/oauth-authorization-server${pathname.replace(/\/$/, '')}`)
}
