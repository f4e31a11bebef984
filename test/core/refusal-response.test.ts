// What goes out to a refused caller, for every code of the table: what the RFCs ask for, and no more.
import { STATUS_CODES } from 'node:http'
import {
  authenticated,
  callerOptional,
  scopes,
  unprotected,
  type Placement,
  type RefusalCode,
} from '@countersign/core'
import { describe, expect, test } from 'vitest'
import { challenge, type ChallengeOptions } from '../../packages/core/src/enforcement/challenge.ts'
import { RefusalResponses } from '../../packages/core/src/enforcement/refusal-response.ts'
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
  readonly isHttp2?: boolean
}

const answer = (code: RefusalCode, asked: Asked = {}, options = tokens) => {
  const { placement, scheme, nonce, isHttp2 = false } = asked
  return new RefusalResponses(options).of(new Refusal(code), {
    id: 'decision-1',
    placement,
    scheme,
    nonce,
    isHttp2,
  })
}

const table = Object.entries(refusals) as [RefusalCode, RefusalEntry][] // its keys are the codes

describe.each(table)('%s', (code, { status, error, sentence, endsConnection }) => {
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
    const names = ['cache-control', ...(endsConnection === true ? ['connection'] : []), 'content-type']
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

  test('ends the connection where the table says so, and never by a header in HTTP/2', () => {
    expect(answer(code).headers['connection']).toBe(endsConnection === true ? 'close' : undefined)
    expect(answer(code, { isHttp2: true }).headers).not.toHaveProperty('connection')
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

test('an answer has nothing of one that was given before: neither its scopes, scheme and nonce, nor its decision', () => {
  const shared = new RefusalResponses(proofs)
  const placements = [undefined, unprotected('probe'), scopes('orders:read'), scopes('orders:write')]
  const contexts = placements.flatMap((placement) =>
    [undefined, 'bearer' as const, 'dpop' as const].flatMap((scheme) =>
      [undefined, 'n-1', 'n-2'].flatMap((nonce, i) =>
        [false, true].map((isHttp2) => ({ id: `id-${i}`, placement, scheme, nonce, isHttp2 })),
      ),
    ),
  )
  for (const [code] of table) {
    for (const context of [...contexts, ...contexts.toReversed()]) {
      const refusal = new Refusal(code)
      expect(shared.of(refusal, context)).toEqual(new RefusalResponses(proofs).of(refusal, context))
    }
  }
})

describe('the challenge of a refusal', () => {
  const challengeOf = (code: RefusalCode, placement?: Placement) =>
    answer(code, placement === undefined ? {} : { placement }).headers['www-authenticate']

  test.each<[string, Placement | undefined]>([
    ['no declaration', undefined],
    ['unprotected', unprotected('probe')],
    ['callerOptional', callerOptional('greeting')],
    ['authenticated', authenticated()],
  ])('names no scopes where the route asks for none: %s', (_, placement) => {
    expect(challengeOf('credential_missing', placement)).toBe('Bearer realm="orders"')
  })
})

test('a step up of which nothing is said adds nothing to the challenge', () => {
  const stepUp = { acrValues: [], maxAgeSeconds: undefined }
  const error = 'insufficient_user_authentication'
  expect(challenge({ error, sentence: 'no', scopes: [], stepUp, scheme: undefined }, tokens)).toBe(
    `Bearer realm="orders", error="${error}", error_description="no"`,
  )
})
