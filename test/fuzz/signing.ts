// Signs any octets with any key in any way that the key allows, right or wrong.
import { constants, createHmac, sign, type KeyObject } from 'node:crypto'

/** What is signed with: a private key, or the octets of a shared secret. */
export type SigningKey = KeyObject | Uint8Array

export interface SigningOptions {
  /** Octets of salt in an RSA-PSS signature. Default: as many as the hash has (RFC 7518 §3.5). */
  readonly saltLength?: number
  /** `der` instead of the fixed-size form that JOSE asks for (RFC 7518 §3.4). */
  readonly ecdsaEncoding?: 'ieee-p1363' | 'der'
}

/** A signature by an algorithm's name (RFC 7518 §3.1). Throws where the key cannot make one. */
export function signatureBy(
  algorithm: string,
  key: SigningKey,
  input: string,
  options: SigningOptions = {},
): Buffer {
  const bits = /^[HRPE]S(256|384|512)$/.exec(algorithm)?.[1]
  if (key instanceof Uint8Array) {
    if (!algorithm.startsWith('HS')) throw new Error(`no ${algorithm} with a secret`)
    return createHmac(`sha${bits}`, key).update(input).digest()
  }
  const { saltLength = Number(bits) / 8, ecdsaEncoding: dsaEncoding = 'ieee-p1363' } = options
  const how = {
    key,
    ...(algorithm.startsWith('ES') ? { dsaEncoding } : {}),
    ...(algorithm.startsWith('PS') ? { padding: constants.RSA_PKCS1_PSS_PADDING, saltLength } : {}),
  }
  return sign(bits === undefined ? null : `sha${bits}`, Buffer.from(input), how)
}
