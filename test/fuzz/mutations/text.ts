// Changes to the text alone, as whoever carries a token could make them: other spellings, other orders, other lengths.
import type { Dice } from '../dice.ts'
import { segmentsOf, type Original } from '../original.ts'
import type { Mutations } from './mutation.ts'

export const textMutations: Mutations = {
  nothing: ({ jws }) => jws,
  'another character': ({ jws }, dice) => replaceAt(jws, dice.below(jws.length), 1, character(dice)),
  'a character more': ({ jws }, dice) => replaceAt(jws, dice.below(jws.length + 1), 0, character(dice)),
  'a character less': ({ jws }, dice) => replaceAt(jws, dice.below(jws.length), 1, ''),
  'a stretch twice': ({ jws }, dice) => {
    const at = dice.below(jws.length)
    return replaceAt(jws, at, 0, jws.slice(at, at + 1 + dice.below(60)))
  },
  'cut short': ({ jws }, dice) => jws.slice(0, dice.below(jws.length)),
  padding: (original, dice) =>
    changed(original, dice, (segment) => segment + dice.pick(['=', '==', '%3D', '=='.repeat(4)])),
  'base64 alphabet': ({ jws }, dice) =>
    dice.chance(0.5)
      ? jws.replaceAll('-', '+').replaceAll('_', '/')
      : replaceAt(jws, dice.below(jws.length), 1, dice.pick(['+', '/'])),
  'unused bits': (original, dice) =>
    changed(original, dice, (segment) => replaceAt(segment, segment.length - 1, 1, dice.pick(alphabet))),
  'white space': ({ jws }, dice) =>
    replaceAt(
      jws,
      dice.pick([0, jws.length, jws.indexOf('.'), dice.below(jws.length)]),
      0,
      dice.pick(spaces),
    ),
  'percent encoding': ({ jws }, dice) => {
    const at = dice.chance(0.5) ? jws.lastIndexOf('.') : dice.below(jws.length)
    return replaceAt(jws, at, 1, `%${jws.charCodeAt(at).toString(16)}`)
  },
  // What a decoder that keeps the low octet of each character takes for the same text.
  'characters of another page': ({ jws }, dice) => {
    const at = dice.below(jws.length)
    return replaceAt(jws, at, 1, String.fromCharCode(jws.charCodeAt(at) + 0x100 * (1 + dice.below(255))))
  },
  'segments in another order': (original, dice) =>
    Array.from({ length: 3 }, () => dice.pick(segmentsOf(original))).join('.'),
  'another number of segments': (original, dice) =>
    Array.from({ length: dice.pick([0, 1, 2, 4, 5, 6]) }, () =>
      dice.pick([...segmentsOf(original), '']),
    ).join('.'),
  'an empty segment': (original, dice) => changed(original, dice, () => ''),
  'a segment of another': (original, dice, all) => {
    const segments = [...segmentsOf(original)]
    const at = dice.below(3)
    segments[at] = segmentsOf(dice.pick(all))[at] ?? ''
    return segments.join('.')
  },
  'another serialization': (original, dice) => {
    const [header, payload, signature] = segmentsOf(original)
    const flattened = { payload, protected: header, signature }
    return dice.pick([
      JSON.stringify(flattened),
      JSON.stringify({ payload, signatures: [{ protected: header, signature }] }),
      `"${original.jws}"`,
      `${original.jws}~`,
      Buffer.from(original.jws).toString('base64url'),
      original.jws.replaceAll(/[^\w-]/g, (one) => `%${one.charCodeAt(0).toString(16)}`),
    ])
  },
}

const replaceAt = (text: string, at: number, length: number, by: string): string =>
  text.slice(0, at) + by + text.slice(at + length)

function changed(original: Original, dice: Dice, change: (segment: string) => string): string {
  const segments = [...segmentsOf(original)]
  const at = dice.below(3)
  segments[at] = change(segments[at] ?? '')
  return segments.join('.')
}

const alphabet = [...'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_']
const character = (dice: Dice): string =>
  dice.chance(0.7)
    ? dice.pick(alphabet)
    : dice.pick([...'+/=.,:;%"\\ ~\t\r\n\0\u007f\u00a0é\u0141\u2028\ud800'])
const spaces = [' ', '\t', '\n', '\r\n', '\0', '\u00a0', '\u200b', '\ufeff', ' \n ']
