// Surgery on headers. Most of it is signed again by the original's own key, so that what lies behind the signature is reached.
import { createHmac, generateKeyPairSync } from 'node:crypto'
import { segment, type Part } from '../../core/support/raw-signer.ts'
import type { Dice } from '../dice.ts'
import { segmentsOf, signed, signedInput, type Original } from '../original.ts'
import { signatureBy } from '../signing.ts'
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

export const headerMutations: Mutations = {
  'another algorithm': (original, dice) =>
    rewritten(original, dice, (members) => withMember(members, 'alg', dice.pick(algorithms))),
  'no signature at all': (original, dice) => {
    const alg = dice.pick(['"none"', '"None"', '"NONE"', '"nOnE"', '""', 'null', `"${original.algorithm}"`])
    const header = objectText(withMember(rawMembersOf(original.header), 'alg', alg))
    const signature = dice.pick(['', '', 'AA', segmentsOf(original)[2]])
    return `${segment(header)}.${segmentsOf(original)[1]}.${signature}`
  },
  // CVE-2022-23541 and all that followed: whatever a public key looks like, it is no secret.
  'HMAC with the public key': (original, dice) => {
    const alg = dice.pick(['HS256', 'HS384', 'HS512'])
    const input = `${segment({ ...original.header, alg })}.${segmentsOf(original)[1]}`
    const secret = dice.pick(publicForms(original))
    return `${input}.${createHmac(alg.replace('HS', 'sha'), secret).update(input).digest('base64url')}`
  },
  'a critical header': (original, dice) =>
    rewritten(original, dice, (members) => {
      const [name, value, critical] = dice.pick(extensions)
      const extended = name === undefined ? members : withMember(members, name, value)
      return critical === undefined ? extended : withMember(extended, 'crit', critical)
    }),
  // A key, or where to find one, in the token itself; signed with it.
  'a key of its own': (original, dice) => {
    const name = dice.pick(['jwk', 'jku', 'x5u', 'x5c', 'x5t', 'x5t#S256', 'kid'])
    const jwk = intruder.publicKey.export({ format: 'jwk' })
    const value = name === 'jwk' ? jwk : name === 'x5c' ? [jwk.x] : 'https://evil.example/keys.json'
    const input = `${segment({ ...original.header, alg: 'ES256', [name]: value })}.${segmentsOf(original)[1]}`
    return dice.chance(0.7)
      ? `${input}.${signatureBy('ES256', intruder.privateKey, input).toString('base64url')}`
      : signedInput(original, input)
  },
  'another kid': (original, dice) =>
    rewritten(original, dice, (members) =>
      dice.chance(0.2) ? withoutMember(members, 'kid') : withMember(members, 'kid', dice.pick(kids)),
    ),
  'another typ': (original, dice) =>
    rewritten(original, dice, (members) =>
      dice.chance(0.2) ? withoutMember(members, 'typ') : withMember(members, 'typ', dice.pick(types)),
    ),
  'a header member twice': (original, dice) =>
    rewritten(original, dice, (members) => {
      const name = dice.pick(Object.keys(original.header))
      const values = [...hostileValues, JSON.stringify(original.header[name]), '"none"', '"key-2"']
      return withMemberTwice(members, name, dice.pick(values), dice)
    }),
  'a hostile header member': (original, dice) =>
    rewritten(original, dice, (members) =>
      withMember(
        members,
        dice.pick(['__proto__', 'constructor', 'toString', 'cty', 'zip', 'enc', 'x', '']),
        dice.pick([...hostileValues, '{"alg":"none","kid":"key-1"}', '"JWT"', '"DEF"']),
      ),
    ),
  'a header that is no object': (original, dice) =>
    signedOrNot(original, dice, brokenObject(objectText(rawMembersOf(original.header)), dice)),
}

function rewritten(
  original: Original,
  dice: Dice,
  change: (members: readonly RawMember[]) => readonly RawMember[],
): string {
  return signedOrNot(original, dice, objectText(change(rawMembersOf(original.header))))
}

function signedOrNot(original: Original, dice: Dice, header: Part): string {
  const [, payload, signature] = segmentsOf(original)
  return dice.chance(0.75)
    ? signed(original, header, Buffer.from(payload, 'base64url'))
    : `${segment(header)}.${payload}.${signature}`
}

const intruder = generateKeyPairSync('ec', { namedCurve: 'P-256' })

function publicForms({ publicKey }: Original): readonly (string | Buffer)[] {
  if (publicKey === undefined) return ['', 'secret', Buffer.alloc(64)]
  const jwk = publicKey.export({ format: 'jwk' })
  const isMlDsa = publicKey.asymmetricKeyType?.startsWith('ml-dsa') === true
  const pem = publicKey.export({ type: 'spki', format: 'pem' })
  return [
    '',
    pem,
    ` ${pem.toString()}`,
    publicKey.export({ type: 'spki', format: 'der' }),
    JSON.stringify(jwk),
    JSON.stringify({ keys: [jwk] }),
    Buffer.from(String(isMlDsa ? jwk['pub'] : (jwk.n ?? jwk.x)), 'base64url'),
  ]
}

const known = ['RS256', 'RS512', 'PS256', 'PS384', 'ES256', 'ES384', 'ES512', 'EdDSA', 'Ed25519', 'ML-DSA-44']
const algorithms = [
  ...known,
  'HS256',
  'HS384',
  'HS512',
  'ES256K',
  'Ed448',
  'RS1',
  'none',
  'NONE',
  'nOnE',
  'es256',
  ' ES256',
  'ES256\\u0000',
  'dir',
  'A256KW',
  'PBES2-HS256+A128KW',
  '__proto__',
  'constructor',
  'toString',
  '',
]
  .map((name) => `"${name}"`)
  .concat(hostileValues)

const extensions: readonly (readonly [string | undefined, string, string | undefined])[] = [
  ['b64', 'false', '["b64"]'],
  ['b64', 'true', '["b64"]'],
  ['b64', 'false', undefined],
  ['b64', 'true', undefined],
  ['b64', 'null', undefined],
  ['exp', '0', '["exp"]'],
  ['http://example.com/x', 'true', '["http://example.com/x"]'],
  [undefined, '', '[]'],
  [undefined, '', '["alg"]'],
  [undefined, '', '["b64","b64"]'],
  [undefined, '', '[1]'],
  [undefined, '', 'null'],
  [undefined, '', '"b64"'],
  [undefined, '', '{}'],
  [undefined, '', 'false'],
]

const kids = [
  'key-1',
  'key-2',
  'KEY-1',
  ' key-1',
  'key-1\\u0000',
  'rsa',
  'ec',
  'ec-2',
  'ec-384',
  'ed',
  '__proto__',
  '',
  'constructor',
  '../../dev/null',
  "' OR 1=1 --",
  'https://evil.example/key',
  'k'.repeat(1e3),
  '\\ud800',
]
  .map((kid) => `"${kid}"`)
  .concat(hostileValues)

const types = [
  'at+jwt',
  'AT+JWT',
  'application/at+jwt',
  'APPLICATION/AT+JWT',
  'application/application/at+jwt',
  'JWT',
  'jwt',
  'application/jwt',
  'JOSE',
  'dpop+jwt',
  'application/dpop+jwt',
  'DPoP+JWT',
  'dpop+JWT',
  'logout+jwt',
  ' at+jwt',
  'secevent+jwt',
  'token-introspection+jwt',
  'at+jwt;a=b',
  'at jwt',
  'at\\u212bjwt',
  'dpop+\\u212Awt',
  'id+jwt',
]
  .map((type) => `"${type}"`)
  .concat(hostileValues)
