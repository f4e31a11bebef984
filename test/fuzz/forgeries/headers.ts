// Headers that say something else: under the old signature, or signed anew by whoever has the key.
import { createHmac, createPublicKey } from 'node:crypto'
import { segment } from '../../core/support/raw-signer.ts'
import { objectText, rawMembersOf, withMember, withMemberTwice } from '../mutations/json.ts'
import type { Dice } from '../dice.ts'
import { segmentsOf, signed, type Members, type Original } from '../original.ts'
import { signatureBy } from '../signing.ts'
import type { Forgeries, Forgery } from './forgery.ts'
import { anotherKey } from './made-with-the-key.ts'

type Change = (original: Original, dice: Dice) => Members

const unsigned = (verdict: Forgery['verdict'], change: Change): Forgery => ({
  verdict,
  make(original, dice) {
    const [, payload, signature] = segmentsOf(original)
    return `${segment({ ...original.header, ...change(original, dice) })}.${payload}.${signature}`
  },
})

const signedAnew = (verdict: Forgery['verdict'], change: Change, stricter?: string): Forgery => ({
  verdict,
  ...(stricter === undefined ? {} : { stricter }),
  isSigned: true,
  make: (original, dice) =>
    signed(original, { ...original.header, ...change(original, dice) }, octetsOf(original)),
})

export const headerForgeries: Forgeries = {
  'another algorithm under the old signature': unsigned(['algorithm_not_allowed'], ({ algorithm }, dice) => ({
    alg: dice.pick(
      [...algorithms, `${algorithm} `, algorithm.toLowerCase()].filter((name) => name !== algorithm),
    ),
    note: dice.below(1e9),
  })),
  'another header under the old signature': unsigned(['signature_invalid'], (_, dice) => ({
    note: dice.below(1e9),
  })),
  'no signature at all': {
    verdict: ['algorithm_not_allowed'],
    make(original, dice) {
      const alg = dice.pick(['none', 'None', 'NONE', 'nOnE', ''])
      const [, payload, signature] = segmentsOf(original)
      const header = segment({ ...original.header, alg, note: dice.below(1e9) })
      return `${header}.${payload}.${dice.pick(['', 'AA', signature])}`
    },
  },
  // CVE-2015-9235 and all that followed: whatever a public key looks like, it is no secret.
  'HMAC with the public key': {
    verdict: ['algorithm_not_allowed'],
    make(original, dice) {
      const alg = dice.pick(['HS256', 'HS384', 'HS512'])
      const header = segment({ ...original.header, alg, note: dice.below(1e9) })
      const input = `${header}.${segmentsOf(original)[1]}`
      const mac = createHmac(alg.replace('HS', 'sha'), dice.pick(formsOf(original))).update(input)
      return `${input}.${mac.digest('base64url')}`
    },
  },
  'a key of its own': {
    verdict: ['signature_invalid'],
    isSigned: true,
    make(original, dice) {
      const key = anotherKey(original.algorithm)
      const jwk = { ...createPublicKey(key).export({ format: 'jwk' }), kid: 'key-1' }
      const url = `https://evil.example/${dice.below(1e6)}`
      const place = dice.pick([{ jwk }, { jku: url }, { x5u: url, jwk }, { x5c: [jwk.n ?? jwk.x] }])
      const input = `${segment({ ...original.header, ...place })}.${segmentsOf(original)[1]}`
      return `${input}.${signatureBy(original.algorithm, key, input).toString('base64url')}`
    },
  },
  'members that decide nothing': signedAnew(['allow'], (_, dice) =>
    dice.pick([
      { jku: `https://evil.example/${dice.below(1e6)}` },
      { cty: 'JWT' },
      { x: dice.below(1e6) },
      { typ: 'AT+JWT' },
      { typ: 'application/at+jwt' },
      { kid: undefined },
    ]),
  ),
  'a critical extension': signedAnew(['token_critical_header'], (_, dice) =>
    dice.pick<Members>([
      { crit: [`urn:${dice.below(1e6)}`] },
      { crit: ['exp'], exp: dice.below(1e6) },
      { crit: [] },
      { crit: 'b64' },
      { crit: null },
      { crit: ['b64'], b64: false },
    ]),
  ),
  'an extension that only jose knows': signedAnew(
    ['token_critical_header'],
    (_, dice) =>
      dice.pick<Members>([
        { crit: ['b64'], b64: true },
        { b64: true },
        { b64: false },
        { b64: dice.below(1e6) },
      ]),
    'no extension is known, so neither `crit` nor `b64` is right in any form (RFC 7515 §4.1.11, RFC 7797)',
  ),
  'another kid': signedAnew(['key_unknown'], (_, dice) => ({
    kid: dice.pick(['', 'key-2', 'KEY-1', 'key-1 ', '__proto__', 'key-1\0', `${dice.below(1e6)}`]),
  })),
  'a kid that is no text': signedAnew(['token_malformed'], (_, dice) => ({
    kid: dice.pick([null, 1, ['key-1'], {}, true, dice.below(1e6)]),
  })),
  'another kind of token': signedAnew(['token_type_mismatch'], (_, dice) => ({
    typ: dice.pick([
      'JWT',
      'dpop+jwt',
      'at+jwt ',
      'application/application/at+jwt',
      '',
      undefined,
      'logout+jwt',
    ]),
    note: dice.below(1e6),
  })),
  'a header member twice': {
    verdict: ['token_malformed'],
    stricter: 'a member named twice is read by one as the first and by another as the last (RFC 7515 §4)',
    isSigned: true,
    make(original, dice) {
      const members = withMember(rawMembersOf(original.header), 'note', `${dice.below(1e6)}`)
      const name = dice.pick(Object.keys(original.header))
      const value = dice.pick([JSON.stringify(original.header[name]), '"none"', 'null'])
      return signed(original, objectText(withMemberTwice(members, name, value, dice)), octetsOf(original))
    },
  },
  'a header that is no object': {
    verdict: ['token_malformed'],
    isSigned: true,
    make(original, dice) {
      const text = JSON.stringify(original.header)
      const broken = dice.pick([
        `[${text}]`,
        JSON.stringify(text),
        `${text},`,
        text.slice(0, -1),
        'null',
        '',
        text.replaceAll('"', "'"),
      ])
      return signed(original, broken, octetsOf(original))
    },
  },
}

const octetsOf = (original: Original): Buffer => Buffer.from(segmentsOf(original)[1], 'base64url')

const algorithms = [
  'RS256',
  'RS512',
  'PS256',
  'PS384',
  'ES256',
  'ES512',
  'EdDSA',
  'Ed25519',
  'ES256K',
  'Ed448',
  'ML-DSA-44',
  'HS256',
  'none',
  'dir',
  '__proto__',
]

function formsOf({ publicKey }: Original): readonly (string | Buffer)[] {
  if (publicKey === undefined) return []
  const jwk = publicKey.export({ format: 'jwk' })
  return [
    publicKey.export({ type: 'spki', format: 'pem' }),
    publicKey.export({ type: 'spki', format: 'der' }),
    JSON.stringify(jwk),
    Buffer.from(jwk.n ?? jwk.x ?? '', 'base64url'),
  ]
}
