import type { JWK } from 'jose'

/** A JWS algorithm that Countersign verifies. Never symmetric, never `none`. */
export type Algorithm =
  | 'RS256'
  | 'RS384'
  | 'RS512'
  | 'PS256'
  | 'PS384'
  | 'PS512'
  | 'ES256'
  | 'ES384'
  | 'ES512'
  | 'Ed25519'
  | 'EdDSA'

interface KeyShape {
  readonly kty: string
  readonly crv?: string
}

const rsa: KeyShape = { kty: 'RSA' }
const ed25519: KeyShape = { kty: 'OKP', crv: 'Ed25519' }

/** The one place that knows which kind of key an algorithm takes (RFC 7518 §3.1, RFC 8037 §3.1, RFC 9864). */
const keyShapes: ReadonlyMap<string, KeyShape> = new Map<Algorithm, KeyShape>([
  ['RS256', rsa],
  ['RS384', rsa],
  ['RS512', rsa],
  ['PS256', rsa],
  ['PS384', rsa],
  ['PS512', rsa],
  ['ES256', { kty: 'EC', crv: 'P-256' }],
  ['ES384', { kty: 'EC', crv: 'P-384' }],
  ['ES512', { kty: 'EC', crv: 'P-521' }],
  ['Ed25519', ed25519],
  ['EdDSA', ed25519], // deprecated name, bound to the one curve
])

export const algorithms: readonly Algorithm[] = [...keyShapes.keys()] as Algorithm[] // the keys are the type's members

export const isAlgorithm = (name: unknown): name is Algorithm =>
  typeof name === 'string' && keyShapes.has(name)

/**
 * True if the key may verify a signature made with the algorithm: type and curve fit, and what the key says of its
 * own use (`alg`, `use`, `key_ops`) does not speak against it (RFC 7517 §4.2-4.4).
 */
export function keyFits(jwk: JWK, algorithm: Algorithm): boolean {
  const shape = keyShapes.get(algorithm)
  return (
    shape !== undefined &&
    jwk.kty === shape.kty &&
    (shape.crv === undefined || jwk.crv === shape.crv) &&
    (jwk.alg === undefined || jwk.alg === algorithm) &&
    (jwk.use === undefined || jwk.use === 'sig') &&
    (jwk.key_ops === undefined || jwk.key_ops.includes('verify'))
  )
}
