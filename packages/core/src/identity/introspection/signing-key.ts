import { createPrivateKey, createPublicKey, type JsonWebKey, type KeyObject } from 'node:crypto'
import { algorithms, isAlgorithm, keyFits, type Algorithm } from '../jws/algorithms.ts'
import { isRecord } from '../jws/json-object.ts'
import { parsePublicKey, type PublicJwk } from '../jws/public-key.ts'
import type { AssertionKey } from './client-authentication.ts'

/** What is wrong with a key or an algorithm, in words for whoever wrote it down. Nothing of a key is in it. */
export class KeyProblem {
  readonly option: 'key' | 'algorithm' | 'keyId'
  readonly problem: string

  constructor(option: KeyProblem['option'], problem: string) {
    this.option = option
    this.problem = problem
  }
}

/**
 * Parses the private key that this service signs with: PKCS#8 PEM, or a private JWK. Where the key admits one
 * algorithm only, or says which, none need be given.
 */
export function parseSigningKey(key: unknown, algorithm: unknown, keyId: unknown): AssertionKey | KeyProblem {
  const privateKey = importPrivateKey(key)
  if (privateKey === undefined) {
    return new KeyProblem('key', 'expected a private key: PEM (PKCS#8, not encrypted) or a private JWK')
  }
  const said: Record<string, unknown> = isRecord(key) ? key : {}
  if (!maySign(said)) return new KeyProblem('key', 'its `use` or `key_ops` does not allow it to sign')
  const jwk = publicHalf(privateKey)
  if (jwk === undefined) {
    return new KeyProblem(
      'key',
      'expected RSA of 2048 bits or more, EC on P-256, P-384 or P-521, Ed25519 or ML-DSA',
    )
  }
  const chosen = chooseAlgorithm(jwk, algorithm, said['alg'])
  if (chosen instanceof KeyProblem) return chosen
  const kid = keyId ?? said['kid']
  if (kid !== undefined && (typeof kid !== 'string' || kid === '')) {
    return new KeyProblem('keyId', 'expected the `kid` under which the authorization server knows the key')
  }
  return { privateKey, algorithm: chosen, keyId: kid }
}

function importPrivateKey(key: unknown): KeyObject | undefined {
  try {
    if (typeof key === 'string') return createPrivateKey(key)
    return isRecord(key) ? createPrivateKey({ key: key as JsonWebKey, format: 'jwk' }) : undefined // Node checks it
  } catch {
    return undefined // the reason could repeat a part of the key
  }
}

function publicHalf(privateKey: KeyObject): PublicJwk | undefined {
  try {
    const jwk = parsePublicKey(createPublicKey(privateKey).export({ format: 'jwk' }))
    return jwk === 'private' ? undefined : jwk
  } catch {
    return undefined // there are keys for which no JWK is defined
  }
}

// RFC 7517 §4.2, §4.3.
const maySign = ({ use, key_ops: operations }: Record<string, unknown>): boolean =>
  (use === undefined || use === 'sig') &&
  (operations === undefined || (Array.isArray(operations) && operations.includes('sign')))

function chooseAlgorithm(jwk: PublicJwk, given: unknown, said: unknown): Algorithm | KeyProblem {
  const fitting = algorithms.filter((name) => keyFits(jwk, name))
  if (given !== undefined && said !== undefined && given !== said) {
    return new KeyProblem('algorithm', 'the key names another `alg`: write the one, or leave one of them out')
  }
  const chosen = given ?? said ?? (fitting.length === 1 ? fitting[0] : undefined)
  if (isAlgorithm(chosen) && fitting.includes(chosen)) return chosen
  return new KeyProblem(
    'algorithm',
    `write the one that this service is registered with: ${fitting.join(' or ')}`,
  )
}
