// Surgery on what only DPoP proofs have: the key that they bring along, and what they are a proof of.
import { generateKeyPairSync } from 'node:crypto'
import type { Dice } from '../dice.ts'
import { signed, type Members, type Original } from '../original.ts'
import { signatureBy } from '../signing.ts'
import { hostileValues, objectText, rawMembersOf, withMember, withoutMember } from './json.ts'
import { segment } from '../../core/support/raw-signer.ts'
import type { Mutations } from './mutation.ts'

export const proofMutations: Mutations = {
  'a member of the key': (original, dice) => {
    const jwk = rawMembersOf(jwkOf(original))
    const name = dice.pick([...Object.keys(jwkOf(original)), ...keyMembers])
    const value = dice.pick([
      ...hostileValues,
      ...keyValues,
      ...Object.values(jwkOf(original)).map(spelled(dice)),
    ])
    return withKey(
      original,
      objectText(dice.chance(0.2) ? withoutMember(jwk, name) : withMember(jwk, name, value)),
    )
  },
  'a private or another key': (original, dice, all) =>
    withKey(
      original,
      dice.pick([
        () => JSON.stringify(privateJwkOf(original)),
        () => JSON.stringify({ kty: 'oct', k: 'AAAA', alg: 'HS256' }),
        () => JSON.stringify(jwkOf(dice.pick(all))),
        () => JSON.stringify({ keys: [jwkOf(original)] }),
        () => JSON.stringify([jwkOf(original)]),
        () => JSON.stringify(JSON.stringify(jwkOf(original))),
        () => dice.pick(hostileValues),
      ])(),
    ),
  'proven with another key': ({ header, claims }) => {
    const jwk = intruder.publicKey.export({ format: 'jwk' })
    const input = `${segment({ ...header, alg: 'ES256', jwk })}.${segment(claims)}`
    return `${input}.${signatureBy('ES256', intruder.privateKey, input).toString('base64url')}`
  },
  'proof of something else': (original, dice) => {
    const [name, values] = dice.pick(Object.entries(expectations(original)))
    return signed(original, original.header, { ...original.claims, [name]: dice.pick(values) })
  },
}

const withKey = (original: Original, jwk: string): string =>
  signed(original, objectText(withMember(rawMembersOf(original.header), 'jwk', jwk)), original.claims)

const jwkOf = ({ header }: Original): Members => header['jwk'] as Members // a proof has one

const privateJwkOf = ({ signingKey }: Original): object =>
  signingKey instanceof Uint8Array ? {} : signingKey.export({ format: 'jwk' })

const intruder = generateKeyPairSync('ec', { namedCurve: 'P-256' })

const keyMembers = [
  'd',
  'k',
  'p',
  'q',
  'priv',
  'oth',
  'use',
  'key_ops',
  'alg',
  'kid',
  'ext',
  'x5u',
  'x5c',
  'crv',
  'kty',
  'e',
]
const keyValues = [
  '"sig"',
  '"enc"',
  '["verify"]',
  '["sign"]',
  '["verify","verify"]',
  '["verify","sign"]',
  '"ES256"',
  '"RS256"',
  '"AQAB"',
  '"AAEAAQ"',
  '"AQ"',
  '"Aw"',
  '"Ag"',
  '"AQABAA"',
  '"EC"',
  '"RSA"',
  '"OKP"',
  '"oct"',
  '"AKP"',
  '"P-256"',
  '"P-384"',
  '"Ed448"',
  '"X25519"',
  '"secp256k1"',
  '"ec"',
  `"${'A'.repeat(43)}"`,
  `"${'_'.repeat(342)}"`,
  `"${'_'.repeat(1366)}"`,
  `"${'_'.repeat(5e3)}"`,
]

/** The octets of a member in other spellings. */
const spelled =
  (dice: Dice) =>
  (value: unknown): string =>
    JSON.stringify(
      dice.pick([
        `${String(value)}=`,
        `AA${String(value)}`,
        String(value).slice(0, -1),
        `${String(value)}AAAA`,
        ` ${String(value)}`,
        Buffer.from(String(value), 'base64url').toString('base64'),
        String(value).toLowerCase(),
      ]),
    )

const expectations = ({ claims }: Original): Readonly<Record<string, readonly unknown[]>> => {
  const [iat, url, ath, nonce] = [
    Number(claims['iat']),
    String(claims['htu']),
    claims['ath'],
    claims['nonce'],
  ]
  return {
    htm: ['GET', 'get', 'POST', 'HEAD', 'GET ', '', ['GET']],
    htu: [url, `${url}/`, `${url}?a=b`, `${url}#a`, url.replace('https', 'http'), url.toUpperCase(), ...urls],
    iat: [
      iat,
      iat - 59,
      iat - 60,
      iat - 59.5,
      iat + 30,
      iat + 31,
      iat + 29.5,
      -iat,
      1e300,
      `${iat}`,
      8.64e12,
    ],
    exp: [iat, iat - 30, iat - 29, iat + 30, 0, -1, null, '1'],
    nbf: [iat, iat + 30, iat + 31, null, '1'],
    ath: [ath, undefined, '', `${String(ath)}=`, String(ath).toLowerCase(), 'A'.repeat(43), [ath]],
    nonce: [nonce, undefined, '', `${String(nonce)}A`, 'A'.repeat(54), [nonce]],
    jti: [undefined, '', 'a', 'j'.repeat(256), 'j'.repeat(257), 0, ['a']],
  }
}

const urls = [
  'https://api.example.com:443/orders/7',
  'https://api.example.com:8443/orders/7',
  'https://api.example.com./orders/7',
  'https://api.example.com/orders/x/../7',
  'https://api.example.com/orders/%2e%2e/orders/7',
  'https://api.example.com/%6frders/7',
  'https://api.example.com/orders%2F7',
  'https://api.example.com//orders/7',
  'https://api.example.com/orders/7/.',
  'https://api.example.com\\orders\\7',
  'https://api.example.com@evil.example/orders/7',
  'https://evil.example/orders/7?https://api.example.com/orders/7',
  'https:api.example.com/orders/7',
  'https:///api.example.com/orders/7',
  ' https://api.example.com/orders/7',
  'https://api.example.com/orders/7\n',
  'https://api.exam\tple.com/orders/7',
  'https://ａpi.example.com/orders/7',
  'https://api%2Eexample.com/orders/7',
  '/orders/7',
  '',
]
