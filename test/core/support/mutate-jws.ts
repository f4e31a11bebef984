// Makes broken JWS of good ones, the same ones for the same seed.
import { segment, type RawSigner } from './raw-signer.ts'

/** A number from 0 to 1, in a sequence that its seed decides (mulberry32). */
export type Random = () => number

export function createRandom(seed: number): Random {
  let state = seed
  return () => {
    state = (state + 0x6d2b79f5) | 0
    let t = Math.imul(state ^ (state >>> 15), 1 | state)
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32
  }
}

export interface Original {
  readonly jws: string
  readonly signer: RawSigner
  /** What a member may be set to, beside what is hostile everywhere. */
  readonly values: readonly unknown[]
}

export interface Mutant {
  readonly kind: string
  readonly jws: string
}

/** One mutant: changed in its text, its octets or its members, and in the last case signed anew in half of all cases. */
export function mutate(original: Original, random: Random): Mutant {
  const kind = pick(random, Object.keys(mutations))
  const change = mutations[kind]
  return { kind, jws: change === undefined ? original.jws : change(original, random) }
}

const pick = <T>(random: Random, from: readonly T[]): T => from[Math.floor(random() * from.length)] as T // in range

const replaceAt = (text: string, at: number, length: number, by: string): string =>
  text.slice(0, at) + by + text.slice(at + length)

const alphabet = [...'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_', ...'+/=.,\n\r\t \0é']

const hostile: readonly unknown[] = [
  undefined,
  null,
  true,
  0,
  -1,
  1.5,
  1e300,
  '',
  ' ',
  'none',
  'HS256',
  'dpop+jwt',
  'at+jwt',
  '__proto__',
  '\ud800',
  'a'.repeat(300),
  [],
  [''],
  {},
  { toString: 'a' },
  [[[[{}]]]],
]

function changeSegment({ jws }: Original, random: Random, change: (octets: Buffer) => Buffer): string {
  const parts = jws.split('.')
  const at = Math.floor(random() * parts.length)
  parts[at] = change(Buffer.from(parts[at] ?? '', 'base64url')).toString('base64url')
  return parts.join('.')
}

/** Changes a member of the header or of the claims, or of the key in the header. */
function changeMembers({ jws, signer, values }: Original, random: Random, isSigned: boolean): string {
  const parts = jws.split('.')
  const at = random() < 0.5 ? 0 : 1
  const all = JSON.parse(Buffer.from(parts[at] ?? '', 'base64url').toString()) as Record<string, unknown> // it is good
  const inner = all['jwk']
  const members = typeof inner === 'object' && inner !== null && random() < 0.5 ? { ...inner } : all
  const names = [
    ...Object.keys(members),
    'crit',
    'b64',
    'alg',
    'use',
    'key_ops',
    'd',
    'k',
    'p',
    'exp',
    'nbf',
    'nonce',
    'x',
  ]
  const name = pick(random, names)
  const value = pick(random, [...hostile, ...values, ...Object.values(all)])
  Object.assign(members, { [name]: value })
  if (members !== all) all['jwk'] = members
  let text = JSON.stringify(all)
  if (random() < 0.1) text = text.replace('{', `{${JSON.stringify(name)}:${JSON.stringify(value ?? null)},`)
  if (random() < 0.1) text = text.replace(/[0-9]{5,}/, '1e400')
  parts[at] = segment(text)
  const input = `${parts[0]}.${parts[1]}`
  return isSigned ? `${input}.${signer.signature(input)}` : `${input}.${parts[2]}`
}

const mutations: Readonly<Record<string, (original: Original, random: Random) => string>> = {
  'one character': ({ jws }, random) =>
    replaceAt(jws, Math.floor(random() * jws.length), 1, pick(random, alphabet)),
  'one character more': ({ jws }, random) =>
    replaceAt(jws, Math.floor(random() * (jws.length + 1)), 0, pick(random, alphabet)),
  'one character less': ({ jws }, random) => replaceAt(jws, Math.floor(random() * jws.length), 1, ''),
  'a part twice': ({ jws }, random) => {
    const at = Math.floor(random() * jws.length)
    return replaceAt(jws, at, 0, jws.slice(at, at + Math.floor(random() * 40)))
  },
  'the end cut': ({ jws }, random) => jws.slice(0, Math.floor(random() * jws.length)),
  'segments in another order': ({ jws }, random) =>
    Array.from({ length: 3 }, () => pick(random, jws.split('.'))).join('.'),
  'another alphabet': ({ jws }) => jws.replaceAll('-', '+').replaceAll('_', '/'),
  'unused bits': ({ jws }, random) => {
    const ends = [...jws.matchAll(/[^.](?=\.|$)/g)].map(({ index }) => index)
    return replaceAt(jws, pick(random, ends), 1, pick(random, alphabet))
  },
  'one bit': (original, random) =>
    changeSegment(original, random, (octets) => {
      const at = Math.floor(random() * octets.length)
      octets[at] = (octets[at] ?? 0) ^ (1 << Math.floor(random() * 8))
      return octets
    }),
  'one octet more': (original, random) =>
    changeSegment(original, random, (octets) =>
      Buffer.concat([octets, Buffer.from([Math.floor(random() * 256)])]),
    ),
  'one octet less': (original, random) => changeSegment(original, random, (octets) => octets.subarray(0, -1)),
  'a member': (original, random) => changeMembers(original, random, false),
  'a member, signed': (original, random) => changeMembers(original, random, true),
  'another member, signed': (original, random) => changeMembers(original, random, true),
}
