import type { JWK } from 'jose'
import { createSigningKey, type SigningAlgorithm, type SigningKey } from './signing-key.ts'

/** An issuer's keys: the newest one signs, all of them are published. */
export interface KeyRing {
  /** The key that signs now. */
  readonly signingKey: () => SigningKey
  /** The JWK Set as it is published now. */
  readonly jwks: () => { keys: JWK[] }
  /** Adds a new key and signs with it from now on. */
  readonly rotate: () => Promise<void>
  /** Publishes only the key that signs now. */
  readonly withdrawOldKeys: () => void
}

/** Makes a ring with one key; all its keys are for `alg`. */
export async function createKeyRing(alg: SigningAlgorithm): Promise<KeyRing> {
  let current = await createSigningKey(alg)
  let published = [current]
  return {
    signingKey: () => current,
    jwks: () => ({ keys: published.map((key) => ({ ...key.publicJwk })) }),
    async rotate() {
      current = await createSigningKey(alg)
      published = [...published, current]
    },
    withdrawOldKeys() {
      published = [current]
    },
  }
}
