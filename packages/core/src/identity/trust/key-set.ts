import type { CryptoKey, JWK } from 'jose'
import { keyFits, type Algorithm } from './algorithms.ts'
import { isRecord } from './json-object.ts'
import { loadJose } from './load-jose.ts'
import { Refusal, quoted } from '../../refusal.ts'

/** A public key that its issuer publishes today. What was verified with it dies when the issuer withdraws it. */
export class TrustedKey {
  readonly jwk: JWK
  /** Set once, when a newer set no longer has the key. */
  isWithdrawn = false
  readonly #imported = new Map<Algorithm, Promise<CryptoKey | Uint8Array>>()

  constructor(jwk: JWK) {
    this.jwk = jwk
  }

  /** The key bound to one algorithm. Imported on first use and kept. */
  import(algorithm: Algorithm): Promise<CryptoKey | Uint8Array> {
    let imported = this.#imported.get(algorithm)
    if (imported === undefined) {
      imported = loadJose().then(({ importJWK }) => importJWK(this.jwk, algorithm))
      this.#imported.set(algorithm, imported)
    }
    return imported
  }
}

/** All keys of one issuer at one time. A set is replaced as a whole, never merged: a withdrawn key must go. */
export class KeySet {
  readonly #keys: ReadonlyMap<string, TrustedKey>

  private constructor(keys: ReadonlyMap<string, TrustedKey>) {
    this.#keys = keys
  }

  /**
   * Parses a JWK Set (RFC 7517 §5) and withdraws what `previous` had and this one lacks. Keys of unknown kinds are
   * passed over, as the RFC asks. Throws an Error for the operator where the document is no key set at all, or
   * publishes private key material, which is then everybody's.
   */
  static parse(document: unknown, previous?: KeySet): KeySet {
    if (!isRecord(document) || !Array.isArray(document['keys'])) {
      throw new Error('expected a JWK Set with an array `keys`')
    }
    const keys = new Map<string, TrustedKey>()
    const before = previous === undefined ? undefined : previous.#keys
    for (const jwk of document['keys'].slice(0, maxKeys)) {
      if (!isRecord(jwk) || !isUsable(jwk)) continue
      const identity = JSON.stringify([
        jwk.kid,
        jwk.kty,
        jwk.crv,
        jwk.alg,
        jwk.use,
        jwk.key_ops,
        jwk.n,
        jwk.e,
        jwk.x,
        jwk.y,
      ])
      keys.set(identity, before?.get(identity) ?? new TrustedKey(jwk))
    }
    if (keys.size === 0) throw new Error('expected at least one usable public key')
    previous?.withdraw((identity) => !keys.has(identity))
    return new KeySet(keys)
  }

  /** The one key that may have made the signature. Several, or none, is a refusal: keys are never tried in turn. */
  find(algorithm: Algorithm, kid: string | undefined): TrustedKey | Refusal {
    let found: TrustedKey | undefined
    for (const key of this.#keys.values()) {
      if ((kid !== undefined && key.jwk.kid !== kid) || !keyFits(key.jwk, algorithm)) continue
      if (found !== undefined) {
        return new Refusal('key_ambiguous', {
          expected: `one key for ${named(algorithm, kid)}`,
          actual: 'several',
        })
      }
      found = key
    }
    return (
      found ??
      new Refusal('key_unknown', {
        expected: 'a key that the issuer publishes',
        actual: named(algorithm, kid),
      })
    )
  }

  withdraw(isGone: (identity: string) => boolean = () => true): void {
    for (const [identity, key] of this.#keys) if (isGone(identity)) key.isWithdrawn = true
  }
}

function isUsable(jwk: Record<string, unknown>): jwk is Record<string, unknown> & JWK {
  if (isPrivate(jwk)) {
    throw new Error('the key set publishes private or symmetric keys')
  }
  const { kty, kid, alg, use, key_ops: operations, n, e } = jwk
  if (![kid, alg, use].every((member) => member === undefined || typeof member === 'string')) return false
  if (
    operations !== undefined &&
    !(Array.isArray(operations) && operations.every((name) => typeof name === 'string'))
  ) {
    return false
  }
  if (kty === 'EC') {
    return typeof jwk['crv'] === 'string' && typeof jwk['x'] === 'string' && typeof jwk['y'] === 'string'
  }
  if (kty === 'OKP') return typeof jwk['crv'] === 'string' && typeof jwk['x'] === 'string'
  return kty === 'RSA' && typeof n === 'string' && typeof e === 'string' && isSaneRsa(n, e)
}

// 2048 bits is today's floor (RFC 7518 §3.3); a huge modulus or exponent makes every check expensive.
function isSaneRsa(n: string, e: string): boolean {
  const modulus = Buffer.from(n, 'base64url')
  const exponent = Buffer.from(e, 'base64url')
  // A leading zero is not how a number is written (RFC 7518 §6.3.1.1), and would make a short key look long.
  if (modulus[0] === 0) return false
  const bits = modulus.length * 8 - Math.clz32(modulus[0] ?? 0) + 24
  const isOdd = ((exponent.at(-1) ?? 0) & 1) === 1
  return bits >= 2048 && bits <= 8192 && isOdd && exponent.length <= 8 && exponent.compare(one) !== 0
}

const named = (algorithm: string, kid: string | undefined): string =>
  kid === undefined ? `${algorithm} without \`kid\`` : `${algorithm} and \`kid\` ${quoted(kid)}`

// RFC 7518 §6.2.2, §6.3.2, §6.4.1 and RFC 9964. Any part of an RSA key beside modulus and exponent gives all of it away.
const isPrivate = (jwk: Record<string, unknown>): boolean =>
  ['d', 'k', 'priv'].some((name) => name in jwk) ||
  (jwk['kty'] === 'RSA' && ['p', 'q', 'dp', 'dq', 'qi', 'oth'].some((name) => name in jwk))

const one = Buffer.from([1])
const maxKeys = 100
