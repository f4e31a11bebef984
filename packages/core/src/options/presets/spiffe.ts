import { ConfigurationError, describeValue } from '../../configuration-error.ts'
import { isTrustDomain } from '../../identity/certificate/spiffe-id.ts'
import type { IssuerOptions } from '../issuer-options.ts'

/** A SPIFFE trust bundle (SPIFFE Trust Domain and Bundle §4), as it is published; other members are passed over. */
export interface SpiffeBundle {
  readonly keys: readonly object[]
}

/**
 * The JWT-SVIDs of a SPIFFE trust domain: `spiffe('prod.example', './bundle.json')`.
 *
 * The bundle is a JWK Set, the path of a JSON file, or the https URL of a bundle endpoint that the public authorities vouch
 * for (`https_web`). Of its keys only those marked `use: jwt-svid` count, and for this trust domain alone. Callers are
 * named by their SPIFFE ID. The tokens carry no scopes.
 */
export function spiffe(trustDomain: string, bundle: SpiffeBundle | string): IssuerOptions {
  if (typeof trustDomain !== 'string' || !isTrustDomain(trustDomain)) {
    throw new ConfigurationError('spiffe', "write the trust domain alone, such as 'prod.example'")
  }
  return {
    issuer: `spiffe://${trustDomain}`,
    profile: 'jwt-svid',
    represents: 'workload',
    ...locate(bundle),
  }
}

function locate(bundle: unknown): Pick<IssuerOptions, 'jwks' | 'jwksUri'> {
  if (isBundle(bundle)) return { jwks: bundle }
  if (typeof bundle !== 'string' || bundle === '') {
    throw new ConfigurationError(
      'spiffe.bundle',
      `expected a bundle, the path of its JSON file or its https URL, got ${describeValue(bundle)}`,
    )
  }
  if (bundle.startsWith('https://')) return { jwksUri: bundle }
  if (!/^[a-z][a-z0-9+.-]+:\/\//i.test(bundle)) return { jwks: bundle }
  throw new ConfigurationError('spiffe.bundle', 'a bundle endpoint is reached by https alone')
}

const isBundle = (bundle: unknown): bundle is SpiffeBundle =>
  typeof bundle === 'object' && bundle !== null && 'keys' in bundle && Array.isArray(bundle.keys)
