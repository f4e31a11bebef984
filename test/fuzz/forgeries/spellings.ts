// Other spellings of a good token: the signature is right, or right under another reading, and there is one reading only.
import type { Dice } from '../dice.ts'
import { segmentsOf, signed, type Original } from '../original.ts'
import type { Forgeries, Forgery } from './forgery.ts'

const malformed = (make: Forgery['make']): Forgery => ({ verdict: ['token_malformed'], make })

const respelled = (make: Forgery['make']): Forgery => ({
  ...malformed(make),
  stricter: 'a token has one spelling: no padding, no white space, no bits left over (RFC 7515 §2)',
})

/** Whatever the change hits, nothing before the signature is let pass, and the signature is wrong. */
const somewhere: Forgery['verdict'] = [
  'token_malformed',
  'algorithm_not_allowed',
  'key_unknown',
  'token_type_mismatch',
  'issuer_unknown',
  'claim_missing',
  'claim_malformed',
  'signature_invalid',
]

export const spellingForgeries: Forgeries = {
  padding: respelled((original, dice) =>
    withSegment(original, dice, (segment) => segment + '='.repeat(1 + dice.below(12))),
  ),
  'the alphabet of plain base64': malformed((original, dice) => {
    const [header, payload, signature] = segmentsOf(original)
    const signs = [...signature.matchAll(/[-_]/g)].map(({ index }) => index)
    if (signs.length === 0) return `${header}.${payload}.${signature}+`
    const at = dice.pick(signs)
    const [before, after] = [signature.slice(0, at), signature.slice(at + 1)]
    const other = signature[at] === '-' ? '+' : '/'
    return `${header}.${payload}.${before}${other}${dice.chance(0.5) ? after : plain(after)}`
  }),
  'bits left over': respelled((original, dice) => {
    const [header, payload, signature] = segmentsOf(original)
    const bits = { 2: 4, 3: 2 }[signature.length % 4]
    // Where none are left over, an octet that is begun and never ends.
    if (bits === undefined) return `${header}.${payload}.${signature}${dice.pick(alphabet)}`
    const last = alphabet.indexOf(signature.at(-1) ?? '')
    return `${header}.${payload}.${signature.slice(0, -1)}${alphabet[last + 1 + dice.below(2 ** bits - 1)]}`
  }),
  'white space': respelled(({ jws }, dice) => {
    const at = 1 + dice.below(jws.length)
    return `${jws.slice(0, at)}${dice.pick(['\t', '\n', '\r\n', ' ', '\v', '\f', '\u00a0'])}${jws.slice(at)}`
  }),
  'characters of no alphabet': malformed(({ jws }, dice) => {
    const at = 1 + dice.below(jws.length - 1)
    const code = jws.charCodeAt(at)
    // The last has the same low octet as the character that it stands for.
    const other = dice.pick([
      ...'!"#$%&\'()*,:;<>?@[\\]^`{|}~\0\u007f\u00e9',
      String.fromCharCode(code + 256 * (1 + dice.below(200))),
    ])
    return `${jws.slice(0, at)}${other}${jws.slice(dice.chance(0.5) ? at : at + 1)}`
  }),
  'another number of segments': malformed((original, dice) => {
    const segments = [...segmentsOf(original), '', 'AA', 'e30']
    const count = dice.pick([1, 2, 4, 5, 6])
    return Array.from({ length: count }, (_, i) => (i === 0 ? segments[0] : dice.pick(segments))).join('.')
  }),
  'an empty segment': malformed((original, dice) => withSegment(original, dice, () => '')),
  'segments in another order': {
    verdict: ['token_malformed', 'claim_missing', 'signature_invalid'],
    make(original, dice) {
      const [header, payload, signature] = segmentsOf(original)
      const all = [header, payload, signature]
      const others = all.flatMap((a) => all.flatMap((b) => all.map((c) => `${a}.${b}.${c}`)))
      return dice.pick(others.filter((other) => other !== original.jws))
    },
  },
  'another serialization': malformed((original, dice) => {
    const [header, payload, signature] = segmentsOf(original)
    const flattened = { payload, protected: header, signature }
    return dice.pick([
      JSON.stringify(flattened),
      JSON.stringify({ payload, signatures: [{ protected: header, signature }] }),
      `"${original.jws}"`,
      `${original.jws}~`,
      `${original.jws}~${text(dice)}~`,
      encodeURIComponent(original.jws).replaceAll('.', '%2E'),
    ])
  }),
  // Not the last one of a segment, which may have bits left over.
  'another character': {
    verdict: somewhere,
    make({ jws }, dice) {
      const at = dice.pick([...jws.matchAll(/[^.](?=[^.])/g)].map(({ index }) => index))
      const other = dice.pick(alphabet.filter((character) => character !== jws[at]))
      return jws.slice(0, at) + other + jws.slice(at + 1)
    },
  },
  'a bit of the header or of the claims': {
    verdict: somewhere,
    make(original, dice) {
      const segments = [...segmentsOf(original)]
      const which = dice.below(2)
      const octets = Buffer.from(segments[which] ?? '', 'base64url')
      const at = dice.below(octets.length)
      octets[at] = (octets[at] ?? 0) ^ (1 << dice.below(8))
      segments[which] = octets.toString('base64url')
      return segments.join('.')
    },
  },
  'cut short': {
    verdict: ['token_malformed', 'signature_invalid'],
    make: ({ jws }, dice) => jws.slice(0, 1 + dice.below(jws.length - 1)),
  },
  'more than 8192 characters, rightly signed': {
    verdict: ['token_oversized'],
    stricter: 'what is longer than 8192 characters is not looked at',
    isSigned: true,
    make: (original, dice) =>
      signed(original, original.header, { ...original.claims, note: 'x'.repeat(6200 + dice.below(2000)) }),
  },
}

function withSegment(original: Original, dice: Dice, change: (segment: string) => string): string {
  const segments = [...segmentsOf(original)]
  const at = dice.below(3)
  segments[at] = change(segments[at] ?? '')
  return segments.join('.')
}

const alphabet = [...'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_']
const plain = (text: string): string => text.replaceAll('-', '+').replaceAll('_', '/')
const text = (dice: Dice): string => Array.from({ length: 8 }, () => dice.pick(alphabet)).join('')
