// How a service gets its own access token: the client credentials grant, with no secret ever sent.
import { randomUUID } from 'node:crypto'
import { SignJWT, importJWK, type JWK } from 'jose'
import { sendRequest } from './send-request.ts'

/** A client of an issuer, as the client itself knows it. */
export interface OAuthClient {
  readonly issuer: string
  /** Where it gives tokens. */
  readonly tokenEndpoint: string
  /** PEM of the authority behind the issuer's certificate. */
  readonly ca: string
  readonly id: string
  readonly privateKey: JWK
}

export interface WantedToken {
  /** The service that the token is to be shown to (RFC 8707 calls it `resource`). */
  readonly audience: string
  readonly scope: string
}

/** Asks the issuer for a token. Rejects where the issuer gives none. */
export async function obtainToken(client: OAuthClient, { audience, scope }: WantedToken): Promise<string> {
  const form = new URLSearchParams({
    grant_type: 'client_credentials',
    resource: audience,
    scope,
    client_id: client.id,
    client_assertion_type: 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer',
    client_assertion: await signAssertion(client),
  })
  const { status, body } = await sendRequest({
    method: 'POST',
    url: client.tokenEndpoint,
    authorization: [],
    body: form,
    ca: client.ca,
  })
  const { access_token: token, error }: { access_token?: string; error?: string } = JSON.parse(body)
  if (token === undefined) throw new Error(`the issuer answered ${status} ${error} to ${client.id}`)
  return token
}

// RFC 7523 §3: a statement about itself, signed by its own key, good for one use at this issuer.
async function signAssertion({ issuer, id, privateKey }: OAuthClient): Promise<string> {
  return new SignJWT()
    .setProtectedHeader({ alg: 'ES256' })
    .setIssuer(id)
    .setSubject(id)
    .setAudience(issuer)
    .setJti(randomUUID())
    .setIssuedAt()
    .setExpirationTime('1m')
    .sign(await importJWK(privateKey, 'ES256'))
}
