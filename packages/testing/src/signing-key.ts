// A token signing key: made with jose, used through Web Crypto. jose rightly refuses to sign what a hostile token needs
// (an unknown `crit`, a lying `alg`), so the compact form is put together here.
import { webcrypto } from 'node:crypto'
import { calculateJwkThumbprint, exportJWK, exportSPKI, generateKeyPair, type JWK } from 'jose'

/** The JWS algorithms a test issuer can sign with. `EdDSA` and `Ed25519` are two names of one algorithm. */
export type SigningAlgorithm = 'ES256' | 'RS256' | 'PS256' | 'EdDSA' | 'Ed25519'

/** A key pair that signs tokens. The private key stays inside. */
export interface SigningKey {
  readonly alg: SigningAlgorithm
  /** The key's RFC 7638 thumbprint. */
  readonly kid: string
  /** As published in a JWK Set: with `kid`, `alg` and `use`, without private members. */
  readonly publicJwk: JWK
  /** The public key as SPKI PEM. */
  readonly publicPem: string
  /** Signs, with nothing asked about what. */
  readonly sign: (input: Uint8Array) => Promise<Uint8Array>
}

/** Makes a new key pair for `alg`. RSA keys have 2048 bits. */
export async function createSigningKey(alg: SigningAlgorithm): Promise<SigningKey> {
  const { publicKey, privateKey } = await generateKeyPair(alg, { extractable: true })
  const jwk = await exportJWK(publicKey)
  const kid = await calculateJwkThumbprint(jwk)
  return {
    alg,
    kid,
    publicJwk: { ...jwk, kid, alg, use: 'sig' },
    publicPem: await exportSPKI(publicKey),
    sign: async (input) =>
      new Uint8Array(await webcrypto.subtle.sign(signParameters[alg], privateKey, input)),
  }
}

/** Serialises and signs a JWS in compact form. Members that are `undefined` are left out. */
export async function signCompact(
  header: Readonly<Record<string, unknown>>,
  claims: Readonly<Record<string, unknown>>,
  sign: SigningKey['sign'],
): Promise<string> {
  const input = `${base64urlJson(header)}.${base64urlJson(claims)}`
  return `${input}.${Buffer.from(await sign(Buffer.from(input))).toString('base64url')}`
}

/** The base64url of a value's JSON: one segment of a compact JWS. */
export function base64urlJson(value: unknown): string {
  return Buffer.from(JSON.stringify(value)).toString('base64url')
}

const signParameters: Record<
  SigningAlgorithm,
  webcrypto.Algorithm | webcrypto.EcdsaParams | webcrypto.RsaPssParams
> = {
  ES256: { name: 'ECDSA', hash: 'SHA-256' },
  RS256: { name: 'RSASSA-PKCS1-v1_5' },
  PS256: { name: 'RSA-PSS', saltLength: 32 },
  EdDSA: { name: 'Ed25519' },
  Ed25519: { name: 'Ed25519' },
}
