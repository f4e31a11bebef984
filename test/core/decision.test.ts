import { authenticated, callerOptional, scopes, unprotected } from '@countersign/core'
import { describe, expect, test } from 'vitest'
import { decide } from '../../packages/core/src/decision/decide.ts'
import { allow, deny } from '../../packages/core/src/decision/decision.ts'
import { recordDecision, type DecisionFacts } from '../../packages/core/src/decision/record-decision.ts'
import { Refusal } from '../../packages/core/src/refusal.ts'
import { occasion } from './support/occasion.ts'

const nobody = undefined
const facts: DecisionFacts = {
  method: 'GET',
  route: 'GET /orders',
  requirement: 'authenticated()',
  verification: 'none',
  durationMs: 1,
}
const refused = (refusal: Refusal) => deny('d-1', refusal, { status: 401, headers: {}, body: '' }, {})

describe('without a caller', () => {
  test.each([authenticated(), scopes('orders:read')])(
    'a requirement is not met, and the operator is told what to have the caller send',
    (requirement) => {
      expect(decide(nobody, requirement, 0, occasion)).toMatchObject({
        code: 'credential_missing',
        detail: {
          expected: expect.stringMatching(/\S/),
          actual: expect.stringMatching(/\S/),
          advice: expect.stringContaining('Authorization'),
        },
      })
    },
  )

  test.each([unprotected('probe'), callerOptional('greeting')])(
    'what asks for nothing is met',
    (placement) => {
      expect(decide(nobody, placement, 0, occasion)).toBeUndefined()
    },
  )
})

describe('the event of a decision', () => {
  test('of a denial without a caller names nobody, proven by nothing', () => {
    expect(recordDecision(refused(new Refusal('credential_missing')), nobody, 5, facts)).toEqual({
      ...facts,
      id: 'd-1',
      at: 5,
      outcome: 'deny',
      mode: 'enforce',
      code: 'credential_missing',
      caller: null,
      provenBy: [],
      expected: null,
      actual: null,
      advice: null,
      issuer: null,
    })
  })

  test('has everything that the refusal tells the operator', () => {
    const detail = { expected: 'a', actual: 'b', advice: 'c', issuer: 'https://issuer.test' }
    expect(recordDecision(refused(new Refusal('key_unknown', detail)), nobody, 0, facts)).toMatchObject(
      detail,
    )
  })

  test('of an allow without a caller has no code and nothing to tell', () => {
    const decision = allow(nobody, () => 'd-2', {})
    expect(recordDecision(decision, nobody, 5, facts)).toEqual({
      ...facts,
      id: 'd-2',
      at: 5,
      outcome: 'allow',
      mode: 'enforce',
      code: null,
      caller: null,
      provenBy: [],
      expected: null,
      actual: null,
      advice: null,
      issuer: null,
    })
  })
})

describe('the id of an allow', () => {
  test('is made when it is first asked for, and once', () => {
    let made = 0
    const decision = allow(nobody, () => `d-${(made += 1)}`, {})
    expect(made).toBe(0)
    expect([decision.id, decision.id]).toEqual(['d-1', 'd-1'])
    expect(made).toBe(1)
  })
})

test('a denial cannot be changed into an allow', () => {
  expect(() => Object.assign(refused(new Refusal('key_unknown')), { outcome: 'allow' })).toThrow(TypeError)
})
