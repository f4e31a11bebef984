// Tokens as issuers make them, each distinct, and each a new string for whoever verifies it, as from a socket.
import { generateKeyPairSync, randomBytes, sign, type JsonWebKey, type KeyObject } from 'node:crypto'

export const benchAlgorithms = ['RS256', 'PS256', 'ES256', 'EdDSA'] as const
export type BenchAlgorithm = (typeof benchAlgorithms)[number]

export const issuer = 'https://idp.internal'
export const audience = 'https://orders.internal'

/** What verifiers know of an issuer. */
export interface Keys {
  readonly algorithm: BenchAlgorithm
  readonly publicKey: KeyObject
  readonly jwk: JsonWebKey & { readonly kid: string }
}

export interface Signer extends Keys {
  token(changes?: object, header?: object): string
}

export function createSigner(algorithm: BenchAlgorithm): Signer {
  const { publicKey, privateKey } = keysFor(algorithm)
  const now = Math.floor(Date.now() / 1000)
  const options = signing(algorithm)
  // A key in an object takes Node 24 as long as the signature does.
  const key = Object.keys(options).length === 0 ? privateKey : { key: privateKey, ...options }
  return {
    algorithm,
    publicKey,
    jwk: { ...publicKey.export({ format: 'jwk' }), kid: 'key-1', alg: algorithm, use: 'sig' },
    token(changes = {}, header = {}) {
      const claims = {
        iss: issuer,
        aud: audience,
        sub: 'checkout',
        client_id: 'checkout',
        iat: now,
        exp: now + 3600,
        jti: randomBytes(8).toString('hex'),
        scope: scopes,
        ...changes,
      }
      const input = `${segment({ alg: algorithm, kid: 'key-1', typ: 'at+jwt', ...header })}.${segment(claims)}`
      return `${input}.${sign(digestOf(algorithm), Buffer.from(input), key).toString('base64url')}`
    },
  }
}

/**
 * The headers of one request after the other, with these tokens in rotation. Each is a string of its own, made of the octets that a client
 * has sent: whoever looks it up has to read all of it.
 */
export function arriving(tokens: readonly string[]): () => string {
  const sent = tokens.map((token) => Buffer.from(`${scheme}${token}`, 'latin1'))
  let next = 0
  return () => sent[next++ % sent.length]?.toString('latin1') ?? ''
}

/** The token in such a header, as verifiers are given it. */
export const tokenIn = (header: string): string => header.slice(scheme.length)

const scheme = 'Bearer '

export const digestOf = (algorithm: BenchAlgorithm): 'sha256' | null =>
  algorithm === 'EdDSA' ? null : 'sha256'

export const signing = (algorithm: BenchAlgorithm): object => {
  if (algorithm === 'PS256') return { padding: 6, saltLength: 32 }
  return algorithm === 'ES256' ? { dsaEncoding: 'ieee-p1363' } : {}
}

export const segment = (value: object): string => Buffer.from(JSON.stringify(value)).toString('base64url')

function keysFor(algorithm: BenchAlgorithm): { publicKey: KeyObject; privateKey: KeyObject } {
  if (algorithm === 'EdDSA') return generateKeyPairSync('ed25519')
  return algorithm === 'ES256'
    ? generateKeyPairSync('ec', { namedCurve: 'P-256' })
    : generateKeyPairSync('rsa', { modulusLength: 2048 })
}

/** Ten scopes, of which the route asks the first. With these, a token signed by RSA has 700 B, as most measurements of others have. */
const scopes = ['orders:read', ...Array.from({ length: 9 }, (_, i) => `r${i}:get`)].join(' ')
