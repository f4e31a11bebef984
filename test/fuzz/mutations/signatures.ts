// Changes to signatures that know what a signature is: twins, other encodings, other lengths, other parameters.
import { createHmac } from 'node:crypto'
import type { Dice } from '../dice.ts'
import { segmentsOf, signedInput, type Original } from '../original.ts'
import { signatureBy } from '../signing.ts'
import type { Mutations } from './mutation.ts'

export const signatureMutations: Mutations = {
  'a twin of the signature': (original, dice) =>
    withSignature(original, (octets) => {
      if (original.algorithm.startsWith('ES')) return ecdsaTwin(original.algorithm, octets)
      if (original.algorithm.startsWith('Ed')) return edwardsTwin(octets)
      return /^[RP]S/.test(original.algorithm) ? rsaTwin(original, octets) : inverted(octets, dice)
    }),
  'a signature of a special value': (original, dice) =>
    withSignature(original, (octets) => special(original.algorithm, octets.length, dice)),
  'a signature of another length': (original, dice) =>
    withSignature(original, (octets) =>
      dice.pick([
        octets.subarray(0, dice.below(octets.length)),
        octets.subarray(0, octets.length >> 1),
        Buffer.concat([Buffer.alloc(1 + dice.below(32)), octets]),
        Buffer.concat([octets, Buffer.alloc(1 + dice.below(32))]),
        Buffer.concat([octets, octets]),
      ]),
    ),
  // RFC 7518 §3.5: as many octets as the hash has, neither fewer nor more.
  'another salt, or DER': (original, dice) => {
    const [header, payload] = segmentsOf(original)
    const input = `${header}.${payload}`
    return original.algorithm.startsWith('PS')
      ? signedInput(original, input, { saltLength: dice.pick([0, 1, 20, 31, 33, 48, 64, 128]) })
      : signedInput(original, input, { ecdsaEncoding: 'der' })
  },
  // Right by another algorithm of the same key: the header says the one, the signature is of the other.
  'a signature by another algorithm': (original, dice) => {
    const [header, payload] = segmentsOf(original)
    const input = `${header}.${payload}`
    const algorithms = relatives(original.algorithm)
    if (algorithms.length === 0) {
      return `${input}.${createHmac('sha256', '').update(input).digest('base64url')}`
    }
    const made = signatureBy(dice.pick(algorithms), original.signingKey, input)
    return `${input}.${made.toString('base64url')}`
  },
  'a signature over something else': (original, dice) => {
    const [header, payload] = segmentsOf(original)
    const input = dice.pick([
      payload,
      header,
      `${payload}.${header}`,
      `${header}.${payload}.`,
      `${header}${payload}`,
    ])
    const made = signatureBy(original.algorithm, original.signingKey, input)
    return `${header}.${payload}.${made.toString('base64url')}`
  },
  "a signature by another's key": (original, _, all) => {
    const [header, payload] = segmentsOf(original)
    const other = all.find(({ algorithm, signingKey }) =>
      algorithm === original.algorithm ? signingKey !== original.signingKey : false,
    )
    if (other === undefined) {
      return `${header}.${payload}.${segmentsOf(original)[2].split('').toReversed().join('')}`
    }
    return signedInput(other, `${header}.${payload}`)
  },
}

function withSignature(original: Original, change: (octets: Buffer) => Buffer): string {
  const [header, payload, signature] = segmentsOf(original)
  return `${header}.${payload}.${change(Buffer.from(signature, 'base64url')).toString('base64url')}`
}

const orders: Readonly<Record<string, bigint>> = {
  ES256: 0xffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551n,
  ES384: 0xffffffffffffffffffffffffffffffffffffffffffffffffc7634d81f4372ddf581a0db248b0a77aecec196accc52973n,
  ES512:
    0x01fffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffa51868783bf2f966b7fcc0148f709a5d03bb5c9b8899c47aebb6fb71e91386409n,
}
const edwardsOrder = 2n ** 252n + 27742317777372353535851937790883648493n

/** (r, n − s) verifies wherever (r, s) does. */
function ecdsaTwin(algorithm: string, octets: Buffer): Buffer {
  const half = octets.length / 2
  const s = numberOf(octets.subarray(half))
  return Buffer.concat([octets.subarray(0, half), octetsOf((orders[algorithm] ?? 0n) - s, half)])
}

/** s + L is the same number modulo L; RFC 8032 §5.1.7 has it refused. */
function edwardsTwin(octets: Buffer): Buffer {
  const s = numberOf(Buffer.from(octets.subarray(32).toReversed())) + edwardsOrder
  return Buffer.concat([octets.subarray(0, 32), octetsOf(s, 32).toReversed()])
}

/** The signature plus the modulus; RFC 8017 §5.2.2 has it refused. */
function rsaTwin({ publicKey }: Original, octets: Buffer): Buffer {
  const { n = '' } = publicKey?.export({ format: 'jwk' }) ?? {}
  const twin = numberOf(octets) + numberOf(Buffer.from(n, 'base64url'))
  return octetsOf(twin, twin >= 1n << BigInt(octets.length * 8) ? octets.length + 1 : octets.length)
}

function inverted(octets: Buffer, dice: Dice): Buffer {
  return octets.map((octet) => octet ^ (dice.chance(0.5) ? 0xff : 0x01)) as Buffer // `map` of a Buffer makes a Buffer
}

function special(algorithm: string, length: number, dice: Dice): Buffer {
  const half = length >> 1
  const order = orders[algorithm] ?? edwardsOrder
  const numbers = [0n, 1n, 2n, order - 1n, order, order + 1n].map((number) => octetsOf(number, half))
  return dice.pick([
    Buffer.alloc(length),
    Buffer.alloc(length, 0xff),
    Buffer.concat([Buffer.alloc(length - 1), Buffer.from([1])]),
    Buffer.concat([dice.pick(numbers), dice.pick(numbers)]).subarray(0, length),
  ])
}

/** Algorithms that a key can be used with, other than its own. */
function relatives(algorithm: string): readonly string[] {
  const family = ['RS', 'PS'].some((name) => algorithm.startsWith(name))
    ? ['RS256', 'RS384', 'RS512', 'PS256', 'PS384', 'PS512']
    : ['ES', 'HS'].some((name) => algorithm.startsWith(name))
      ? ['256', '384', '512'].map((bits) => algorithm.slice(0, 2) + bits)
      : []
  return family.filter((name) => name !== algorithm)
}

const numberOf = (octets: Uint8Array): bigint => BigInt(`0x${Buffer.from(octets).toString('hex') || '0'}`)

const octetsOf = (number: bigint, length: number): Buffer =>
  Buffer.from(
    number
      .toString(16)
      .padStart(length * 2, '0')
      .slice(-length * 2),
    'hex',
  )
