// Signs whatever it is given, octet by octet: what no decent JOSE library would put into a token.
import { generateKeyPairSync, sign, type JsonWebKey, type KeyObject } from 'node:crypto'

export type RawAlgorithm = 'ES256' | 'ES384' | 'RS256' | 'PS256' | 'RS512' | 'Ed25519'

/** Text and octets are taken as they are, anything else as JSON. */
export type Part = string | Uint8Array | object

export interface RawSigner {
  /** As published, without `kid`, `alg` or `use`. */
  readonly jwk: JsonWebKey
  readonly publicKey: KeyObject
  readonly privateKey: KeyObject
  /** A compact JWS: exactly this header over exactly this payload. */
  jws(header: Part, payload: Part): string
  /** The signature over an input that is put together by hand, in base64url. */
  signature(input: string): string
}

export function createRawSigner(algorithm: RawAlgorithm = 'ES256', modulusLength = 2048): RawSigner {
  const { publicKey, privateKey } = generate(algorithm, modulusLength)
  const signature = (input: string): string => {
    const key = {
      key: privateKey,
      ...(algorithm.startsWith('ES') ? { dsaEncoding: 'ieee-p1363' as const } : {}),
      ...(algorithm === 'PS256' ? { padding: 6, saltLength: 32 } : {}),
    }
    return sign(hashes[algorithm], Buffer.from(input), key).toString('base64url')
  }
  return {
    jwk: publicKey.export({ format: 'jwk' }),
    publicKey,
    privateKey,
    signature,
    jws(header, payload) {
      const input = `${segment(header)}.${segment(payload)}`
      return `${input}.${signature(input)}`
    },
  }
}

/** One segment of a compact JWS. */
export function segment(part: Part): string {
  if (part instanceof Uint8Array) return Buffer.from(part).toString('base64url')
  return Buffer.from(typeof part === 'string' ? part : JSON.stringify(part)).toString('base64url')
}

function generate(algorithm: RawAlgorithm, modulusLength: number) {
  if (algorithm === 'ES256') return generateKeyPairSync('ec', { namedCurve: 'P-256' })
  if (algorithm === 'ES384') return generateKeyPairSync('ec', { namedCurve: 'P-384' })
  if (algorithm === 'Ed25519') return generateKeyPairSync('ed25519')
  return generateKeyPairSync('rsa', { modulusLength })
}

const hashes: Record<RawAlgorithm, string | null> = {
  ES256: 'sha256',
  ES384: 'sha384',
  RS256: 'sha256',
  PS256: 'sha256',
  RS512: 'sha512',
  Ed25519: null,
}
