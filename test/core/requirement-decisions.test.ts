// What a guard makes of requirements: answers on the wire, and nobody let by without a caller.
import {
  allOf,
  anyOf,
  anyScope,
  authenticated,
  callerIn,
  callerIs,
  callerOptional,
  claim,
  enforced,
  freshWithin,
  not,
  scopes,
  unprotected,
  userScopes,
  type Requirement,
} from '@countersign/core'
import { OtherRequirement, Refusal } from '@countersign/core/adapter'
import { describe, expect, test } from 'vitest'
import { codeOf, refusalOf, requestWith } from './support/asking.ts'
import { createHouse, issuer } from './support/house.ts'
import { mistakeOf } from './support/mistake.ts'

const house = createHouse()
const request = (scope?: string) => requestWith(`Bearer ${house.token({ scope })}`)
const somebody = callerIs(`${issuer}#client=somebody`)
const failing = (check: () => Refusal): Requirement => new OtherRequirement({ text: 'when(…)', check })

describe('who presents nothing is let by', () => {
  test.each<[string, Requirement]>([
    ['anyScope', anyScope('a:b')],
    ['userScopes', userScopes('a:b')],
    ['callerIn', callerIn('shop')],
    ['claim', claim('tenant', 'acme')],
    ['not(scopes)', not(scopes('orders:admin'))],
    ['not(callerIs)', not(somebody)],
    ['not(allOf)', not(allOf(somebody, scopes('a:b')))],
    ['not(not)', not(not(somebody))],
    ['anyOf(…, not)', anyOf(scopes('a:b'), not(somebody))],
  ])('by no requirement: %s', async (_, requirement) => {
    expect(codeOf(await house.guard.decide(requestWith(), requirement))).toBe('credential_missing')
    const garbage = requestWith('Bearer garbage')
    expect(codeOf(await house.guard.decide(garbage, requirement))).toBe('token_malformed')
  })
})

test('not lets by who does not meet it, and refuses who does', async () => {
  const noAdmin = not(scopes('orders:admin'))
  expect(codeOf(await house.guard.decide(request('orders:read'), noAdmin))).toBe('allow')
  const { refusal, response } = await refusalOf(house.guard, request('orders:admin'), noAdmin)
  expect(refusal.code).toBe('requirement_unmet')
  expect(response.status).toBe(403)
  expect(JSON.stringify(response)).not.toContain('orders:admin')
})

test('no challenge names the scopes that a caller must not have', async () => {
  const requirement = allOf(scopes('orders:read'), not(scopes('orders:admin')))
  const { response } = await refusalOf(house.guard, request('orders:admin'), requirement)
  expect(response.headers['www-authenticate']).toContain('scope="orders:read"')
})

describe('an error in a check denies, and says whose fault it is:', () => {
  const broken = failing(() => new Refusal('condition_failed'))
  const missing = failing(() => new Refusal('context_unavailable'))
  const thrown = failing(() => {
    throw new Error('secret text')
  })

  test.each<[string, Requirement, string, number]>([
    ['a condition', broken, 'condition_failed', 403],
    ['a condition within not', not(broken), 'condition_failed', 403],
    ['a condition beside what is not met, within not', not(allOf(somebody, broken)), 'condition_failed', 403],
    ['a context', missing, 'context_unavailable', 503],
    ['a context within not', not(anyOf(authenticatedPart(), missing)), 'context_unavailable', 503],
    ['an exception', thrown, 'internal_error', 500],
    ['an exception within not', not(thrown), 'internal_error', 500],
    ['an exception within anyOf', anyOf(somebody, thrown), 'internal_error', 500],
    ['an exception within allOf', allOf(authenticated(), thrown), 'internal_error', 500],
  ])('%s', async (_, requirement, code, status) => {
    const { refusal, response } = await refusalOf(house.guard, request(), requirement)
    expect(refusal.code).toBe(code)
    expect(response.status).toBe(status)
    expect(response.headers['retry-after']).toBe(status === 503 ? '2' : undefined)
    expect(response.headers['www-authenticate']).toBeUndefined()
    expect(JSON.stringify([refusal, response])).not.toContain('secret text')
  })

  test('unless another alternative is met', async () => {
    for (const error of [broken, missing, thrown]) {
      expect(codeOf(await house.guard.decide(request(), anyOf(error, authenticated())))).toBe('allow')
    }
  })
})

describe('what asks nothing is no part of a requirement:', () => {
  const loosely = { allOf, anyOf, not } as unknown as Readonly<
    Record<'allOf' | 'anyOf' | 'not', (...parts: unknown[]) => unknown>
  >
  const optionOf = { allOf: 'allOf(…)[0]', anyOf: 'anyOf(…)[0]', not: 'not(requirement)' }

  test.each(['allOf', 'anyOf', 'not'] as const)('%s', (name) => {
    for (const placement of [unprotected('probe'), callerOptional('prices')]) {
      expect(mistakeOf(() => loosely[name](placement))).toMatchObject({
        code: 'configuration_invalid',
        option: optionOf[name],
        message: expect.stringContaining(
          `expected a requirement: ${placement.text} stands alone on its route`,
        ),
      })
    }
    for (const value of [undefined, null, true, 'orders:read', () => undefined, { check: () => undefined }]) {
      expect(mistakeOf(() => loosely[name](value))).toMatchObject({
        option: optionOf[name],
        message: expect.stringContaining("expected a requirement, such as scopes('orders:read')"),
      })
    }
  })
})

describe('what is enforced by itself', () => {
  const admin = enforced(scopes('orders:admin'))
  const nested = allOf(authenticated(), allOf(admin, somebody))

  test.each<[string, () => unknown, string, Requirement]>([
    ['an alternative', () => anyOf(admin), 'anyOf(…)[0]', admin],
    ['the last alternative', () => anyOf(somebody, admin), 'anyOf(…)[1]', admin],
    ['a part of an alternative', () => anyOf(somebody, nested), 'anyOf(…)[1]', nested],
    ['what must not be', () => not(admin), 'not(requirement)', admin],
    ['a part of what must not be', () => not(nested), 'not(requirement)', nested],
  ])('is not %s', (_, make, option, part) => {
    expect(mistakeOf(make)).toMatchObject({
      code: 'configuration_invalid',
      option,
      message: expect.stringContaining(
        `${part.text} is enforced as a whole: write enforced(…) around all of it, or in allOf(…)`,
      ),
    })
  })

  test('is a requirement', () => {
    const loosely = enforced as (part: unknown) => unknown
    for (const value of [undefined, null, 'orders:read', unprotected('probe'), callerOptional('prices')]) {
      expect(mistakeOf(() => loosely(value))).toMatchObject({
        option: 'enforced(…)',
        message: expect.stringContaining('expected a requirement'),
      })
    }
  })

  test('may be alternatives, and what must not be, as a whole', () => {
    for (const part of [anyOf(somebody, scopes('a:b')), not(somebody)]) {
      expect(enforced(part).enforced).toBe(part)
      expect(enforced(part).text).toBe(`enforced(${part.text})`)
    }
  })

  test('is decided as it is without, where refusals are refusals', async () => {
    expect(codeOf(await house.guard.decide(request('orders:admin'), admin))).toBe('allow')
    const { refusal, response } = await refusalOf(house.guard, request('orders:read'), admin)
    expect(refusal.code).toBe('scope_missing')
    expect(response.headers['www-authenticate']).toContain('scope="orders:admin"')
    const old = enforced(freshWithin('5m'))
    expect((await refusalOf(house.guard, request(), old)).response.headers['www-authenticate']).toContain(
      'max_age="300"',
    )
  })

  test('is all that is, of several parts, and nothing of those that are not', () => {
    const write = scopes('orders:write')
    expect(allOf(somebody, write).enforced).toBeUndefined()
    expect(allOf(somebody, enforced(write)).enforced).toBe(write)
    expect(allOf(admin, somebody, allOf(enforced(write))).enforced?.text).toBe(
      allOf(scopes('orders:admin'), write).text,
    )
  })
})

/** Met by everybody, without saying so. */
function authenticatedPart(): Requirement {
  return new OtherRequirement({ text: 'anybody', check: () => undefined })
}
