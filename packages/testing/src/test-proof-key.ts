// A key that a caller proves to hold by DPoP (RFC 9449).
import { createHash, randomUUID } from 'node:crypto'
import { createSigningKey, signCompact, type SigningAlgorithm, type SigningKey } from './signing-key.ts'

/** What a proof is for, and how it differs from a correct one. */
export interface ProofOptions {
  /** The method of the request. Default: `GET`. */
  readonly method?: string
  /** The URL of the request, as the caller sees it: its `htu` is this without query and fragment. */
  readonly url: string
  /** The access token beside it, for `ath`. */
  readonly token?: string
  /** What the service gave in `DPoP-Nonce`. */
  readonly nonce?: string
  /** When it is made. Default: what the key's clock shows. */
  readonly now?: Date
  /** Claims to add or replace; `undefined` leaves a claim out. */
  readonly claims?: Readonly<Record<string, unknown>>
  /** Header members to add or replace; `undefined` leaves a member out. */
  readonly header?: Readonly<Record<string, unknown>>
}

/** Makes a key pair to prove tokens with. */
export async function createTestProofKey(
  options: { readonly alg?: SigningAlgorithm; readonly clock?: { now(): number } } = {},
): Promise<TestProofKey> {
  return new TestProofKey(await createSigningKey(options.alg ?? 'ES256'), options.clock ?? Date)
}

/** A key of a caller, made by `createTestProofKey`. The private key stays inside. */
export class TestProofKey {
  /** RFC 7638 thumbprint: the `jkt` of tokens that are bound to it. */
  readonly thumbprint: string
  readonly #key: SigningKey
  readonly #clock: { now(): number }

  constructor(key: SigningKey, clock: { now(): number }) {
    this.thumbprint = key.kid
    this.#key = key
    this.#clock = clock
  }

  /** A proof for one request: the value of its `DPoP` field. */
  async proof(options: ProofOptions): Promise<string> {
    const { method = 'GET', url, token, nonce, now, claims, header } = options
    const { kid: _kid, use: _use, alg: _alg, ...jwk } = this.#key.publicJwk
    return signCompact(
      { typ: 'dpop+jwt', alg: this.#key.alg, jwk, ...header },
      {
        jti: randomUUID(),
        htm: method,
        htu: url.replace(/[?#].*$/s, ''),
        iat: Math.floor((now?.getTime() ?? this.#clock.now()) / 1000),
        ath: token === undefined ? undefined : createHash('sha256').update(token).digest('base64url'),
        nonce,
        ...claims,
      },
      this.#key.sign,
    )
  }

  /** The request headers that carry a token bound to this key, and a proof for one request. */
  async headersFor(
    token: string,
    options: Omit<ProofOptions, 'token'>,
  ): Promise<{ authorization: string; dpop: string }> {
    return { authorization: `DPoP ${token}`, dpop: await this.proof({ ...options, token }) }
  }
}
