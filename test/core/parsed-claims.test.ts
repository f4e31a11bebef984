// Claims by themselves, held against a profile: whoever found the issuer of a token may have looked at some of them before.
import { createTestClock } from '@countersign/testing'
import { expect, test } from 'vitest'
import { checkClaims } from '../../packages/core/src/identity/token/check-claims.ts'
import { parseClaims, type TokenClaims } from '../../packages/core/src/identity/token/claims.ts'
import {
  introspected,
  introspectedOfClient,
  profiles,
  type TokenProfile,
} from '../../packages/core/src/identity/token/profile.ts'
import type { TrustedIssuer } from '../../packages/core/src/identity/trust/trusted-issuer.ts'
import { parseIssuer } from '../../packages/core/src/options/parse-issuer.ts'
import { Refusal } from '../../packages/core/src/refusal.ts'
import { claimsAt, issuer as name } from './support/house.ts'
import { createRawSigner } from './support/raw-signer.ts'

const clock = createTestClock()
const { jwk } = createRawSigner()
const sub = 'system:serviceaccount:shop:checkout'
const full = {
  ...claimsAt(clock),
  sub,
  scope: 'orders:read',
  'kubernetes.io': { namespace: 'shop', serviceaccount: { name: 'checkout' } },
}

const issuer: TrustedIssuer = parseIssuer({ issuer: name, jwks: { keys: [jwk] } }, 'issuers[0]', {
  audience: 'orders',
  clockToleranceSeconds: 30,
  dangerouslyAllowHttp: new Set(),
  grantedIds: [],
  clock,
  fetch: () => Promise.reject(new Error('keys are given')),
  newId: () => 'one',
})

function parsed(changes: object, profile: TokenProfile): TokenClaims {
  const claims = parseClaims({ ...full, ...changes }, issuer, profile)
  if (claims instanceof Refusal) throw new Error(`expected claims, got ${claims.code}`)
  return claims
}

test.each<[string, TokenProfile, readonly string[]]>([
  ['at+jwt', profiles['at+jwt'], ['iss', 'sub', 'client_id', 'jti', 'iat', 'exp', 'aud']],
  ['oauth', profiles.oauth, ['iss', 'sub', 'exp', 'aud']],
  ['id-token', profiles['id-token'], ['iss', 'sub', 'iat', 'exp', 'aud']],
  ['kubernetes', profiles.kubernetes, ['iss', 'sub', 'iat', 'exp', 'aud']],
  ['jwt-svid', profiles['jwt-svid'], ['sub', 'exp', 'aud']],
  ['an introspection answer', introspected, ['iss', 'sub', 'exp', 'aud']],
  ['an introspection answer by client', introspectedOfClient, ['iss', 'sub', 'exp']],
])('of profile %s are none without one that it requires, and need no others', (_, profile, required) => {
  const all = ['iss', 'sub', 'client_id', 'jti', 'iat', 'exp', 'nbf', 'aud', 'acr', 'auth_time']
  const missed = all.filter((claim) => {
    const claims = parseClaims({ ...full, [claim]: undefined }, issuer, profile)
    if (claims instanceof Refusal) expect(claims).toMatchObject({ code: 'claim_missing' })
    return claims instanceof Refusal
  })
  expect(missed.toSorted()).toEqual(required.toSorted())
})

test('that name an audience are held to it, also where none is needed', () => {
  const check = (changes: object) =>
    checkClaims(parsed(changes, introspectedOfClient), issuer, clock.now(), introspectedOfClient)?.code
  expect(check({ aud: 'billing' })).toBe('audience_mismatch')
  expect(check({ aud: 'orders' })).toBeUndefined()
  expect(check({ aud: undefined })).toBeUndefined()
})

test('a profile is called what an operator writes', () => {
  for (const [written, { name: called }] of Object.entries(profiles)) expect(called).toBe(written)
})
