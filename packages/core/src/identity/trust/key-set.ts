import type { Refusal } from '../../refusal.ts'
import { keyFits, type Algorithm } from '../jws/algorithms.ts'
import type { PublicJwk } from '../jws/public-key.ts'
import { selectKey } from '../jws/select-key.ts'
import { importKey, type ReadyKey } from '../jws/verify-signature.ts'
import { parseJwkSet } from './jwk-set.ts'
import { parseSpiffeBundle } from './spiffe-bundle.ts'

/** A public key that its issuer publishes today. What was verified with it dies when the issuer withdraws it. */
export class TrustedKey {
  readonly jwk: PublicJwk
  /** Set once, when a newer set no longer has the key. */
  isWithdrawn = false
  readonly #ready = new Map<Algorithm, ReadyKey | Promise<ReadyKey>>()

  constructor(jwk: PublicJwk) {
    this.jwk = jwk
  }

  get kid(): string | undefined {
    return this.jwk.kid
  }

  /** The key bound to one algorithm. Made ready on first use and kept; from then on it is there at once. */
  import(algorithm: Algorithm): ReadyKey | Promise<ReadyKey> {
    const ready = this.#ready.get(algorithm)
    if (ready !== undefined) return ready
    const imported = importKey(this.jwk, algorithm).then((key) => {
      this.#ready.set(algorithm, key)
      return key
    })
    this.#ready.set(algorithm, imported)
    return imported
  }
}

/** In which form keys are published: a JWK Set (RFC 7517 §5), or the bundle of a SPIFFE trust domain. */
export type KeyFormat = 'jwks' | 'spiffe-bundle'

/** All keys of one issuer at one time. A set is replaced as a whole, never merged: a withdrawn key must go. */
export class KeySet {
  readonly #keys: ReadonlyMap<string, TrustedKey>

  private constructor(keys: ReadonlyMap<string, TrustedKey>) {
    this.#keys = keys
  }

  /**
   * Parses published keys and withdraws what `previous` had and this set lacks. Throws an Error for the operator, and
   * changes nothing, where the document is unusable: see `parseJwkSet` and `parseSpiffeBundle`.
   */
  static parse(document: unknown, format: KeyFormat = 'jwks', previous?: KeySet): KeySet {
    const published = format === 'jwks' ? parseJwkSet(document) : parseSpiffeBundle(document)
    const before = previous === undefined ? undefined : previous.#keys
    const keys = new Map<string, TrustedKey>()
    for (const jwk of published) {
      const identity = identityOf(jwk)
      keys.set(identity, before?.get(identity) ?? new TrustedKey(jwk))
    }
    previous?.withdraw((identity) => !keys.has(identity))
    return new KeySet(keys)
  }

  get size(): number {
    return this.#keys.size
  }

  /** The `kid`s that `next` lacks. */
  lackedBy(next: KeySet): ReadonlySet<string | undefined> {
    const kids = new Set([...this.#keys.values()].map(({ kid }) => kid))
    for (const { kid } of next.#keys.values()) kids.delete(kid)
    return kids
  }

  /** The one key that may have made the signature. Several, or none, is a refusal: keys are never tried in turn. */
  find(algorithm: Algorithm, kid: string | undefined): TrustedKey | Refusal {
    return selectKey(this.#keys.values(), { alg: algorithm, kid }, ({ jwk }) => keyFits(jwk, algorithm))
  }

  withdraw(isGone: (identity: string) => boolean = () => true): void {
    for (const [identity, key] of this.#keys) if (isGone(identity)) key.isWithdrawn = true
  }
}

/** All that decides what a key verifies. Two entries that agree in it are one key, whatever else they say. */
const identityOf = ({ kid, kty, crv, alg, use, key_ops, n, e, x, y, pub }: PublicJwk): string =>
  JSON.stringify([kid, kty, crv, alg, use, key_ops?.toSorted(), n, e, x, y, pub])
