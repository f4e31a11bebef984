// Signs whatever it is given, octet by octet: what no decent JOSE library would put into a token.
import { generateKeyPairSync, sign, type JsonWebKey, type KeyObject } from 'node:crypto'

export type RawAlgorithm = `${'RS' | 'PS' | 'ES'}${256 | 384 | 512}` | 'Ed25519' | `ML-DSA-${44 | 65 | 87}`

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
  const bits = /^[RPE]S(\d+)$/.exec(algorithm)?.[1]
  const signature = (input: string): string => {
    const key = {
      key: privateKey,
      ...(algorithm.startsWith('ES') ? { dsaEncoding: 'ieee-p1363' as const } : {}),
      ...(algorithm.startsWith('PS') ? { padding: 6, saltLength: Number(bits) / 8 } : {}),
    }
    return sign(bits === undefined ? null : `sha${bits}`, Buffer.from(input), key).toString('base64url')
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

interface KeyPair {
  readonly publicKey: KeyObject
  readonly privateKey: KeyObject
}

/** One segment of a compact JWS. */
export function segment(part: Part): string {
  if (part instanceof Uint8Array) return Buffer.from(part).toString('base64url')
  return Buffer.from(typeof part === 'string' ? part : JSON.stringify(part)).toString('base64url')
}

function generate(algorithm: RawAlgorithm, modulusLength: number): KeyPair {
  const curve = curves.get(algorithm)
  if (curve !== undefined) return generateKeyPairSync('ec', { namedCurve: curve })
  if (algorithm === 'Ed25519') return generateKeyPairSync('ed25519')
  if (algorithm.startsWith('ML-DSA')) return generateMlDsa(algorithm.toLowerCase())
  return generateKeyPairSync('rsa', { modulusLength })
}

// Node's types are those of its oldest supported version, which has none of these.
const generateMlDsa = generateKeyPairSync as unknown as (type: string) => KeyPair

const curves: ReadonlyMap<RawAlgorithm, string> = new Map([
  ['ES256', 'P-256'],
  ['ES384', 'P-384'],
  ['ES512', 'P-521'],
])
