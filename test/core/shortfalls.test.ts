// What the operator is told of a caller who may not: enough to see what to change, and nothing of its credential.
import { allOf, anyOf, callerIs, freshWithin, provenBy, scopes, type Requirement } from '@countersign/core'
import { describe, expect, test } from 'vitest'
import { refusalOf, requestWith } from './support/asking.ts'
import { createHouse, issuer } from './support/house.ts'

const { guard, token } = createHouse()
const caller = `${issuer}#client=checkout`

async function shortfall(requirement: Requirement, scope?: string) {
  const { refusal } = await refusalOf(guard, requestWith(`Bearer ${token({ scope })}`), requirement)
  return { code: refusal.code, ...refusal.detail }
}

const somebody = callerIs(`${issuer}#client=somebody`)

describe('scopes that are missing', () => {
  test('are told with those that are held, and who to grant them to', async () => {
    expect(await shortfall(scopes('orders:read', 'orders:write'), 'orders:read x')).toEqual({
      code: 'scope_missing',
      expected: 'orders:read orders:write',
      actual: 'orders:read x',
      advice: expect.stringContaining(JSON.stringify(caller)),
    })
  })

  test('are told of who holds none, in words', async () => {
    expect((await shortfall(scopes('orders:read'))).actual).toMatch(/\w/)
  })

  test('are told with 16 of those that are held, at most', async () => {
    const held = Array.from({ length: 20 }, (_, i) => `a:${i}`)
    expect((await shortfall(scopes('orders:read'), held.join(' '))).actual).toBe(held.slice(0, 16).join(' '))
  })
})

test('a caller who is none of those asked for is told beside all of them', async () => {
  const { code, expected, actual } = await shortfall(callerIs('spiffe://prod.example/a', `${issuer}#sub=*`))
  expect([code, actual]).toEqual(['caller_not_allowed', JSON.stringify(caller)])
  expect(expected).toMatch(/^spiffe:\/\/prod\.example\/a \w+ https:\/\/issuer\.test#sub=\*$/)
})

describe('where one of several would do', () => {
  test('and none of one kind is met, the code is of that kind, and all are told', async () => {
    const { code, expected, actual } = await shortfall(anyOf(scopes('a:b'), scopes('c:d', 'e:f')), 'x:y')
    expect([code, actual]).toEqual(['scope_missing', 'x:y'])
    expect(expected).toMatch(/^a:b\W+\w+ c:d e:f$/)
  })

  test('and they are of several kinds, the code is of none, and all are told', async () => {
    const { code, expected, actual } = await shortfall(anyOf(somebody, scopes('a:b'), scopes('c:d')))
    expect([code, actual]).toEqual(['requirement_unmet', JSON.stringify(caller)])
    expect(expected).toMatch(/^https:\/\/issuer\.test#client=somebody\W+\w+ a:b\W+\w+ c:d$/)
  })

  test('the last kind counts as much as the first', async () => {
    expect((await shortfall(anyOf(scopes('a:b'), scopes('c:d'), somebody))).code).toBe('requirement_unmet')
  })
})

test('where all are asked for, the first that is not met is told', async () => {
  expect((await shortfall(allOf(scopes('x:y'), somebody, scopes('a:b')), 'x:y')).code).toBe(
    'caller_not_allowed',
  )
  expect((await shortfall(allOf(scopes('a:b'), somebody))).code).toBe('scope_missing')
})

test.each([freshWithin('5m'), provenBy('dpop')])(
  '$text says what was expected and what came',
  async (asked) => {
    const { expected, actual } = await shortfall(asked)
    expect([expected, actual]).toEqual([expect.stringMatching(/\w/), expect.stringMatching(/\w/)])
  },
)
