// What goes out to a refused caller, for every code of the table: what the RFCs ask for, and no more.
import { STATUS_CODES } from 'node:http'
import {
  allOf,
  authenticated,
  authenticatedWith,
  callerOptional,
  freshWithin,
  scopes,
  unprotected,
  type Placement,
  type RefusalCode,
} from '@countersign/core'
import { describe, expect, test } from 'vitest'
import {
  challenge,
  type ChallengeContent,
  type ChallengeOptions,
} from '../../packages/core/src/enforcement/challenge.ts'
import { refusalResponse } from '../../packages/core/src/enforcement/refusal-response.ts'
import { Refusal, refusals, type RefusalEntry } from '../../packages/core/src/refusal.ts'

const tokens: ChallengeOptions = {
  realm: 'orders',
  acceptsTokens: true,
  proofAlgorithms: undefined,
  requiresProof: false,
  resourceMetadata: undefined,
}
const certificatesAlone = { ...tokens, acceptsTokens: false }
const proofs = { ...tokens, proofAlgorithms: ['ES256', 'RS256'] }

interface Asked {
  readonly placement?: Placement
  readonly scheme?: 'bearer' | 'dpop'
  readonly nonce?: string
}

const answer = (code: RefusalCode, asked: Asked = {}, options = tokens) => {
  const { placement, scheme, nonce } = asked
  return refusalResponse(new Refusal(code), { id: 'decision-1', placement, scheme, nonce }, options)
}

const table = Object.entries(refusals) as [RefusalCode, RefusalEntry][] // its keys are the codes

describe.each(table)('%s', (code, { status, error, sentence }) => {
  test('is a problem that is not to be stored, and says the sentence of its table and the decision', () => {
    const { headers, body, ...rest } = answer(code)
    expect(rest).toEqual({ status })
    expect(headers).toMatchObject({
      'content-type': 'application/problem+json',
      'cache-control': 'no-store',
    })
    expect(JSON.parse(body)).toEqual({
      title: STATUS_CODES[status],
      status,
      detail: sentence,
      ...(error === undefined ? {} : { error }),
      decision: 'decision-1',
    })
  })

  test('has a challenge where it is 401 or has an error to tell, and a time to come back where it is 503', () => {
    const names = ['cache-control', 'content-type']
    if (status === 503) names.push('retry-after')
    if (status === 401 || error !== undefined) names.push('www-authenticate')
    expect(Object.keys(answer(code).headers).toSorted()).toEqual(names)
    expect(Number(answer(code).headers['retry-after'] ?? 1)).toBeGreaterThan(0)
  })

  test('is no 401 and has no challenge where only certificates are accepted (RFC 9110 §15.5.2)', () => {
    const { status: sent, headers, body } = answer(code, {}, certificatesAlone)
    expect(sent).toBe(status === 401 ? 403 : status)
    expect(headers).not.toHaveProperty('www-authenticate')
    expect(JSON.parse(body)).toMatchObject({ status: sent, title: STATUS_CODES[sent] })
  })

  test('has the nonce of the next proof only where the caller is asked for one', () => {
    const given = answer(code, { nonce: 'n-1' }, proofs).headers
    expect(given['dpop-nonce']).toBe(error === 'use_dpop_nonce' ? 'n-1' : undefined)
    expect(answer(code, {}, proofs).headers).not.toHaveProperty('dpop-nonce')
  })
})

test('an answer cannot be changed', () => {
  const given = answer('token_expired')
  expect(() => Object.assign(given, { status: 200 })).toThrow(TypeError)
  expect(() => Object.assign(given.headers, { 'cache-control': 'public' })).toThrow(TypeError)
})

describe('the challenge names what the route asks for', () => {
  const challengeOf = (code: RefusalCode, placement?: Placement) =>
    answer(code, placement === undefined ? {} : { placement }).headers['www-authenticate']

  test.each<[string, Placement | undefined]>([
    ['no declaration', undefined],
    ['unprotected', unprotected('probe')],
    ['callerOptional', callerOptional('greeting')],
    ['authenticated', authenticated()],
  ])('and nothing where it asks for nothing: %s', (_, placement) => {
    expect(challengeOf('credential_missing', placement)).toBe('Bearer realm="orders"')
  })

  test('its scopes, also where no credential came', () => {
    const placement = scopes('orders:read', 'orders:write')
    expect(challengeOf('credential_missing', placement)).toBe(
      'Bearer realm="orders", scope="orders:read orders:write"',
    )
    expect(challengeOf('scope_missing', placement)).toBe(
      `Bearer realm="orders", error="insufficient_scope", error_description="${refusals.scope_missing.sentence}", scope="orders:read orders:write"`,
    )
  })

  test('but not to who sent no request that could be read (RFC 6750 §3.1)', () => {
    expect(challengeOf('credential_duplicated', scopes('orders:read'))).not.toContain('scope=')
  })

  test('the authentication that is missing, and only where that is what is missing (RFC 9470 §3)', () => {
    const placement = allOf(freshWithin('5m'), authenticatedWith('urn:mfa', 'urn:hwk'))
    expect(challengeOf('authentication_insufficient', placement)).toBe(
      `Bearer realm="orders", error="insufficient_user_authentication", error_description="${refusals.authentication_insufficient.sentence}", acr_values="urn:mfa urn:hwk", max_age="300"`,
    )
    expect(challengeOf('token_expired', placement)).not.toMatch(/acr_values|max_age/)
    expect(challengeOf('authentication_insufficient', freshWithin(60))).toMatch(/[^"]", max_age="60"$/)
    expect(challengeOf('authentication_insufficient', freshWithin(60))).not.toContain('acr_values')
    expect(challengeOf('authentication_insufficient', authenticatedWith('urn:mfa'))).not.toContain('max_age')
    expect(challengeOf('authentication_insufficient', authenticated())).not.toMatch(/acr_values|max_age/)
  })
})

describe('the schemes of a challenge', () => {
  const content: ChallengeContent = {
    error: undefined,
    sentence: 'no',
    scopes: [],
    stepUp: undefined,
    scheme: undefined,
  }
  const bearer = 'Bearer realm="orders"'
  const dpop = 'DPoP realm="orders", algs="ES256 RS256"'
  const failed = { error: 'invalid_token', sentence: 'no' } as const
  const failure = ', error="invalid_token", error_description="no"'
  const failedDpop = `DPoP realm="orders"${failure}, algs="ES256 RS256"`

  test.each([
    ['Bearer alone, where no proofs are accepted', {}, tokens, bearer],
    ['Bearer alone, even to a proof that nobody accepts', { scheme: 'dpop' }, tokens, bearer],
    ['both, where both are accepted', {}, proofs, `${bearer}, ${dpop}`],
    ['DPoP alone, where every token must be bound', {}, { ...proofs, requiresProof: true }, dpop],
    ['both with what failed, where it had no scheme', failed, proofs, `${bearer}${failure}, ${failedDpop}`],
    [
      'both, what failed with Bearer, where that was tried',
      { ...failed, scheme: 'bearer' },
      proofs,
      `${bearer}${failure}, ${dpop}`,
    ],
    ['DPoP alone, where that was tried', { ...failed, scheme: 'dpop' }, proofs, failedDpop],
    [
      'DPoP alone with what failed, where Bearer was tried and is not accepted',
      { ...failed, scheme: 'bearer' },
      { ...proofs, requiresProof: true },
      failedDpop,
    ],
  ] as const)('are %s', (_, changes, options, expected) => {
    expect(challenge({ ...content, ...changes }, options)).toBe(expected)
  })

  test('each say where this service describes itself, where they say anything', () => {
    const told = { ...proofs, resourceMetadata: 'https://a.example/meta' }
    const metadata = ', resource_metadata="https://a.example/meta"'
    expect(challenge(content, told)).toBe(
      `${bearer}${metadata}, DPoP realm="orders"${metadata}, algs="ES256 RS256"`,
    )
    expect(challenge({ ...content, scheme: 'bearer' }, told)).toBe(`${bearer}${metadata}, ${dpop}`)
  })

  test('leave empty lists out', () => {
    const stepUp = { acrValues: [], maxAgeSeconds: undefined }
    const error = 'insufficient_user_authentication'
    expect(challenge({ ...content, error, stepUp }, tokens)).toBe(
      `${bearer}, error="${error}", error_description="no"`,
    )
  })
})
