import { generateKeyPairSync } from 'node:crypto'
import { join } from 'node:path'
import { secretOf } from '../../issuers/support/clients.ts'
import type { Glewlwyd } from './glewlwyd.ts'

interface Places {
  readonly folder: string
  readonly parts: string
  readonly port: number
  /** Must not end in a slash, or Glewlwyd expects a double one in the `htu` of proofs. */
  readonly origin: string
}

/** The configuration file of the server. */
export const configurationOf = ({ folder, parts, port, origin }: Places): string => `
port=${port}
bind_address="127.0.0.1"
external_url="${origin}"
api_prefix="api"
log_mode="console"
log_level="ERROR"
session_key="session"
session_expiration=3600
cookie_secure=1
admin_scope="g_admin"
profile_scope="g_profile"
user_module_path="${join(parts, 'usr/lib/glewlwyd/user')}"
client_module_path="${join(parts, 'usr/lib/glewlwyd/client')}"
user_auth_scheme_module_path="${join(parts, 'usr/lib/glewlwyd/scheme')}"
plugin_module_path="${join(parts, 'usr/lib/glewlwyd/plugin')}"
use_secure_connection=true
secure_connection_key_file="${join(folder, 'server.key')}"
secure_connection_pem_file="${join(folder, 'server.crt')}"
secure_connection_ca_file="${join(folder, 'clients.crt')}"
hash_algorithm="SHA512"
database = { type="sqlite3"; path="${join(folder, 'glewlwyd.db')}"; };
`

/** Sets up an issuer of access tokens for one service, signed with a new ES256 key. */
export async function setUpIssuer(glewlwyd: Glewlwyd, resource: string): Promise<void> {
  const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' })
  const key = { ...privateKey.export({ format: 'jwk' }), kid: 'glewlwyd-1', alg: 'ES256', use: 'sig' }
  await glewlwyd.administer('/scope/', {
    name: 'orders:read',
    display_name: 'read',
    description: 'read orders',
    password_required: false,
    password_max_age: 0,
    scheme: {},
  })
  await glewlwyd.administer('/mod/plugin/', {
    module: 'oidc',
    name: 'oidc',
    display_name: 'OpenID Connect',
    parameters: {
      iss: glewlwyd.issuer,
      'jwt-type': 'ecdsa',
      'jwt-key-size': '256',
      'jwks-show': true,
      'jwks-private': JSON.stringify({ keys: [key] }),
      'default-kid': key.kid,
      'access-token-duration': 300,
      'refresh-token-duration': 600,
      'code-duration': 60,
      'refresh-token-rolling': true,
      'allow-non-oidc': true,
      'auth-type-code-enabled': false,
      'auth-type-token-enabled': false,
      'auth-type-id-token-enabled': true,
      'auth-type-none-enabled': false,
      'auth-type-password-enabled': true,
      'auth-type-client-enabled': true,
      'auth-type-refresh-enabled': true,
      'auth-type-device-enabled': false,
      'subject-type': 'public',
      'introspection-revocation-allowed': true,
      'introspection-revocation-allow-target-client': true,
      'oauth-dpop-allowed': true,
      'oauth-dpop-iat-duration': 60,
      'resource-allowed': true,
      'resource-scope': { 'orders:read': [resource] },
      'resource-client-property': '',
      'client-cert-source': 'TLS',
      'client-cert-use-endpoint-aliases': false,
      'request-parameter-allow': false,
    },
  })
}

/** Makes a client known, which authenticates by its secret. */
export async function addClient(glewlwyd: Glewlwyd, id: string, more: object = {}): Promise<void> {
  await glewlwyd.administer('/client/', {
    client_id: id,
    name: id,
    confidential: true,
    enabled: true,
    client_secret: secretOf(id),
    token_endpoint_auth_method: ['client_secret_basic'],
    authorization_type: ['client_credentials'],
    scope: ['orders:read'],
    redirect_uri: ['https://app.test.example/callback'],
    ...more,
  })
}
