// What can be done to a signature without the key: none of it may verify, but for the twin that ECDSA cannot help.
import type { Dice } from '../dice.ts'
import { segmentsOf, type Original } from '../original.ts'
import {
  ecdsaTwin,
  edwardsOrder,
  edwardsTwin,
  numberOf,
  octetsOf,
  orders,
  withSignature,
} from '../signature-numbers.ts'
import type { Forgeries, Forgery } from './forgery.ts'

type Change = (octets: Buffer, dice: Dice, original: Original) => Buffer

const broken = (change: Change, of?: RegExp): Forgery => ({
  ...(of === undefined ? {} : { of }),
  verdict: ['signature_invalid'],
  make: (original, dice) => withSignature(original, (octets) => change(octets, dice, original)),
})

/** Without the zeros that it begins with, OpenSSL takes a number of PSS for the same: that is a forgery of its own. */
const startsWithZeros = (octets: Buffer, count: number): boolean =>
  octets.subarray(0, count).every((octet) => octet === 0)

const rsa = /^[RP]S/
const ecdsa = /^ES/
const edwards = /^Ed/

export const signatureForgeries: Forgeries = {
  'a bit of the signature': broken((octets, dice) => {
    const at = dice.below(octets.length)
    octets[at] = (octets[at] ?? 0) ^ (1 << dice.below(8))
    return octets
  }),
  'octets of the signature': broken((octets, dice) => {
    const at = dice.below(octets.length)
    const end = Math.min(octets.length, at + 1 + dice.below(8))
    for (let i = at; i < end; i += 1) octets[i] = (octets[i] ?? 0) ^ (1 + dice.below(255))
    return octets
  }),
  'a signature cut short': broken((octets, dice) => {
    const kept = 1 + dice.below(octets.length - 1)
    return dice.chance(0.5) || startsWithZeros(octets, octets.length - kept)
      ? octets.subarray(0, kept)
      : octets.subarray(-kept)
  }),
  'a signature with octets added': broken((octets, dice) => {
    const added = randomOctets(1 + dice.below(40), dice).fill(0, dice.chance(0.5) ? 0 : 40)
    const at = dice.pick([0, octets.length, dice.below(octets.length)])
    return Buffer.concat([octets.subarray(0, at), added, octets.subarray(at)])
  }),
  'a signature without an octet': broken((octets, dice) => {
    const at = startsWithZeros(octets, 1) ? octets.length - 1 : dice.below(octets.length)
    return Buffer.concat([octets.subarray(0, at), octets.subarray(at + 1)])
  }),
  'parts of the signature moved': broken((octets, dice) => {
    const at = 1 + dice.below(octets.length - 1)
    const moved = Buffer.concat([octets.subarray(at), octets.subarray(0, at)])
    return dice.chance(0.9) ? moved : Buffer.concat([octets, octets])
  }),
  'any octets for a signature': broken((octets, dice) => randomOctets(octets.length, dice)),
  'any number of octets for a signature': broken((_, dice) => randomOctets(1 + dice.below(600), dice)),
  'the signature of another token': {
    verdict: ['signature_invalid'],
    make(original, dice, all) {
      const [header, payload] = segmentsOf(original)
      const another = dice.pick(all.filter((each) => each !== original))
      return `${header}.${payload}.${segmentsOf(another)[2]}`
    },
  },
  'the modulus added, or taken from it': broken((octets, dice, original) => {
    const [s, n] = [numberOf(octets), modulusOf(original)]
    const [k, wide] = [BigInt(1 + dice.below(60)), octets.length + 1 + dice.below(2)]
    return dice.pick([octetsOf(s + k * n, wide), octetsOf(n - s, octets.length), octetsOf(s + n, wide)])
  }, rsa),
  'a number near 0 or the modulus': broken((octets, dice, original) => {
    const little = BigInt(dice.below(1000))
    return octetsOf(
      dice.pick([little, modulusOf(original) + little, modulusOf(original) - little]),
      octets.length,
    )
  }, rsa),
  'numbers near 0 or the order': broken((octets, dice, { algorithm }) => {
    const order = orders[algorithm] ?? 0n
    const half = octets.length / 2
    const numbers = [order, 0n, order - 1n].map((limit) => octetsOf(limit + BigInt(dice.below(200)), half))
    const [r, s] = [octets.subarray(0, half), octets.subarray(half)]
    // Whatever R is kept, S is not the one that belongs to it, and the other way round.
    return Buffer.concat(
      dice.pick([
        [dice.pick(numbers), s],
        [r, dice.pick(numbers)],
        [dice.pick(numbers), dice.pick(numbers)],
      ]),
    )
  }, ecdsa),
  'R and S changed places': broken((octets) => {
    const half = octets.length / 2
    return Buffer.concat([octets.subarray(half), octets.subarray(0, half)])
  }, ecdsa),
  'R and S with zeros before them, or of another length': broken((octets, dice) => {
    const half = octets.length / 2
    const width = dice.pick([half + 1 + dice.below(34), half - 1 - dice.below(8)])
    return Buffer.concat(
      [octets.subarray(0, half), octets.subarray(half)].map((number) => octetsOf(numberOf(number), width)),
    )
  }, ecdsa),
  'a signature in DER': broken((octets, dice) => {
    const half = octets.length / 2
    const body = Buffer.concat([
      derInteger(octets.subarray(0, half), dice),
      derInteger(octets.subarray(half), dice),
    ])
    const der = Buffer.concat([
      Buffer.from(body.length > 127 ? [0x30, 0x81, body.length] : [0x30, body.length]),
      body,
    ])
    // As long as a signature of JOSE is.
    return dice.chance(0.5)
      ? der
      : Buffer.concat([der, Buffer.alloc(octets.length)]).subarray(0, octets.length)
  }, ecdsa),
  'the twin that ECDSA signatures have': {
    of: ecdsa,
    verdict: ['allow'],
    make: (original) => withSignature(original, (octets) => ecdsaTwin(original.algorithm, octets)),
  },
  'S beyond the order of the group': broken((octets, dice) => {
    let twin = octets
    for (let times = 1 + dice.below(14); times > 0; times -= 1) twin = edwardsTwin(twin)
    return twin
  }, edwards),
  'a point of small order, or another one': broken((octets, dice) => {
    const r = dice.chance(0.5) ? dice.pick(smallOrder) : randomOctets(32, dice)
    const s = dice.pick([octets.subarray(32), Buffer.alloc(32), octetsOf(edwardsOrder, 32).toReversed()])
    return Buffer.concat([r, s])
  }, edwards),
}

const modulusOf = ({ publicKey }: Original): bigint =>
  numberOf(Buffer.from(publicKey?.export({ format: 'jwk' }).n ?? '', 'base64url'))

const randomOctets = (length: number, dice: Dice): Buffer =>
  Buffer.from(Array.from({ length }, () => dice.below(256)))

/** With a zero too many now and then, which DER forbids and BER does not. */
function derInteger(number: Buffer, dice: Dice): Buffer {
  const start = number.findIndex((octet) => octet !== 0)
  const digits = start === -1 ? Buffer.alloc(1) : number.subarray(start)
  const zeros = Buffer.alloc((digits[0] ?? 0) > 127 || dice.chance(0.2) ? 1 : 0)
  return Buffer.concat([Buffer.from([2, zeros.length + digits.length]), zeros, digits])
}

/** RFC 8032 §5.1.3: encodings of the points whose order divides eight, and of none. */
const smallOrder: readonly Buffer[] = [
  `01${'00'.repeat(31)}`,
  '00'.repeat(32),
  `${'00'.repeat(31)}80`,
  `ec${'ff'.repeat(30)}7f`,
  'c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a',
  '26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05',
  `ee${'ff'.repeat(30)}7f`,
  'ff'.repeat(32),
].map((hex) => Buffer.from(hex, 'hex'))
