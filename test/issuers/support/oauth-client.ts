import type { TestCertificate, TestProofKey } from '@countersign/testing'
import { secretOf } from './clients.ts'
import { send, type Answer, type Outgoing } from './send.ts'
import type { Service } from './service.ts'

/** Where a client gets its tokens. */
export interface TokenSource {
  /** Its name; its endpoints are below. */
  readonly issuer: string
  /** PEM of the authority behind its HTTPS certificate. */
  readonly ca: string
}

interface Credentials {
  readonly id: string
  /** Authenticates by it, in place of a secret (RFC 8705 §2). */
  readonly certificate?: TestCertificate
  /** Has its tokens bound to it (RFC 9449). */
  readonly proofKey?: TestProofKey
}

/** A client as services have one: it asks the issuer for tokens and calls services with them. */
export class OAuthClient {
  /** Every answer that it got, in order: what it was told by whom. */
  readonly answers: Answer[] = []
  readonly #issuer: TokenSource
  readonly #credentials: Credentials
  /** The newest nonce of each origin: a server's nonces are for that server alone (RFC 9449 §8.2). */
  readonly #nonces = new Map<string, string>()

  constructor(issuer: TokenSource, credentials: Credentials) {
    this.#issuer = issuer
    this.#credentials = credentials
  }

  /** Asks for a token (RFC 6749 §4.4 unless another grant is named). Rejects where none is given. */
  async token(form: Readonly<Record<string, string>>): Promise<string> {
    const { status, body } = await this.ask('/token', { grant_type: 'client_credentials', ...form })
    const { access_token: token, error } = JSON.parse(body) as { access_token?: string; error?: string } // RFC 6749 §5
    if (token === undefined) throw new Error(`the issuer answered ${status} ${error}`)
    return token
  }

  /** Posts a form to the issuer. */
  async ask(path: string, form: Readonly<Record<string, string>>): Promise<Answer> {
    const { id, certificate } = this.#credentials
    const basic = Buffer.from(`${id}:${secretOf(id)}`).toString('base64')
    return this.#send(`${this.#issuer.issuer}${path}`, undefined, {
      method: 'POST',
      ca: this.#issuer.ca,
      certificate,
      headers: {
        'content-type': 'application/x-www-form-urlencoded',
        ...(certificate === undefined ? { authorization: `Basic ${basic}` } : {}),
      },
      body: new URLSearchParams({ ...(certificate && { client_id: id }), ...form }).toString(),
    })
  }

  /** Calls a service with a token, in the way that goes with its own credentials. */
  async call(service: Service, path: string, token: string): Promise<Answer> {
    const { certificate, proofKey } = this.#credentials
    const { ca, port } = service
    const authorization = `${proofKey === undefined ? 'Bearer' : 'DPoP'} ${token}`
    return this.#send(`${service.url}${path}`, token, { ca, port, certificate, headers: { authorization } })
  }

  // RFC 9449 §8, §9: what a server answers may bring a nonce; where it asks for one, the request is made once more.
  async #send(url: string, token: string | undefined, outgoing: Outgoing): Promise<Answer> {
    const { origin } = new URL(url)
    const answer = await this.#sendOnce(url, token, outgoing)
    return asksForNonce(answer) && this.#nonces.has(origin) ? this.#sendOnce(url, token, outgoing) : answer
  }

  async #sendOnce(url: string, token: string | undefined, outgoing: Outgoing): Promise<Answer> {
    const { origin } = new URL(url)
    const { method = 'GET', headers } = outgoing
    const nonce = this.#nonces.get(origin)
    const dpop = await this.#credentials.proofKey?.proof({
      method,
      url,
      ...(token === undefined ? {} : { token }),
      ...(nonce === undefined ? {} : { nonce }),
    })
    const answer = await send(url, { ...outgoing, headers: { ...headers, ...(dpop && { dpop }) } })
    this.answers.push(answer)
    const fresh = answer.headers['dpop-nonce']
    if (typeof fresh === 'string') this.#nonces.set(origin, fresh)
    return answer
  }
}

const asksForNonce = ({ status, headers, body }: Answer): boolean =>
  (status === 400 && body.includes('"use_dpop_nonce"')) ||
  (status === 401 && (headers['www-authenticate'] ?? '').includes('error="use_dpop_nonce"'))
