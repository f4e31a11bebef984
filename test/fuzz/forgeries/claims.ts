// Rightly signed claims at the edge of what is accepted, and beyond it.
import type { Dice } from '../dice.ts'
import { objectText, rawMembersOf, withMember, withMemberTwice } from '../mutations/json.ts'
import { signed, type Members, type Original } from '../original.ts'
import type { Forgeries, Forgery } from './forgery.ts'

type Change = (now: number, dice: Dice) => Members

const saying = (verdict: Forgery['verdict'], change: Change, stricter?: string): Forgery => ({
  verdict,
  ...(stricter === undefined ? {} : { stricter }),
  isSigned: true,
  make: (original, dice) =>
    signed(original, original.header, {
      ...original.claims,
      note: dice.below(1e9),
      ...change(nowOf(original), dice),
    }),
})

const malformed = (
  stricter: string,
  make: (claims: string, original: Original, dice: Dice) => string,
): Forgery => ({
  verdict: ['token_malformed'],
  stricter,
  isSigned: true,
  make: (original, dice) =>
    signed(
      original,
      original.header,
      make(JSON.stringify({ ...original.claims, note: dice.below(1e9) }), original, dice),
    ),
})

/** The guard tolerates 30 seconds, and takes no token that lives for more than a day. */
export const claimForgeries: Forgeries = {
  'any other claims': saying(['allow'], (_, dice) => ({
    sub: `service-${dice.below(1e6)}`,
    jti: `${dice.below(1e9)}`,
  })),
  'times that are just right': saying(['allow'], (now, dice) =>
    dice.pick<Members>([
      { exp: now - 30 + fraction(dice), iat: now - 60 },
      { nbf: now + 30 - fraction(dice) },
      { nbf: now + 30, iat: now + 30 },
      { iat: now + 30 - fraction(dice) },
      { iat: now, exp: now + 86_400 },
      { nbf: -fraction(dice) },
    ]),
  ),
  'a token whose time is over': saying(['token_expired'], (now, dice) => ({
    iat: now - 600,
    exp: dice.pick([now - 30, now - 30 - fraction(dice), now - 300, 0, -1]),
  })),
  'a token whose time has not come': saying(['token_not_yet_valid'], (now, dice) => {
    const time = now + 30 + dice.pick([1, 60, fraction(dice)])
    return dice.pick([{ nbf: time }, { iat: time }, { nbf: now, iat: time }])
  }),
  'a token that lives too long': saying(['token_lifetime_excessive'], (now, dice) => ({
    exp: now + 86_400 + dice.pick([1, 1e6, fraction(dice)]),
  })),
  'a claim missing': saying(['claim_missing'], (_, dice) => ({
    [dice.pick(['sub', 'client_id', 'aud', 'exp', 'iat', 'jti', 'iss'])]: undefined,
  })),
  'a claim of another type': saying(['claim_malformed'], (now, dice) => ({
    [dice.pick(['sub', 'client_id', 'jti'])]: dice.pick([1, null, ['checkout'], {}, true, '']),
    [dice.pick(['exp', 'iat', 'nbf'])]: dice.pick([`${now + 60}`, null, [now + 60], {}, true]),
  })),
  'a time that there is no date for': saying(
    ['claim_malformed'],
    (_, dice) => ({ nbf: -8.64e12 - 1 - dice.below(1e6) }),
    'a time is a second that there is a date for (ECMA-262 §21.4.1.1)',
  ),
  'another audience': saying(['audience_mismatch'], (_, dice) => ({
    aud: dice.pick([`orders${dice.below(1e6)}`, 'Orders', ' orders', ['order', 'orders '], 'orders\0', '*']),
  })),
  'several audiences': saying(['allow'], (_, dice) => ({
    aud: dice.pick([['orders'], [`${dice.below(1e6)}`, 'orders']]),
  })),
  'an issuer that nobody knows': saying(['issuer_unknown'], (_, dice) => ({
    iss: dice.pick([
      'https://evil.example',
      `https://es256.issuer.test/${dice.below(1e6)}`,
      '',
      '*',
      'HTTPS://es256.issuer.test',
    ]),
  })),
  'a token bound to a key, as a bearer token': saying(
    ['bound_token_as_bearer', 'certificate_binding_missing', 'confirmation_unsupported'],
    (_, dice) => ({
      cnf: dice.pick([{ jkt: 'A'.repeat(43) }, { 'x5t#S256': 'A'.repeat(43) }, { kid: 'key-1' }]),
    }),
  ),
  'a claim twice': malformed(
    'a member named twice is read by one as the first and by another as the last (RFC 7519 §4)',
    (_, { claims }, dice) => {
      // The first `iss` says whose key it is, before the whole is read: named twice, it has to be the same twice to get so far.
      const name = dice.pick(Object.keys(claims))
      const members = withMember(rawMembersOf(claims), 'note', `${dice.below(1e9)}`)
      return objectText(withMemberTwice(members, name, JSON.stringify(claims[name]), dice))
    },
  ),
  'a byte order mark': malformed(
    'JSON in a token starts with no byte order mark (RFC 8259 §8.1)',
    (text) => `\ufeff${text}`,
  ),
  'claims nested deep': malformed('JSON in a token is not deeper than 64 levels', (text, _, dice) => {
    const depth = 64 + dice.below(400)
    return text.replace('{', `{"deep":${'['.repeat(depth)}${']'.repeat(depth)},`)
  }),
  'claims of many values': malformed('a token has no more than 512 values in it', (text, _, dice) =>
    text.replace('{', `{"dense":[${'0,'.repeat(520 + dice.below(1000))}0],`),
  ),
}

/** Of a second, as much as a number of this size tells apart. */
const fraction = (dice: Dice): number => (1 + dice.below(1000)) / 1024

const nowOf = ({ claims }: Original): number => Number(claims['iat'])
