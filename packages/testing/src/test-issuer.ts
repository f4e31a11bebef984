// An OAuth issuer with real keys, in memory or listening, that a guard accepts as one of its `issuers`.
import type { JWK } from 'jose'
import { draftAccessToken, type TokenDraft, type TokenOptions } from './access-token.ts'
import { breakToken, type BrokenTokenKind } from './broken-token.ts'
import { listenAsIssuer, type IssuerServer } from './issuer-server.ts'
import { createKeyRing, type KeyRing } from './key-ring.ts'
import { signCompact } from './signing-key.ts'
import type { IssuerPassThrough, TestIssuerOptions } from './test-issuer-options.ts'

/** Makes an issuer with a new key. With `listen: true` it is up when the promise resolves: `close()` it after use. */
export async function createTestIssuer(options: TestIssuerOptions = {}): Promise<TestIssuer> {
  if (options.listen && options.issuer !== undefined) {
    throw new TypeError('`issuer`: a listening issuer is named by its port, leave `issuer` out')
  }
  const keys = await createKeyRing(options.alg ?? 'ES256')
  return new TestIssuer(options, keys, options.listen ? await listenAsIssuer(keys.jwks) : undefined)
}

/**
 * A test issuer, made by `createTestIssuer`. Its own enumerable properties are issuer options of the guard and nothing
 * else, so `createGuard({ audience, issuers: [idp] })` takes it as it is.
 */
export class TestIssuer {
  /** The issuer identifier: the `iss` of its tokens. */
  readonly issuer: string
  /** The published keys, when in memory. A guard reads them once, so rotation is for an issuer that listens. */
  declare readonly jwks?: { keys: JWK[] }
  /** PEM of the CA behind the HTTPS server, when listening. */
  declare readonly ca?: string
  declare readonly represents?: NonNullable<IssuerPassThrough['represents']>
  declare readonly workloadClaim?: string
  declare readonly trustDomains?: NonNullable<IssuerPassThrough['trustDomains']>
  declare readonly algorithms?: NonNullable<IssuerPassThrough['algorithms']>
  declare readonly audience?: NonNullable<IssuerPassThrough['audience']>
  declare readonly profile?: NonNullable<IssuerPassThrough['profile']>
  declare readonly scopeClaims?: NonNullable<IssuerPassThrough['scopeClaims']>
  declare readonly mayGrant?: NonNullable<IssuerPassThrough['mayGrant']>
  declare readonly subjects?: NonNullable<IssuerPassThrough['subjects']>
  declare readonly requiredClaims?: NonNullable<IssuerPassThrough['requiredClaims']>
  declare readonly isAccessToken?: NonNullable<IssuerPassThrough['isAccessToken']>
  declare readonly maxLifetimeSeconds?: number

  readonly #keys: KeyRing
  readonly #server: IssuerServer | undefined
  readonly #clock: { now(): number }

  constructor(options: TestIssuerOptions, keys: KeyRing, server: IssuerServer | undefined) {
    this.issuer = server?.origin ?? options.issuer ?? 'https://issuer.test'
    if (server) this.ca = server.ca
    else Object.defineProperty(this, 'jwks', { enumerable: true, get: keys.jwks })
    for (const name of passedThrough) {
      const value = options[name]
      if (value !== undefined) Object.defineProperty(this, name, { enumerable: true, value })
    }
    this.#keys = keys
    this.#server = server
    this.#clock = options.clock ?? Date
  }

  /**
   * A valid RFC 9068 access token of the workload `subject` (`sub` and `client_id`), or of `user` in its hands.
   * Without options it is for the audience `orders`, has no scopes and expires in five minutes.
   */
  async token(subject: string, options: TokenOptions = {}): Promise<string> {
    const { header, claims } = this.#draft(subject, options)
    return signCompact(header, claims, this.#keys.signingKey().sign)
  }

  /** The request headers that carry such a token. */
  async headersFor(subject: string, options: TokenOptions = {}): Promise<{ authorization: string }> {
    return { authorization: `Bearer ${await this.token(subject, options)}` }
  }

  /** The same token with one thing wrong. Options are applied first, then it is broken. */
  async broken(kind: BrokenTokenKind, subject: string, options: TokenOptions = {}): Promise<string> {
    return breakToken(kind, this.#draft(subject, options), this.#keys.signingKey(), this.#seconds(options))
  }

  /** Publishes a new key and signs with it. The old keys stay published. */
  async rotate(): Promise<void> {
    await this.#keys.rotate()
  }

  /** Publishes only the key that signs now, as an issuer does after a key was stolen. */
  withdrawOldKeys(): void {
    this.#keys.withdrawOldKeys()
  }

  /** How many times the key set was asked for over HTTPS, answered or not. Always 0 in memory. */
  get requests(): number {
    return this.#server?.requests() ?? 0
  }

  /** While `true`, a listening issuer answers everything with 503. */
  outage(isDown: boolean): void {
    if (!this.#server) throw new TypeError('only a listening issuer can be down, write `listen: true`')
    this.#server.outage(isDown)
  }

  /** Stops listening and drops open connections. Nothing to do in memory. */
  async close(): Promise<void> {
    await this.#server?.close()
  }

  /** For `await using`. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.close()
  }

  #draft(subject: string, options: TokenOptions): TokenDraft {
    const { alg, kid } = this.#keys.signingKey()
    const audience = [this.audience ?? 'orders'].flat()[0] ?? 'orders'
    return draftAccessToken(subject, options, {
      issuer: this.issuer,
      audience,
      alg,
      kid,
      now: this.#seconds(options),
    })
  }

  #seconds(options: TokenOptions): number {
    return Math.floor((options.now?.getTime() ?? this.#clock.now()) / 1000)
  }
}

const passedThrough = [
  'represents',
  'workloadClaim',
  'trustDomains',
  'algorithms',
  'audience',
  'profile',
  'scopeClaims',
  'mayGrant',
  'subjects',
  'requiredClaims',
  'isAccessToken',
  'maxLifetimeSeconds',
] as const satisfies readonly (keyof IssuerPassThrough)[]
