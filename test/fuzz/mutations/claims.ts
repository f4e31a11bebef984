// Surgery on claims. Most of it is signed again by the original's own key, so that each check behind the signature is reached.
import { segment, type Part } from '../../core/support/raw-signer.ts'
import type { Dice } from '../dice.ts'
import { segmentsOf, signed, type Original } from '../original.ts'
import {
  brokenObject,
  hostileValues,
  objectText,
  rawMembersOf,
  withMember,
  withMemberTwice,
  withoutMember,
  type RawMember,
} from './json.ts'
import type { Mutations } from './mutation.ts'

export const claimMutations: Mutations = {
  'a claim of another type': (original, dice) =>
    rewritten(original, dice, (members) =>
      withMember(
        members,
        dice.pick([...Object.keys(original.claims), ...decisive]),
        dice.pick(hostileValues),
      ),
    ),
  'a claim missing': (original, dice) =>
    rewritten(original, dice, (members) => withoutMember(members, dice.pick(Object.keys(original.claims)))),
  'a claim twice': (original, dice) =>
    rewritten(original, dice, (members) => {
      const name = dice.pick(Object.keys(original.claims))
      const own = JSON.stringify(original.claims[name])
      return withMemberTwice(members, name, dice.pick([own, own, ...hostileValues, '"admin"']), dice)
    }),
  'another time': (original, dice) =>
    rewritten(original, dice, (members) =>
      withMember(members, dice.pick(['exp', 'iat', 'nbf', 'auth_time']), timeNear(original, dice)),
    ),
  'another issuer, audience or subject': (original, dice, all) =>
    rewritten(original, dice, (members) => {
      const name = dice.pick(['iss', 'aud', 'sub', 'client_id', 'azp'])
      return withMember(
        members,
        name,
        dice.pick(variantsOf(original.claims[name], dice.pick(all).claims[name])),
      )
    }),
  'claims of another, signed with the own key': (original, dice, all) =>
    signed(original, original.header, dice.pick(all).claims),
  'marks of another kind of token': (original, dice) =>
    rewritten(original, dice, (members) => {
      const [name, value] = dice.pick(marks)
      return withMember(members, name, value)
    }),
  'deep or dense claims': (original, dice) =>
    rewritten(original, dice, (members) => {
      // As much as a token of the largest size that is looked at has room for, or a little less or more.
      const room = Math.floor(((8192 - original.jws.length) * 3) / 4)
      const name = dice.pick(['x', 'aud', 'scope', 'act', 'cnf', 'events', 'kubernetes.io', 'roles'])
      return withMember(
        members,
        name,
        dice.pick(fillings)(Math.floor(room * dice.pick([0.3, 0.8, 0.97, 1.05]))),
      )
    }),
  'claims that are no object': (original, dice) =>
    signedOrNot(original, dice, brokenObject(objectText(rawMembersOf(original.claims)), dice)),
  'hostile members': (original, dice) =>
    rewritten(original, dice, (members) =>
      withMember(
        members,
        dice.pick([
          '__proto__',
          'constructor',
          'prototype',
          'toString',
          'hasOwnProperty',
          'toJSON',
          'then',
          '',
        ]),
        dice.pick([...hostileValues, objectText(members)]),
      ),
    ),
  'several claims at once': (original, dice) =>
    rewritten(original, dice, (members) => {
      let changed: readonly RawMember[] = members
      for (let i = 0; i < 3; i += 1) {
        const name = dice.pick([...Object.keys(original.claims), ...decisive])
        changed = dice.chance(0.3)
          ? withoutMember(changed, name)
          : withMember(changed, name, dice.pick(hostileValues))
      }
      return changed
    }),
}

function rewritten(
  original: Original,
  dice: Dice,
  change: (members: readonly RawMember[]) => readonly RawMember[],
): string {
  return signedOrNot(original, dice, objectText(change(rawMembersOf(original.claims))))
}

function signedOrNot(original: Original, dice: Dice, payload: Part): string {
  const [header, , signature] = segmentsOf(original)
  return dice.chance(0.85)
    ? signed(original, original.header, payload)
    : `${header}.${segment(payload)}.${signature}`
}

const decisive = [
  'exp',
  'nbf',
  'iat',
  'aud',
  'iss',
  'sub',
  'cnf',
  'act',
  'scope',
  'jti',
  'client_id',
  'azp',
  'acr',
]

/** Around each limit that a time is held to: now, the tolerance, the longest lifetime, the end of all dates. */
function timeNear({ claims }: Original, dice: Dice): string {
  const now = Number(claims['iat'])
  const limits = [
    now,
    now + 30,
    now - 30,
    now - 60,
    now + 300,
    now + 86_400,
    now - 86_400,
    0,
    8.64e12,
    -8.64e12,
  ]
  const time = dice.pick(limits) + dice.pick([0, 0, 1, -1, 0.5, -0.5, 1e-7])
  return dice.pick([
    `${time}`,
    `${time}`,
    `${time}`,
    `"${time}"`,
    `[${time}]`,
    `${time}e0`,
    `${time}000`,
    `-${time}`,
  ])
}

/** Names that are nearly, or partly, the right one. */
function variantsOf(value: unknown, others: unknown): readonly string[] {
  const [text = ''] = [value].flat().map(String)
  const near = [
    `${text}/`,
    text.toUpperCase(),
    text.slice(0, -1),
    ` ${text}`,
    `${text}\0`,
    `${text}.evil.example`,
    '',
    text.replace('https:', 'http:'),
    `${text}#`,
    `${text}?a=b`,
    `${text}/../`,
    encodeURIComponent(text),
  ]
  const lists = [
    [text],
    [text, text],
    [text, 'evil'],
    ['evil', text],
    ['evil'],
    [[text]],
    [text, 1],
    [text, ''],
    [text, null],
  ]
  return [...near, ...lists, { [text]: true }, { 0: text, length: 1 }, others ?? null].map((each) =>
    JSON.stringify(each),
  )
}

const thumbprint = 'A'.repeat(43)
const actor = (depth: number): string =>
  depth === 0 ? '{"sub":"a"}' : `{"sub":"a","act":${actor(depth - 1)}}`

const marks: readonly (readonly [string, string])[] = [
  ...['htm', 'htu', 'ath', 'nonce', 'at_hash', 'c_hash', 's_hash'].map((name) => [name, '"a"'] as const),
  ...['events', 'token_introspection', 'kubernetes.io', 'roles', 'groups'].map(
    (name) => [name, '{"a":{}}'] as const,
  ),
  ...['id', 'refresh', 'access', ''].map((use) => ['token_use', `"${use}"`] as const),
  ['cnf', `{"jkt":"${thumbprint}"}`],
  ['cnf', `{"x5t#S256":"${thumbprint}"}`],
  ['cnf', `{"jkt":"${thumbprint}","x5t#S256":"${thumbprint}"}`],
  ['cnf', '{"kid":"key-1"}'],
  ['cnf', '{"jkt":"short"}'],
  ...[0, 1, 3, 4, 5, 6, 400].map((depth) => ['act', actor(depth)] as const),
  ...[
    '{"sub":""}',
    '{"sub":1}',
    '{"iss":"a"}',
    '[{"sub":"a"}]',
    '{"sub":"a","iss":[]}',
    '{"sub":"a","act":null}',
  ].map((act) => ['act', act] as const),
  ...['a  b', ' a', 'a ', 'a\\tb', 'a\\"', '\\u00e9', 'a\\u0000', '*', 'orders:*'].map(
    (scope) => ['scope', `"${scope}"`] as const,
  ),
  ['scope', '["orders:read"]'],
  ['azp', '"another"'],
]

const repeated = (one: string, length: number): string =>
  Array.from({ length: Math.max(1, Math.floor(length / (one.length + 1))) }, () => one).join(',')

/** A value of about this many octets. */
const fillings: readonly ((length: number) => string)[] = [
  (length) => '['.repeat(length >> 1) + ']'.repeat(length >> 1),
  (length) => `${'{"":'.repeat(length / 5)}0${'}'.repeat(length / 5)}`,
  (length) => `${'{"sub":"a","act":'.repeat(length / 18)}{"sub":"a"}${'}'.repeat(length / 18)}`,
  (length) => `[${repeated('[]', length)}]`,
  (length) => `[${repeated('{}', length)}]`,
  (length) => `[${repeated('{"a":0}', length)}]`,
  (length) => `[${repeated('0', length)}]`,
  (length) => `[${repeated('""', length)}]`,
  (length) => `[${repeated('"a"', length)}]`,
  (length) =>
    `{${Array.from({ length: length / 10 }, (_, i) => `"${(i * 7919).toString(36)}":0`).join(',')}}`,
  (length) => `"${'a '.repeat(length / 2)}a"`,
  (length) => `"${'\\"'.repeat(length / 2)}"`,
  (length) => `"${'\\u0061'.repeat(length / 6)}"`,
  (length) => `0.${'1'.repeat(length)}`,
  (length) => `"a"${' '.repeat(length)}`,
]
