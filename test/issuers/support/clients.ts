// Whom the provider knows.
import type { ClientCredentials, ClientMetadata, Configuration } from 'oidc-provider'

export const tokenExchange = 'urn:ietf:params:oauth:grant-type:token-exchange'

/** The SPIFFE ID under which the provider knows the client `payments`, which authenticates by certificate. */
export const paymentsId = 'spiffe://test.example/payments'

/** Where the web application's codes are sent. Nobody listens there. */
export const callback = 'https://app.test.example/callback'

/** The claim that tells the services of the shop by which SPIFFE ID they know this client. */
export const spiffeIdOf = ({ clientId }: Pick<ClientCredentials, 'clientId'>): { spiffe_id?: string } =>
  clientId === 'payments' ? { spiffe_id: paymentsId } : {}

export const secretOf = (id: string): string => `secret-of-the-service-${id}`

export const clientDefaults: NonNullable<Configuration['clientDefaults']> = {
  grant_types: ['client_credentials'],
  redirect_uris: [],
  response_types: [],
  id_token_signed_response_alg: 'ES256',
  introspection_signed_response_alg: 'ES256',
  token_endpoint_auth_method: 'client_secret_basic',
}

export const clients: ClientMetadata[] = [
  { client_id: 'checkout', client_secret: secretOf('checkout') },
  { client_id: 'reports', client_secret: secretOf('reports'), dpop_bound_access_tokens: true },
  {
    client_id: 'payments',
    token_endpoint_auth_method: 'tls_client_auth',
    tls_client_auth_san_uri: paymentsId,
    tls_client_certificate_bound_access_tokens: true,
  },
  // Services between a user and the next service.
  { client_id: 'gateway', client_secret: secretOf('gateway'), grant_types: [tokenExchange] },
  { client_id: 'basket', client_secret: secretOf('basket'), grant_types: [tokenExchange] },
  // A service that asks what opaque tokens mean.
  { client_id: 'ledger', client_secret: secretOf('ledger') },
  {
    client_id: 'app',
    token_endpoint_auth_method: 'none',
    grant_types: ['authorization_code'],
    redirect_uris: [callback],
    response_types: ['code'],
  },
]
