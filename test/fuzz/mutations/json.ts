// JSON objects as lists of raw members, so that a test can write what no serializer would.
import type { Dice } from '../dice.ts'
import type { Members } from '../original.ts'

/** Name and value, both as raw JSON text. */
export type RawMember = readonly [name: string, value: string]

export const rawMembersOf = (members: Members): RawMember[] =>
  Object.entries(members)
    .filter(([, value]) => value !== undefined)
    .map(([name, value]) => [JSON.stringify(name), JSON.stringify(value)])

export const objectText = (members: readonly RawMember[]): string =>
  `{${members.map(([name, value]) => `${name}:${value}`).join(',')}}`

/** With one member set to another value, or added. */
export function withMember(members: readonly RawMember[], name: string, value: string): RawMember[] {
  const raw = JSON.stringify(name)
  const isThere = members.some(([known]) => known === raw)
  const changed = members.map((member): RawMember => (member[0] === raw ? [raw, value] : member))
  return isThere ? changed : [...changed, [raw, value]]
}

export const withoutMember = (members: readonly RawMember[], name: string): RawMember[] =>
  members.filter(([known]) => known !== JSON.stringify(name))

/** The same name again, with another value, before or behind; perhaps spelled in another way. */
export function withMemberTwice(
  members: readonly RawMember[],
  name: string,
  value: string,
  dice: Dice,
): RawMember[] {
  const escaped = [...name].map((one) => `\\u${one.charCodeAt(0).toString(16).padStart(4, '0')}`).join('')
  const again: RawMember = [dice.chance(0.5) ? JSON.stringify(name) : `"${escaped}"`, value]
  return dice.chance(0.5) ? [again, ...members] : [...members, again]
}

/** Values that have broken readers of JSON before. */
export const hostileValues: readonly string[] = [
  ...['null', 'true', 'false', '0', '-0', '1', '-1', '1.5', '1e400', '-1e400', '1e-400', '1e308', '1E+2'],
  ...['9007199254740993', '18446744073709551616', '0.1e1', '1893456300.0', '1.8934563e9'],
  ...[
    '""',
    '" "',
    '"0"',
    '"null"',
    '"none"',
    '"undefined"',
    '"*"',
    '"\\u0000"',
    '"\\ud800"',
    '"\\udc00\\ud800"',
  ],
  ...['"\\u00e9"', '"e\\u0301"', '"\\u202e"', '"\\ufeff"', '"__proto__"', '"constructor"', '"1893456300"'],
  ...[
    '[]',
    '[""]',
    '[null]',
    '[[]]',
    '[0]',
    '["a","a"]',
    '{}',
    '{"":""}',
    '{"toString":"a"}',
    '{"length":1}',
  ],
  ...['{"__proto__":{"sub":"admin"}}', '{"constructor":{"prototype":{}}}', '{"valueOf":1,"toJSON":2}'],
  `"${'a'.repeat(300)}"`,
  '[[[[[[[[{}]]]]]]]]',
]

/** Octets that are no JSON object, or one only to a reader that forgives: the text of a good one is given. */
export function brokenObject(text: string, dice: Dice): Uint8Array {
  const insert = (octets: readonly number[]): Buffer => {
    const [before, after] = [text.slice(0, 2 + dice.below(6)), text.slice(8)]
    return Buffer.concat([Buffer.from(before), Buffer.from(octets), Buffer.from(after)])
  }
  return dice.pick<() => Uint8Array>([
    () => Buffer.from(`[${text}]`),
    () => Buffer.from(JSON.stringify(text)),
    () => Buffer.from(dice.pick(['null', 'true', '0', '""', '[]', '{', '', ' ', '{}', 'NaN', 'undefined'])),
    () => Buffer.from(`\ufeff${text}`),
    () => Buffer.from(dice.pick([` ${text}`, `${text}\n`, `\t${text} `, text.replace('{', '{\r\n  ')])),
    () =>
      Buffer.from(
        dice.pick([`${text}${text}`, `${text},`, `${text}}`, text.replace('}', ',}'), `${text}\0`]),
      ),
    () =>
      Buffer.from(
        dice.pick([text.replaceAll('"', "'"), text.replace('{', '{/**/'), `//\n${text}`, `${text};`]),
      ),
    () =>
      Buffer.from(
        text.replace(/:\d+/, dice.pick([':NaN', ':Infinity', ':0x10', ':+1', ':01', ':1_0', ':.5', ':1.'])),
      ),
    () => Buffer.from(text, 'utf16le'),
    () => Buffer.from(text, 'latin1').map((octet) => octet | 0x80),
    () =>
      insert(dice.pick([[0xff], [0xc0, 0x80], [0xed, 0xa0, 0x80], [0xf5, 0x80, 0x80, 0x80], [0xe2, 0x82]])),
    () => Buffer.from(text.replaceAll('a', 'А')), // a Cyrillic letter
  ])()
}
