// What the right key signs in a way that its algorithm does not allow, and what another key signs in the right way.
import { generateKeyPairSync, type KeyObject } from 'node:crypto'
import type { Dice } from '../dice.ts'
import { segmentsOf, signed, type Original } from '../original.ts'
import { relatives, withSignature } from '../signature-numbers.ts'
import { signatureBy } from '../signing.ts'
import type { Forgeries, Forgery } from './forgery.ts'
import { pkcs1ByHand, pkcs1Flaws, pssByHand, pssFlaws } from './rsa-by-hand.ts'

type Signature = (original: Original, input: string, dice: Dice) => Buffer

const signedAs = (verdict: Forgery['verdict'], of: RegExp, signature: Signature): Forgery => ({
  of,
  verdict,
  isSigned: true,
  make(original, dice) {
    const input = segmentsOf(original).slice(0, 2).join('.')
    return `${input}.${signature(original, input, dice).toString('base64url')}`
  },
})
const wrongly = (of: RegExp, signature: Signature): Forgery => signedAs(['signature_invalid'], of, signature)

const withoutZero: Forgery = {
  verdict: ['signature_invalid'],
  isSigned: true,
  make: (original) => withSignature(beginningWithZero(original), (octets) => octets.subarray(1)),
}

export const keyForgeries: Forgeries = {
  'another key': wrongly(/./, ({ algorithm }, input) => signatureBy(algorithm, anotherKey(algorithm), input)),
  'another algorithm of the same key': wrongly(/^(RS|PS|ES)/, ({ algorithm, signingKey }, input, dice) =>
    signatureBy(dice.pick(relatives(algorithm)), signingKey, input),
  ),
  // RFC 7518 §3.5: as many octets as the hash has.
  'a salt of another length': wrongly(/^PS/, ({ algorithm, signingKey }, input, dice) => {
    const saltLength = dice.below(120)
    const isRight = saltLength === Number(algorithm.slice(2)) / 8
    return signatureBy(algorithm, signingKey, input, { saltLength: saltLength + (isRight ? 1 : 0) })
  }),
  // RFC 4055 §3.1 would let the mask be of another hash than the message; RFC 7518 §3.5 does not.
  'a flaw in the encoding of PSS': wrongly(/^PS/, (original, input, dice) =>
    pssByHand(original, input, dice.pick(pssFlaws), dice),
  ),
  // Bleichenbacher's of 2006 and its kin: RFC 8017 §8.2.2 has the encoding compared as a whole.
  'a flaw in the encoding of PKCS #1 v1.5': wrongly(/^RS/, (original, input, dice) =>
    pkcs1ByHand(original, input, dice.pick(pkcs1Flaws), dice),
  ),
  'an encoding by hand without a flaw': signedAs(['allow'], /^[RP]S/, (original, input, dice) =>
    original.algorithm.startsWith('RS')
      ? pkcs1ByHand(original, input, 'none', dice)
      : pssByHand(original, input, 'none', dice),
  ),
  'DER as OpenSSL makes it': wrongly(/^ES/, ({ algorithm, signingKey }, input) =>
    signatureBy(algorithm, signingKey, input, { ecdsaEncoding: 'der' }),
  ),
  'a number that begins with a zero': {
    of: /^(RS|PS|ES)/,
    verdict: ['allow'],
    isSigned: true,
    make: (original) => beginningWithZero(original).jws,
  },
  'a number without the zero that it begins with': { ...withoutZero, of: /^(RS|ES)/ },
  'a number of PSS without the zero that it begins with': {
    ...withoutZero,
    of: /^PS/,
    stricter: 'a signature is as long as the modulus (RFC 8017 §8.1.2), which OpenSSL does not look at',
  },
}

const otherKeys = new Map<string, KeyObject>()

export function anotherKey(algorithm: string): KeyObject {
  const kind = /^[RP]S/.test(algorithm) ? 'rsa' : algorithm
  const key = otherKeys.get(kind) ?? generatedFor(kind)
  otherKeys.set(kind, key)
  return key
}

function generatedFor(kind: string): KeyObject {
  if (kind === 'rsa') return generateKeyPairSync('rsa', { modulusLength: 2048 }).privateKey
  if (kind.startsWith('Ed')) return generateKeyPairSync('ed25519').privateKey
  const namedCurve = { ES256: 'P-256', ES384: 'P-384' }[kind] ?? 'P-521'
  return generateKeyPairSync('ec', { namedCurve }).privateKey
}

const withZeros = new Map<string, Original>()

/** One token in 256: looked for once for each algorithm. */
function beginningWithZero(original: Original): Original {
  let found = withZeros.get(original.algorithm)
  for (let i = 0; found === undefined; i += 1) {
    const jws = signed(original, original.header, { ...original.claims, jti: `zero-${i}` })
    const { jws: _, ...rest } = original
    if (Buffer.from(segmentsOf({ jws })[2], 'base64url')[0] === 0) found = { ...rest, jws }
  }
  withZeros.set(original.algorithm, found)
  return found
}
