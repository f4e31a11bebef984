// RSA signatures made from their padding up, right ones and flawed ones: no library makes the latter.
import { constants, createHash, privateEncrypt, randomBytes, type KeyObject } from 'node:crypto'
import type { Dice } from '../dice.ts'
import type { Original } from '../original.ts'

/** RFC 8017 §9.1: what is wrong with the encoding. `none` is right. */
export const pssFlaws = ['mask', 'trailer', 'padding', 'separator'] as const
/** RFC 8017 §9.2. */
export const pkcs1Flaws = [
  'garbage behind the hash',
  'no NULL',
  'another digest named',
  'block type',
  'padding',
  'separator',
  'no DigestInfo',
  'long form of a length',
] as const

type Flaw<All extends readonly string[]> = All[number] | 'none'

export function pssByHand(
  original: Original,
  input: string,
  flaw: Flaw<typeof pssFlaws>,
  dice: Dice,
): Buffer {
  const own = hashOf(original)
  const digest = hashed(own, input)
  const salt = randomBytes(digest.length)
  const h = hashed(own, Buffer.concat([Buffer.alloc(8), digest, salt]))
  const length = octetsOf(original) - h.length - 1
  const block = Buffer.concat([Buffer.alloc(length - salt.length - 1), Buffer.of(1), salt])
  if (flaw === 'padding') block[1 + dice.below(length - salt.length - 2)] = 1 + dice.below(255)
  if (flaw === 'separator') block[length - salt.length - 1] = 2 + dice.below(254)
  const mask = generatedMask(
    flaw === 'mask' ? dice.pick(hashes.filter((hash) => hash !== own)) : own,
    h,
    length,
  )
  const masked = block.map((octet, i) => octet ^ (mask[i] ?? 0))
  masked[0] = (masked[0] ?? 0) & 0x7f
  const trailer = flaw === 'trailer' ? dice.pick([0x00, 0xbb, 0xcc, 0xbd]) : 0xbc
  return raw(original, Buffer.concat([masked, h, Buffer.of(trailer)]))
}

export function pkcs1ByHand(
  original: Original,
  input: string,
  flaw: Flaw<typeof pkcs1Flaws>,
  dice: Dice,
): Buffer {
  const own = hashOf(original)
  const named = flaw === 'another digest named' ? dice.pick(hashes.filter((hash) => hash !== own)) : own
  const digest = hashed(own, input)
  const info = flaw === 'no DigestInfo' ? digest : digestInfo(named, digest, flaw)
  const garbage = flaw === 'garbage behind the hash' ? randomBytes(1 + dice.below(120)) : Buffer.alloc(0)
  const padding = Buffer.alloc(octetsOf(original) - info.length - garbage.length - 3, 0xff)
  if (flaw === 'padding') padding[dice.below(padding.length)] = dice.below(255)
  const type = flaw === 'block type' ? dice.pick([0, 2]) : 1
  const separator = flaw === 'separator' ? 1 + dice.below(255) : 0
  return raw(original, Buffer.concat([Buffer.of(0, type), padding, Buffer.of(separator), info, garbage]))
}

function digestInfo(hash: string, digest: Buffer, flaw: string): Buffer {
  const last = { sha256: 1, sha384: 2, sha512: 3 }[hash] ?? 0
  const oid = Buffer.of(0x06, 9, 0x60, 0x86, 0x48, 0x01, 0x65, 0x03, 0x04, 0x02, last)
  const algorithm = Buffer.concat(flaw === 'no NULL' ? [oid] : [oid, Buffer.of(0x05, 0)])
  const body = Buffer.concat([
    Buffer.of(0x30, algorithm.length),
    algorithm,
    Buffer.of(0x04, digest.length),
    digest,
  ])
  const head =
    flaw === 'long form of a length' ? Buffer.of(0x30, 0x81, body.length) : Buffer.of(0x30, body.length)
  return Buffer.concat([head, body])
}

/** MGF1 (RFC 8017 §B.2.1). */
function generatedMask(hash: string, seed: Buffer, length: number): Buffer {
  const blocks: Buffer[] = []
  for (let i = 0; i * 32 < length; i += 1) {
    blocks.push(hashed(hash, Buffer.concat([seed, Buffer.of(0, 0, 0, i)])))
  }
  return Buffer.concat(blocks).subarray(0, length)
}

const raw = ({ signingKey }: Original, encoded: Buffer): Buffer =>
  privateEncrypt({ key: signingKey as KeyObject, padding: constants.RSA_NO_PADDING }, encoded) // of RSA, so no secret

const hashes: readonly string[] = ['sha256', 'sha384', 'sha512']
const hashOf = ({ algorithm }: Original): string => `sha${algorithm.slice(2)}`
const hashed = (hash: string, octets: Buffer | string): Buffer => createHash(hash).update(octets).digest()
const octetsOf = ({ publicKey }: Original): number =>
  (publicKey?.asymmetricKeyDetails?.modulusLength ?? 0) / 8
