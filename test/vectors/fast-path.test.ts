// Every compact JWS among the vectors: at once, on a thread, by WebCrypto and by jose the verdict is the same, on what was published and
// on what was changed in it.
import { compactVerify, decodeProtectedHeader, importJWK, type JWK } from 'jose'
import { describe, expect, test } from 'vitest'
import {
  isAlgorithm,
  isAvailable,
  type Algorithm,
  type SecretAlgorithm,
} from '../../packages/core/src/identity/jws/algorithms.ts'
import { parsePublicKey } from '../../packages/core/src/identity/jws/public-key.ts'
import { parseSecretKey } from '../../packages/core/src/identity/jws/secret-key.ts'
import {
  importKey,
  isSignedWith,
  type By,
  type ImportedKey,
} from '../../packages/core/src/identity/jws/verify-signature.ts'
import { present } from '../core/support/asking.ts'
import proofs from './dpop.json' with { type: 'json' }
import signed from './jws.json' with { type: 'json' }
import svids from './jwt-svid.json' with { type: 'json' }
import tokens from './rfc-tokens.json' with { type: 'json' }
import { signedText } from '../core/support/signed-text.ts'

interface Vector {
  readonly origin: string
  readonly jws: string
  readonly jwk: JWK
}

const vectors: readonly Vector[] = [
  ...signed.signed,
  ...tokens.tokens.flatMap(({ rfc, token, jwk }) => (jwk === null ? [] : { origin: rfc, jws: token, jwk })),
  ...svids.map(({ description, token, jwk }) => ({ origin: description, jws: token, jwk })),
  ...proofs.proofs.map(({ origin, proof }) => ({
    origin: `${origin}, a proof`,
    jws: proof,
    jwk: present(decodeProtectedHeader(proof).jwk),
  })),
]

const everyWay: readonly By[] = ['loop', 'thread', 'webcrypto']

async function keyOf(jwk: JWK, algorithm: Algorithm | SecretAlgorithm): Promise<ImportedKey> {
  if (!isAlgorithm(algorithm)) return present(parseSecretKey(jwk)).octets
  const key = parsePublicKey(jwk)
  if (key === undefined || key === 'private') throw new Error('expected a public key')
  return importKey(key, algorithm)
}

describe.each(vectors)('$origin', ({ jws, jwk }) => {
  const algorithm = decodeProtectedHeader(jws).alg as Algorithm | SecretAlgorithm // it is one of the vectors
  const isMissing = isAlgorithm(algorithm) && !isAvailable(algorithm)
  const aloud = isMissing ? ` (skipped: Node ${process.versions.node} has no ${algorithm})` : ''

  test.skipIf(isMissing)(`is judged alike by all${aloud}`, async () => {
    const [key, joseKey] = [await keyOf(jwk, algorithm), await importJWK(jwk, algorithm)]
    const [header = '', payload = '', signature = ''] = jws.split('.')
    const octets = Buffer.from(signature, 'base64url')
    const verdicts = async (input: string, made: Uint8Array): Promise<readonly boolean[]> => {
      const text = `${input}.${Buffer.from(made).toString('base64url')}`
      const ours = everyWay.map(async (by) => isSignedWith(signedText(text), key, algorithm, by))
      const jose = compactVerify(text, joseKey).then(
        () => true,
        () => false,
      )
      return Promise.all([...ours, jose])
    }
    const [allYes, allNo] = [Array(4).fill(true), Array(4).fill(false)]
    expect(await verdicts(`${header}.${payload}`, octets)).toEqual(allYes)
    expect(await verdicts(`${header}.${payload}AAAA`, octets)).toEqual(allNo)
    const step = Math.ceil(octets.length / 32)
    for (let at = 0; at < octets.length; at += step) {
      const changed = Buffer.from(octets)
      changed[at] = (changed[at] ?? 0) ^ (1 << (at % 8))
      expect(await verdicts(`${header}.${payload}`, changed), `octet ${at}`).toEqual(allNo)
    }
    for (const other of [
      octets.subarray(1),
      octets.subarray(0, -1),
      Buffer.concat([Buffer.alloc(1), octets]),
    ]) {
      expect(await verdicts(`${header}.${payload}`, other), `${other.length} octets`).toEqual(allNo)
    }
  })
})

test('the vectors are all there', () => {
  expect(vectors).toHaveLength(12 + 3 + 4 + 2)
})
