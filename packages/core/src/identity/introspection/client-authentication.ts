import type { KeyObject } from 'node:crypto'
import type { Clock } from '../../clock/clock.ts'
import type { Algorithm } from '../jws/algorithms.ts'
import { loadSigner } from '../jws/load-jose.ts'

/** What goes into one request to an authorization server, so that it knows who asks. */
export interface ClientCredentials {
  /** Lower-case names. */
  readonly headers: Readonly<Record<string, string>>
  /** Members of the form beside what is asked. */
  readonly form: Readonly<Record<string, string>>
  /** What the connection is made with. */
  readonly tls: { readonly cert?: string; readonly key?: string }
}

/**
 * How this service authenticates at an authorization server. Secrets stay in the closure that uses them: whoever prints
 * or inspects one of these sees none.
 */
export interface ClientAuthentication {
  readonly method: 'private_key_jwt' | 'mtls' | 'client_secret_basic' | 'client_secret_post'
  readonly clientId: string
  /** Made anew for every request, since an assertion counts once. Rejects where signing fails. */
  credentials(): Promise<ClientCredentials>
}

export interface AssertionKey {
  readonly privateKey: KeyObject
  readonly algorithm: Algorithm
  readonly keyId: string | undefined
}

interface AssertionOptions extends AssertionKey {
  readonly clientId: string
  /** The identifier of the authorization server. */
  readonly issuer: string
  readonly clock: Clock
  /** A fresh, unguessable id. */
  readonly newId: () => string
}

/** `private_key_jwt` (OIDC Core §9; RFC 7523 §2.2 as updated by RFC 10070). */
export function privateKeyJwt(options: AssertionOptions): ClientAuthentication {
  const { clientId, issuer, privateKey, algorithm, keyId, clock, newId } = options
  const header = {
    alg: algorithm,
    typ: 'client-authentication+jwt', // RFC 10070: no other kind of JWT passes for this one
    ...(keyId === undefined ? {} : { kid: keyId }),
  }
  return authentication('private_key_jwt', clientId, async () => {
    const iat = Math.floor(clock.now() / 1000)
    // The audience is the issuer and nothing else: a server in between could use the assertion elsewhere (RFC 10070).
    const claims = {
      iss: clientId,
      sub: clientId,
      aud: issuer,
      iat,
      exp: iat + lifetimeSeconds,
      jti: newId(),
    }
    const Signer = await loadSigner()
    const assertion = await new Signer(Buffer.from(JSON.stringify(claims)))
      .setProtectedHeader(header)
      .sign(privateKey)
    return {
      headers: {},
      form: {
        client_assertion_type: 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer',
        client_assertion: assertion,
      },
      tls: {},
    }
  })
}

/** `tls_client_auth` and `self_signed_tls_client_auth` (RFC 8705 §2): the connection proves it, the form says who. */
export function mutualTls(clientId: string, cert: string, key: string): ClientAuthentication {
  const credentials = { headers: {}, form: { client_id: clientId }, tls: { cert, key } }
  return authentication('mtls', clientId, () => Promise.resolve(credentials))
}

/** `client_secret_basic`: both halves are form-encoded before they are joined (RFC 6749 §2.3.1). */
export function clientSecretBasic(clientId: string, secret: string): ClientAuthentication {
  const pair = `${formEncoded(clientId)}:${formEncoded(secret)}`
  const authorization = `Basic ${Buffer.from(pair).toString('base64')}`
  const credentials = { headers: { authorization }, form: {}, tls: {} }
  return authentication('client_secret_basic', clientId, () => Promise.resolve(credentials))
}

/** `client_secret_post`, for servers that know nothing better (RFC 6749 §2.3.1). */
export function clientSecretPost(clientId: string, secret: string): ClientAuthentication {
  const credentials = { headers: {}, form: { client_id: clientId, client_secret: secret }, tls: {} }
  return authentication('client_secret_post', clientId, () => Promise.resolve(credentials))
}

const authentication = (
  method: ClientAuthentication['method'],
  clientId: string,
  credentials: ClientAuthentication['credentials'],
): ClientAuthentication => Object.freeze({ method, clientId, credentials })

const formEncoded = (text: string): string => new URLSearchParams([['', text]]).toString().slice(1)

/** An assertion is used at once. Longer only helps whoever stole it. */
const lifetimeSeconds = 60
