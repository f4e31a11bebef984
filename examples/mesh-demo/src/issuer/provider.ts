// The OAuth server's configuration: which clients it knows, and what its access tokens say.
import { randomBytes } from 'node:crypto'
import type { JWK } from 'jose'
import { Provider, errors, type Configuration } from 'oidc-provider'

/** A service that may ask for tokens. */
export interface IssuerClient {
  readonly id: string
  /** The public key with which it proves who it is (`private_key_jwt`). */
  readonly publicKey: JWK
  /** What the issuer says of it in the claim `spiffe_id`. */
  readonly spiffeId: string
  /** All that it may ask for, separated by spaces. */
  readonly scope: string
}

export interface ProviderOptions {
  readonly issuer: string
  /** The private key that signs its tokens. */
  readonly signingKey: JWK
  readonly clients: readonly IssuerClient[]
  /** The services that its tokens may be meant for. */
  readonly audiences: readonly string[]
}

/** Makes the OAuth server. Its tokens are JWTs as RFC 9068 has them: `at+jwt`, for one audience, ES256. */
export function createProvider({ issuer, signingKey, clients, audiences }: ProviderOptions): Provider {
  const scopes = [...new Set(clients.flatMap(({ scope }) => scope.split(' ')))]
  const spiffeIds = new Map(clients.map(({ id, spiffeId }) => [id, spiffeId]))
  const configuration: Configuration = {
    jwks: { keys: [signingKey] },
    clients: clients.map(({ id, publicKey, scope }) => ({
      client_id: id,
      jwks: { keys: [publicKey] },
      scope,
    })),
    clientDefaults: {
      grant_types: ['client_credentials'],
      redirect_uris: [],
      response_types: [],
      token_endpoint_auth_method: 'private_key_jwt',
      token_endpoint_auth_signing_alg: 'ES256',
      id_token_signed_response_alg: 'ES256',
    },
    clientAuthMethods: ['private_key_jwt'],
    enabledJWA: { clientAuthSigningAlgValues: ['ES256'] },
    scopes,
    cookies: { keys: [randomBytes(32).toString('hex')] },
    // The name that callees know the client by. It makes token and certificate comparable.
    extraTokenClaims: (_context, token) => ({ spiffe_id: spiffeIds.get(token.clientId ?? '') }),
    features: {
      devInteractions: { enabled: false },
      clientCredentials: { enabled: true },
      resourceIndicators: {
        enabled: true,
        getResourceServerInfo: (_context, audience) => {
          if (!audiences.includes(audience)) throw new errors.InvalidTarget()
          const format = {
            accessTokenFormat: 'jwt',
            accessTokenTTL: hour,
            jwt: { sign: { alg: 'ES256' } },
          } as const
          return { audience, scope: scopes.join(' '), ...format }
        },
      },
    },
  }
  return new Provider(issuer, configuration)
}

/** In seconds: long enough to try the tokens of `--serve` by hand. In production, take minutes. */
const hour = 3600
