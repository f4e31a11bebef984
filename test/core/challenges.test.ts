import {
  allOf,
  authenticated,
  authenticatedWith,
  callerIs,
  createGuard,
  freshWithin,
  refusals,
  scopes,
  type Placement,
  type RefusalCode,
} from '@countersign/core'
import { createTestCa } from '@countersign/testing'
import { describe, expect, test } from 'vitest'
import {
  challenge,
  type ChallengeContent,
  type ChallengeOptions,
} from '../../packages/core/src/enforcement/challenge.ts'
import { RefusalResponses } from '../../packages/core/src/enforcement/refusal-response.ts'
import { Refusal } from '../../packages/core/src/refusal.ts'
import { connectionOf, refusalOf, requestWith } from './support/asking.ts'
import { createHouse } from './support/house.ts'
import { parseChallenges } from './support/parse-challenges.ts'

const { guard, token, clock } = createHouse()

const answer = async (
  authorization: string | undefined,
  placement: Placement = authenticated(),
  of = guard,
) => {
  const { response } = await refusalOf(of, requestWith(authorization), placement)
  return [response.status, response.headers['www-authenticate']]
}

describe('a guard that takes bearer tokens challenges', () => {
  const orders = scopes('orders:read', 'orders:write')
  const said = (error: string, description: string) => `error="${error}", error_description="${description}"`
  const invalid = said('invalid_token', 'the access token was not accepted')

  test.each<[string, string | undefined, Placement, number, string | undefined]>([
    ['who presents nothing', undefined, authenticated(), 401, 'Bearer realm="countersign"'],
    [
      'who presents nothing where scopes are needed',
      undefined,
      orders,
      401,
      'Bearer realm="countersign", scope="orders:read orders:write"',
    ],
    ['who presents another scheme', 'Basic eDp5', authenticated(), 401, 'Bearer realm="countersign"'],
    [
      'who presents it wrongly',
      'Bearer',
      orders,
      400,
      `Bearer realm="countersign", ${said('invalid_request', 'the credential is malformed or presented more than once')}`,
    ],
    [
      'whose token is not good',
      'Bearer a.b.c',
      authenticated(),
      401,
      `Bearer realm="countersign", ${invalid}`,
    ],
    [
      'whose token is not good where scopes are needed',
      'Bearer a.b.c',
      orders,
      401,
      `Bearer realm="countersign", ${invalid}, scope="orders:read orders:write"`,
    ],
    [
      'who presents a bearer token as DPoP',
      `DPoP ${token()}`,
      authenticated(),
      401,
      `Bearer realm="countersign", ${invalid}`,
    ],
    [
      'who lacks a scope',
      `Bearer ${token()}`,
      orders,
      403,
      `Bearer realm="countersign", ${said('insufficient_scope', 'the caller lacks a required scope')}, scope="orders:read orders:write"`,
    ],
    [
      'whose user has to step up',
      `Bearer ${token()}`,
      allOf(freshWithin(300), authenticatedWith('urn:x:mfa', 'phr'), scopes('orders:read')),
      401,
      `Bearer realm="countersign", ${said('insufficient_user_authentication', 'a different or more recent authentication is required')}, acr_values="urn:x:mfa phr", max_age="300", scope="orders:read"`,
    ],
    ['nobody who simply may not', `Bearer ${token()}`, callerIs('spiffe://prod.example/x'), 403, undefined],
  ])('%s', async (_, authorization, placement, status, field) => {
    expect(await answer(authorization, placement)).toEqual([status, field])
  })

  test('with its own realm, and the place of its metadata', async () => {
    const named = createHouse({
      clock,
      guardOptions: { realm: 'shop', resource: 'https://orders.test/v1' },
    }).guard
    const where = 'resource_metadata="https://orders.test/.well-known/oauth-protected-resource/v1"'
    expect(await answer(undefined, authenticated(), named)).toEqual([401, `Bearer realm="shop", ${where}`])
    expect(await answer('Bearer x', orders, named)).toEqual([
      401,
      `Bearer realm="shop", ${invalid}, scope="orders:read orders:write", ${where}`,
    ])
  })
})

test('a guard that takes certificates only challenges nobody, and answers no 401', async () => {
  const ca = await createTestCa({ now: new Date(clock.now()) })
  const only = createGuard(
    { certificates: { trustDomains: { 'test.example': ca.bundle } }, log: false },
    { clock },
  )
  for (const authorization of [
    undefined,
    'Bearer a.b.c',
    `Bearer ${token()}`,
    `DPoP ${token()}`,
    'Basic eDp5',
  ]) {
    expect(await answer(authorization, authenticated(), only)).toEqual([403, undefined])
  }
  expect(await answer('Bearer', authenticated(), only)).toEqual([400, undefined])
  const socket = connectionOf(await ca.svid('/checkout'))
  for (const placement of [scopes('orders:read'), freshWithin('5m')]) {
    const { response } = await refusalOf(only, requestWith(undefined, socket), placement)
    expect([response.status, response.headers['www-authenticate']]).toEqual([403, undefined])
  }
})

// As a guard with `dpop` calls it. RFC 9449 §7.1 and §7.2 print such challenges.
describe('where both schemes do,', () => {
  const options: ChallengeOptions = {
    realm: 'r',
    acceptsTokens: true,
    proofAlgorithms: ['ES256', 'PS256'],
    requiresProof: false,
    resourceMetadata: undefined,
  }
  const nothing: ChallengeContent = {
    error: undefined,
    sentence: 'x',
    scopes: [],
    stepUp: undefined,
    scheme: undefined,
  }
  const algs = 'algs="ES256 PS256"'
  const bad = 'error="invalid_token", error_description="no"'

  test.each<[string, Partial<ChallengeContent>, Partial<ChallengeOptions>, string]>([
    ['nobody tried either', {}, {}, `Bearer realm="r", DPoP realm="r", ${algs}`],
    [
      'scopes stand with each',
      { scopes: ['a', 'b'] },
      {},
      `Bearer realm="r", scope="a b", DPoP realm="r", scope="a b", ${algs}`,
    ],
    [
      'what went wrong stands with Bearer, which was tried',
      { error: 'invalid_token', sentence: 'no', scheme: 'bearer' },
      {},
      `Bearer realm="r", ${bad}, DPoP realm="r", ${algs}`,
    ],
    [
      'and with DPoP alone, which is not to be given up for Bearer',
      { error: 'invalid_token', sentence: 'no', scheme: 'dpop' },
      {},
      `DPoP realm="r", ${bad}, ${algs}`,
    ],
    [
      'it stands with both where it cannot be told',
      { error: 'invalid_request', sentence: 'no' },
      {},
      `Bearer realm="r", error="invalid_request", error_description="no", DPoP realm="r", error="invalid_request", error_description="no", ${algs}`,
    ],
    [
      'Bearer is not offered where proofs are required',
      {},
      { requiresProof: true },
      `DPoP realm="r", ${algs}`,
    ],
    [
      'nor where it was tried',
      { error: 'invalid_token', sentence: 'no', scheme: 'bearer' },
      { requiresProof: true },
      `DPoP realm="r", ${bad}, ${algs}`,
    ],
    [
      'the place of the metadata stands with each',
      {},
      { resourceMetadata: 'https://x.test/m' },
      `Bearer realm="r", resource_metadata="https://x.test/m", DPoP realm="r", resource_metadata="https://x.test/m", ${algs}`,
    ],
    [
      'DPoP is not offered where no proofs are accepted',
      { scheme: 'dpop', error: 'invalid_token', sentence: 'no' },
      { proofAlgorithms: undefined },
      `Bearer realm="r", ${bad}`,
    ],
  ])('%s', (_, content, more, field) => {
    expect(challenge({ ...nothing, ...content }, { ...options, ...more })).toBe(field)
  })
})

describe('whatever is refused,', () => {
  const placements = [
    authenticated(),
    allOf(scopes('a', 'b'), freshWithin('5m'), authenticatedWith('x', 'y')),
  ]
  const guards: readonly ChallengeOptions[] = [true, false].flatMap((requiresProof) =>
    [undefined, ['ES256', 'Ed25519']].map((proofAlgorithms) => ({
      realm: "a realm, with 'marks' = and ; of all kinds",
      acceptsTokens: true,
      proofAlgorithms,
      requiresProof: requiresProof && proofAlgorithms !== undefined,
      resourceMetadata: 'https://orders.test/.well-known/oauth-protected-resource',
    })),
  )
  const schemes = ['bearer', 'dpop', undefined] as const
  const all = guards.flatMap((options) =>
    placements.flatMap((placement) => schemes.map((scheme) => ({ options, placement, scheme }))),
  )

  test.each(Object.keys(refusals) as RefusalCode[])('%s is told as the RFCs say', (code) => {
    const entry = refusals[code]
    const error = 'error' in entry ? entry.error : undefined
    for (const { options, placement, scheme } of all) {
      const context = { id: 'id', placement, scheme, nonce: 'n', isHttp2: false }
      const { status, headers, body } = new RefusalResponses(options).of(new Refusal(code), context)
      expect(status).toBe(entry.status)
      const challenges = parseChallenges(headers['www-authenticate'] ?? 'none')
      // RFC 9110 §15.5.2: a 401 has a challenge. What is no matter of credentials has none.
      expect(headers['www-authenticate'] !== undefined).toBe(status === 401 || error !== undefined)
      const told = challenges.filter(({ parameters }) => 'error' in parameters)
      expect(new Set(told.map(({ parameters }) => parameters['error']))).toEqual(
        new Set(error === undefined ? [] : [error]),
      )
      for (const { parameters } of told) expect(parameters['error_description']).toBe(entry.sentence)
      expect(new Set(challenges.map((one) => one.scheme)).size).toBe(challenges.length)
      expect(headers['retry-after'] !== undefined).toBe(status === 503)
      expect(headers['dpop-nonce'] !== undefined).toBe(error === 'use_dpop_nonce')
      expect(headers['cache-control']).toBe('no-store')
      expect(JSON.parse(body)).toMatchObject({ status, detail: entry.sentence, decision: 'id' })
    }
  })
})
