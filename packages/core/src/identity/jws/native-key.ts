import { KeyObject, createPublicKey, verify } from 'node:crypto'
import type { CryptoKey } from 'jose'
import { derValue } from '../certificate/der-writer.ts'
import { contextContainer, tags } from '../certificate/der.ts'
import type { Algorithm } from './algorithms.ts'

/**
 * A public key with which the platform verifies at once, in the turn in which it is asked: no promise, no thread. It is handed to
 * OpenSSL bare, never in an object with options, which on Node 24 costs as much again as the signature check itself; so what options
 * would say is in the key (PSS) or in the signature (DER).
 */
export class NativeKey {
  readonly #key: KeyObject
  readonly #digest: string | undefined
  /** Octets of each of the two numbers of an ECDSA signature; 0 for other kinds. */
  readonly #numberLength: number

  private constructor(key: KeyObject, digest: string | undefined, numberLength: number) {
    this.#key = key
    this.#digest = digest
    this.#numberLength = numberLength
  }

  /** Undefined for algorithms that are left to WebCrypto. `key` is one that it has taken for this very algorithm. */
  static from(key: CryptoKey, algorithm: Algorithm): NativeKey | undefined {
    const digest = `sha${algorithm.slice(2)}`
    const keyObject = KeyObject.from(key)
    if (algorithm.startsWith('RS')) return new NativeKey(keyObject, digest, 0)
    if (algorithm.startsWith('PS')) return new NativeKey(pssKey(keyObject, algorithm), digest, 0)
    if (algorithm === 'Ed25519' || algorithm === 'EdDSA') return new NativeKey(keyObject, undefined, 0)
    const numberLength = numberLengths.get(algorithm)
    return numberLength === undefined ? undefined : new NativeKey(keyObject, digest, numberLength)
  }

  /** Whether the key made the signature. Never throws. */
  verifies(input: Uint8Array, signature: Uint8Array): boolean {
    const spelled = this.#spelled(signature)
    if (spelled === undefined) return false
    try {
      return verify(this.#digest, input, this.#key, spelled)
    } catch {
      return false
    }
  }

  /** The same on a thread of the pool. Never rejects. */
  verifiesAside(input: Uint8Array, signature: Uint8Array): Promise<boolean> {
    const spelled = this.#spelled(signature)
    if (spelled === undefined) return Promise.resolve(false)
    return new Promise<boolean>((resolve) => {
      verify(this.#digest, input, this.#key, spelled, (error, isSigned) =>
        resolve(error === null && isSigned),
      )
    }).catch(() => false)
  }

  /** As OpenSSL reads it; undefined for one that is too short or too long. */
  #spelled(signature: Uint8Array): Uint8Array | undefined {
    const length = this.#numberLength
    if (length === 0) return signature
    return signature.length === 2 * length ? derOf(signature, length) : undefined
  }
}

/** RFC 7518 §3.4: a signature is R and S, each as long as the curve's order. */
const numberLengths: ReadonlyMap<string, number> = new Map([
  ['ES256', 32],
  ['ES384', 48],
  ['ES512', 66],
])

/** `Ecdsa-Sig-Value` (RFC 3279 §2.2.3): a SEQUENCE of two INTEGERs, which is what OpenSSL reads. */
function derOf(signature: Uint8Array, length: number): Uint8Array {
  const r = startOf(signature, 0, length)
  const s = startOf(signature, length, 2 * length)
  // An INTEGER is signed: one whose first bit is set needs a zero before it.
  const rLength = length - r + padding(signature, r)
  const sLength = 2 * length - s + padding(signature, s)
  const bodyLength = 4 + rLength + sLength
  const isLong = bodyLength > 127
  const der = Buffer.alloc(bodyLength + (isLong ? 3 : 2))
  let at = 0
  der[at++] = tags.sequence
  if (isLong) der[at++] = 0x81
  der[at++] = bodyLength
  at = writeInteger(der, at, signature.subarray(r, length), rLength)
  writeInteger(der, at, signature.subarray(s, 2 * length), sLength)
  return der
}

/** Where a number begins without its leading zeros; its last octet always counts. */
function startOf(octets: Uint8Array, start: number, end: number): number {
  let at = start
  while (at < end - 1 && octets[at] === 0) at++
  return at
}

const padding = (octets: Uint8Array, at: number): number => ((octets[at] ?? 0) > 127 ? 1 : 0)

function writeInteger(der: Buffer, at: number, number: Uint8Array, length: number): number {
  der[at] = tags.integer
  der[at + 1] = length
  der.set(number, at + 2 + length - number.length)
  return at + 2 + length
}

/**
 * The same RSA key with its use written into it (RFC 4055 §1.2): RSASSA-PSS with this hash, its mask generation, and a salt as long as
 * the hash (RFC 7518 §3.5). OpenSSL then verifies nothing else with it.
 */
function pssKey(key: KeyObject, algorithm: Algorithm): KeyObject {
  const pkcs1 = key.export({ type: 'pkcs1', format: 'der' })
  const hash = sequence(oid(hashes.get(algorithm) ?? []), derValue(tags.null))
  const mask = sequence(oid(mgf1), hash)
  const saltLength = derValue(tags.integer, Uint8Array.of(Number(algorithm.slice(2)) / 8))
  const parameters = sequence(
    ...[hash, mask, saltLength].map((part, i) => derValue(contextContainer(i), part)),
  )
  const bits = derValue(tags.bitString, Uint8Array.of(0), pkcs1)
  const spki = Buffer.from(sequence(sequence(oid(rsassaPss), parameters), bits))
  return createPublicKey({ key: spki, format: 'der', type: 'spki' })
}

// RFC 4055 §2.1, §6.
const rsassaPss = [0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x01, 0x0a]
const mgf1 = [0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x01, 0x08]
const sha2 = [0x60, 0x86, 0x48, 0x01, 0x65, 0x03, 0x04, 0x02]
const hashes: ReadonlyMap<string, readonly number[]> = new Map([
  ['PS256', [...sha2, 1]],
  ['PS384', [...sha2, 2]],
  ['PS512', [...sha2, 3]],
])

const oid = (octets: readonly number[]): Uint8Array => derValue(tags.oid, Uint8Array.from(octets))
const sequence = (...parts: readonly Uint8Array[]): Uint8Array => derValue(tags.sequence, ...parts)
