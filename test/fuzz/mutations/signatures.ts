// Changes to signatures that know what a signature is: twins, other encodings, other lengths, other parameters.
import { createHmac } from 'node:crypto'
import type { Dice } from '../dice.ts'
import { segmentsOf, signedInput } from '../original.ts'
import {
  ecdsaTwin,
  edwardsOrder,
  edwardsTwin,
  octetsOf,
  orders,
  relatives,
  rsaTwin,
  withSignature,
} from '../signature-numbers.ts'
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
