import { allOf, callerIn, callerIs, claim, not, type Requirement } from '@countersign/core'
import { describe, expect, test } from 'vitest'
import { issuer } from './support/house.ts'
import { inZones, serviceWith } from './support/known-callers.ts'
import { mistakeOf } from './support/mistake.ts'
import { occasion } from './support/occasion.ts'

const nobodySpecial = await serviceWith()

describe('callerIn', () => {
  test.each([
    [[], 'caller_not_allowed'],
    [['lab'], 'caller_not_allowed'],
    [['Shop'], 'caller_not_allowed'],
    [['shop2', 'sho', ''], 'caller_not_allowed'],
    [['*'], 'caller_not_allowed'],
    [['shop'], 'allow'],
    [['lab', 'back-office'], 'allow'],
  ])('of a caller in %j is answered with %s', (zones, code) => {
    const caller = inZones(nobodySpecial, ...zones)
    expect(callerIn('shop', 'back-office').check(caller, 0, occasion)?.code ?? 'allow').toBe(code)
  })

  test('is met by nobody where no policy document speaks of zones', () => {
    expect(callerIn('shop').check(nobodySpecial, 0, occasion)?.code).toBe('caller_not_allowed')
  })

  const loosely = callerIn as (...zones: unknown[]) => unknown
  test.each([undefined, null, 5, '', 'a b', ' ', 'é', 'a\n', 'x'.repeat(257), ['shop']])(
    'does not take %j for a zone',
    (zone) => {
      expect(mistakeOf(() => loosely('shop', zone))).toMatchObject({
        option: 'callerIn(…)[1]',
        message: expect.stringMatching(/name of a zone.*`shop`/),
      })
    },
  )

  test('takes every name without spaces, and at least one', () => {
    for (const zone of ['!', '~', 'x'.repeat(256)]) expect(callerIn(zone).text).toBe(`callerIn(${zone})`)
    expect(mistakeOf(() => loosely())).toMatchObject({
      option: 'callerIn()',
      message: expect.stringMatching(/such as callerIn\('shop'\).*would allow everybody/),
    })
  })
})

describe('claim', () => {
  const answer = async (
    claims: Readonly<Record<string, unknown>>,
    requirement: Requirement,
  ): Promise<string> => requirement.check(await serviceWith(claims), 0, occasion)?.code ?? 'allow'

  test.each<[string, Requirement, unknown, boolean]>([
    ['text', claim('tenant', 'acme'), 'acme', true],
    ['other text', claim('tenant', 'acme'), 'acme2', false],
    ['text in another case', claim('tenant', 'acme'), 'Acme', false],
    ['empty text', claim('tenant', ''), '', true],
    ['one of several', claim('tenant', 'acme', 'globex'), 'globex', true],
    ['none of several', claim('tenant', 'acme', 'globex'), 'initech', false],
    ['a number', claim('tenant', 5), 5, true],
    ['a number for text', claim('tenant', '5'), 5, false],
    ['text for a number', claim('tenant', 5), '5', false],
    ['a boolean', claim('tenant', true), true, true],
    ['another boolean', claim('tenant', true), false, false],
    ['text for a boolean', claim('tenant', true), 'true', false],
    ['a number for a boolean', claim('tenant', true), 1, false],
    ['null', claim('tenant', false), null, false],
    ['nothing', claim('tenant', 'undefined'), undefined, false],
    ['a list with it', claim('tenant', 'acme'), ['globex', 'acme'], true],
    ['a list with one of several', claim('tenant', 'acme', 5), ['x', 5], true],
    ['a list without it', claim('tenant', 'acme'), ['acme2', 'Acme', '', 5, null], false],
    ['an empty list', claim('tenant', 'acme'), [], false],
    ['a list in a list', claim('tenant', 'acme'), [['acme']], false],
    ['an object with it', claim('tenant', 'acme'), { acme: 'acme' }, false],
    ['a path', claim(['tenant', 'roles'], 'clerk'), { roles: ['clerk'] }, true],
    ['a path that ends early', claim(['tenant', 'roles'], 'clerk'), 'clerk', false],
    ['a path that goes on', claim('tenant', 'clerk'), { roles: 'clerk' }, false],
    ['a path of one', claim(['tenant'], 'acme'), 'acme', true],
    ['a dot in a name', claim('tenant.roles', 'clerk'), { roles: 'clerk' }, false],
    ['a place in a list', claim(['tenant', '0'], 'clerk'), ['clerk'], false],
    ['the length of a list', claim(['tenant', 'length'], 1), ['clerk'], false],
    ['the length of a text', claim(['tenant', 'length'], 4), 'acme', false],
    ['what objects inherit', claim(['tenant', 'constructor', 'name'], 'Object'), {}, false],
    ['what is named so in the token', claim(['tenant', 'constructor'], 'x'), { constructor: 'x' }, true],
  ])('of %s', async (_, requirement, tenant, isMet) => {
    expect(await answer({ tenant }, requirement)).toBe(isMet ? 'allow' : 'requirement_unmet')
  })

  test('is not met by what claims inherit', async () => {
    expect(await answer({}, claim(['constructor', 'name'], 'Object'))).toBe('requirement_unmet')
    expect(await answer({}, claim(['toString', 'length'], 0))).toBe('requirement_unmet')
  })

  test('asks permissions as scopes are asked (U41), and together with who says so', async () => {
    const requirement = allOf(claim('permissions', 'orders:read'), claim('iss', issuer))
    expect(await answer({ permissions: ['orders:read', 'x'] }, requirement)).toBe('allow')
    expect(await answer({ permissions: 'orders:read' }, requirement)).toBe('allow')
    expect(await answer({ permissions: 'orders:read x' }, requirement)).toBe('requirement_unmet')
    expect(await answer({}, requirement)).toBe('requirement_unmet')
  })

  test('that is missing is not met, so the opposite is', async () => {
    expect(await answer({}, not(claim('suspended', true)))).toBe('allow')
    expect(await answer({ suspended: true }, not(claim('suspended', true)))).toBe('requirement_unmet')
  })

  const loosely = claim as (...given: unknown[]) => unknown
  test.each([
    undefined,
    null,
    5,
    '',
    [],
    [''],
    ['a', ''],
    ['a', 5],
    '__proto__',
    ['a', '__proto__'],
    'a\nb',
    'a\u202eb',
    {},
  ])('does not take %j for a path', (path) => {
    expect(mistakeOf(() => loosely(path, 'x'))).toMatchObject({
      option: 'claim(path, …)',
      message: expect.stringContaining("['realm_access', 'roles']"),
    })
  })

  test.each([undefined, null, NaN, Infinity, {}, ['x'], () => 'x', 5n])(
    'does not take %s for a value',
    (value) => {
      expect(mistakeOf(() => loosely('tenant', 'x', value))).toMatchObject({
        option: 'claim(…)[2]',
        message: expect.stringContaining('text, a finite number, true or false'),
      })
    },
  )

  test('asks for at least one value', () => {
    expect(mistakeOf(() => loosely('tenant'))).toMatchObject({
      option: 'claim()',
      message: expect.stringContaining("such as claim('permissions', 'orders:read')"),
    })
  })

  test.each([
    ['sub', 'sub'],
    ['client_id', 'client'],
  ])('does not take %s, which says nothing without its issuer', (name, kind) => {
    for (const path of [name, [name]]) {
      expect(mistakeOf(() => loosely(path, 'checkout'))).toMatchObject({
        option: 'claim(path, …)',
        message: expect.stringContaining(`callerIs('https://idp.internal#${kind}=…')`),
      })
    }
    expect(claim([name, 'x'], 'y').text).toBe(`claim(${name}.x, "y")`)
    expect(callerIs(`https://idp.internal#${kind}=checkout`).scopes).toEqual([])
  })
})
