// The authorization server of these tests: `oidc-provider`, which knows nothing of us, as a shop would set it up.
import { createHash } from 'node:crypto'
import type { TLSSocket } from 'node:tls'
import type { JWK } from 'jose'
import {
  Provider,
  errors,
  type AdapterFactory,
  type ClientMetadata,
  type Configuration,
  type KoaContextWithOIDC,
  type ResourceServer,
} from 'oidc-provider'
import { clientDefaults, spiffeIdOf } from './clients.ts'
import { allowTokenExchange, actorOf } from './token-exchange.ts'

export interface ProviderSettings {
  readonly issuer: string
  /** Private keys. All are published; `signWith` names the one that signs. */
  readonly keys: readonly JWK[]
  readonly signWith: string
  readonly clients: readonly ClientMetadata[]
  readonly store: AdapterFactory
}

/** The services that its tokens may be meant for. Those for the ledger and the archive are opaque. */
export const orders = 'https://orders.internal'
export const billing = 'https://billing.internal'
export const ledger = 'https://ledger.internal'
export const archive = 'https://archive.internal'

export function createProvider(settings: ProviderSettings): Provider {
  const { issuer, keys, signWith, clients, store } = settings
  const resources: Readonly<Record<string, ResourceServer>> = {
    [orders]: { ...signedBy(signWith), audience: orders, scope: 'orders:read orders:write' },
    [billing]: { ...signedBy(signWith), audience: billing, scope: 'billing:read' },
    [ledger]: { ...opaque, audience: ledger, scope: 'ledger:read' },
    [archive]: { ...opaque, audience: archive, scope: 'ledger:read' },
  }
  const resourceServer = (resource: string): ResourceServer => {
    const found = resources[resource]
    if (found === undefined) throw new errors.InvalidTarget()
    return found
  }
  const provider = new Provider(issuer, {
    adapter: store,
    // The first key that fits signs ID tokens and introspection answers.
    jwks: { keys: [...keys].toSorted((one) => (one.kid === signWith ? -1 : 1)) },
    clients: [...clients],
    clientDefaults,
    scopes: [...new Set(Object.values(resources).flatMap(({ scope }) => scope.split(' ')))],
    clientAuthMethods: ['client_secret_basic', 'private_key_jwt', 'tls_client_auth', 'none'],
    enabledJWA: { introspectionSigningAlgValues: ['ES256'], clientAuthSigningAlgValues: ['ES256'] },
    cookies: { keys: ['the cookies of a test'] },
    ttl: {
      Session: hour,
      Grant: hour,
      Interaction: hour,
      IdToken: hour,
      AccessToken: hour,
      ClientCredentials: hour,
    },
    findAccount: (_context, accountId) => ({ accountId, claims: () => ({ sub: accountId }) }),
    interactions: { url: (_context, { uid }) => `/interaction/${uid}` },
    extraTokenClaims: (_context, token) => ({ ...actorOf(token), ...spiffeIdOf(token) }),
    features: {
      devInteractions: { enabled: false },
      clientCredentials: { enabled: true },
      dPoP: { enabled: true, nonceSecret, requireNonce: () => true },
      // It tells the ledger of everybody's tokens: whom they are meant for is for the ledger to check.
      introspection: {
        enabled: true,
        allowedPolicy: (_context, { clientId }) => clientId.startsWith('ledger'),
      },
      jwtIntrospection: { enabled: true },
      revocation: {
        enabled: true,
        allowedPolicy: (_context, client, token) => client.clientId === token.clientId,
      },
      resourceIndicators: {
        enabled: true,
        defaultResource: () => [],
        getResourceServerInfo: (_context, resource) => resourceServer(resource),
        useGrantedResource: () => true,
      },
      mTLS: mutualTls,
    },
  })
  allowTokenExchange(provider, keys, resourceServer)
  return provider
}

const hour = 3600
const opaque = { accessTokenFormat: 'opaque', accessTokenTTL: hour } as const

const signedBy = (kid: string) =>
  ({
    accessTokenFormat: 'jwt',
    accessTokenTTL: hour,
    jwt: { sign: { alg: 'ES256', kid } },
  }) as const

/** RFC 8705: clients that authenticate by a certificate, by the URI in it, and get tokens bound to it. */
const mutualTls: NonNullable<Configuration['features']>['mTLS'] = {
  enabled: true,
  certificateBoundAccessTokens: true,
  tlsClientAuth: true,
  getCertificate: (context) => socketOf(context).getPeerX509Certificate()?.toString(),
  certificateAuthorized: (context) => socketOf(context).authorized,
  certificateSubjectMatches: (context, property, expected) => {
    const names = socketOf(context).getPeerX509Certificate()?.subjectAltName ?? ''
    return property === 'tls_client_auth_san_uri' && names.split(', ').includes(`URI:${expected}`)
  },
}

const socketOf = ({ req }: KoaContextWithOIDC): TLSSocket => req.socket as TLSSocket // it is served by HTTPS alone
const nonceSecret = createHash('sha256').update('the nonces of a test').digest()
