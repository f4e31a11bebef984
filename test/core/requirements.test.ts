import {
  allOf,
  anyOf,
  authenticated,
  callerIs,
  callerOptional,
  ConfigurationError,
  createGuard,
  scopes,
  unprotected,
  type GuardOptions,
  type Requirement,
} from '@countersign/core'
import { createTestCa, createTestClock } from '@countersign/testing'
import { describe, expect, test } from 'vitest'
import { createTlsServer } from '../../packages/core/src/tls/tls-server.ts'
import { codeOf, connectionOf, requestWith } from './support/asking.ts'
import { createHouse, issuer } from './support/house.ts'
import { mistakeOf } from './support/mistake.ts'
import { createRawSigner } from './support/raw-signer.ts'

const clock = createTestClock()
const house = createHouse({ clock })
const ca = await createTestCa({ trustDomain: 'prod.example', now: new Date(clock.now()) })

async function codeWith(requirement: Requirement, scope?: string): Promise<string> {
  const token = house.token({ scope })
  return codeOf(await house.guard.decide(requestWith(`Bearer ${token}`), requirement))
}

describe('scopes', () => {
  test.each([
    [undefined, 'scope_missing'],
    ['', 'scope_missing'],
    ['orders:read', 'scope_missing'],
    ['orders:write', 'scope_missing'],
    ['orders:read orders:write', 'allow'],
    ['x orders:write y orders:read', 'allow'],
    ['orders:readorders:write', 'scope_missing'],
  ])('asks for all of its names, so %j is answered with %s', async (scope, code) => {
    expect(await codeWith(scopes('orders:read', 'orders:write'), scope)).toBe(code)
  })

  test('refuses with 403, the scopes that are needed, and nothing of what the caller has', async () => {
    const token = house.token({ scope: 'very:private' })
    const decision = await house.guard.decide(requestWith(`Bearer ${token}`), scopes('orders:read'))
    expect(decision).toMatchObject({
      response: { status: 403 },
      refusal: { detail: { expected: 'orders:read' } },
    })
    expect(JSON.stringify(decision.outcome === 'deny' && decision.response)).not.toContain('very:private')
  })

  test('compares scopes that are not of the algebra exactly', async () => {
    expect(await codeWith(scopes('https://api.example/read'), 'https://api.example/read')).toBe('allow')
    expect(await codeWith(scopes('Orders.Read'), 'orders.read')).toBe('scope_missing')
  })
})

describe('callerIs', () => {
  const guard = createGuard(
    { certificates: { trustDomains: { 'prod.example': ca.bundle } }, log: false },
    { clock },
  )

  test.each([
    ['spiffe://prod.example/ns/shop/sa/checkout', 'allow'],
    ['spiffe://prod.example/ns/shop/sa/*', 'allow'],
    ['spiffe://prod.example/ns/*/sa/checkout', 'allow'],
    ['spiffe://prod.example/*/*/*/*', 'allow'],
    ['spiffe://prod.example/ns/shop/sa', 'caller_not_allowed'],
    ['spiffe://prod.example/ns/shop/*', 'caller_not_allowed'],
    ['spiffe://prod.example/*', 'caller_not_allowed'],
    ['spiffe://prod.example/ns/shop/sa/checkout/*', 'caller_not_allowed'],
    ['spiffe://prod.example/ns/shop/sa/check', 'caller_not_allowed'],
    ['spiffe://prod.example/ns/shop/sa/checkout2', 'caller_not_allowed'],
    ['spiffe://prod.example/NS/shop/sa/checkout', 'caller_not_allowed'],
    ['spiffe://prod.example.evil/ns/shop/sa/checkout', 'caller_not_allowed'],
    ['spiffe://lab.example/ns/shop/sa/*', 'caller_not_allowed'],
    [`${issuer}#client=checkout`, 'caller_not_allowed'],
  ])('%s answers the checkout service with %s', async (pattern, code) => {
    const socket = connectionOf(await ca.svid('/ns/shop/sa/checkout'))
    expect(codeOf(await guard.decide(requestWith(undefined, socket), callerIs(pattern)))).toBe(code)
  })

  test.each([
    [`${issuer}#client=checkout`, 'allow'],
    [`${issuer}#client=*`, 'allow'],
    [`${issuer}#sub=checkout`, 'caller_not_allowed'],
    [`${issuer}#sub=*`, 'caller_not_allowed'],
    [`${issuer}#client=check`, 'caller_not_allowed'],
    ['https://issuer.test.evil#client=*', 'caller_not_allowed'],
    ['https://issuer.tes#client=*', 'caller_not_allowed'],
    [`${issuer}/#client=checkout`, 'caller_not_allowed'],
  ])('%s answers the client of an issuer with %s', async (pattern, code) => {
    expect(await codeWith(callerIs(pattern))).toBe(code)
  })

  test('takes one of several', async () => {
    expect(await codeWith(callerIs(`${issuer}#client=other`, `${issuer}#client=checkout`))).toBe('allow')
    expect(await codeWith(callerIs(`${issuer}#client=other`, `${issuer}#client=another`))).toBe(
      'caller_not_allowed',
    )
  })
})

describe('requirements together', () => {
  const read = scopes('orders:read')
  const write = scopes('orders:write')
  const me = callerIs(`${issuer}#client=checkout`)
  const somebody = callerIs(`${issuer}#client=somebody`)

  test.each([
    ['allOf(read, me)', allOf(read, me), 'orders:read', 'allow'],
    ['allOf(read, somebody)', allOf(read, somebody), 'orders:read', 'caller_not_allowed'],
    ['allOf(somebody, read)', allOf(somebody, read), '', 'caller_not_allowed'],
    ['allOf(read, write)', allOf(read, write), 'orders:read', 'scope_missing'],
    ['anyOf(read, write)', anyOf(read, write), 'orders:write', 'allow'],
    ['anyOf(read, write)', anyOf(read, write), 'orders:delete', 'scope_missing'],
    ['anyOf(read, somebody)', anyOf(read, somebody), 'x', 'requirement_unmet'],
    ['anyOf(somebody, read)', anyOf(somebody, read), 'orders:read', 'allow'],
    ['anyOf(allOf(read, write), me)', anyOf(allOf(read, write), me), '', 'allow'],
    [
      'allOf(anyOf(read, write), somebody)',
      allOf(anyOf(read, write), somebody),
      'orders:read',
      'caller_not_allowed',
    ],
    ['authenticated()', authenticated(), '', 'allow'],
  ])('%s answers as its parts do', async (_, requirement, scope, code) => {
    expect(await codeWith(requirement, scope)).toBe(code)
  })

  test.each([
    ['scopes', read],
    ['callerIs', me],
    ['authenticated', authenticated()],
    ['allOf', allOf(authenticated())],
    ['anyOf', anyOf(authenticated(), read)],
  ])('%s never allows who presents nothing', async (_, requirement) => {
    expect(codeOf(await house.guard.decide(requestWith(), requirement))).toBe('credential_missing')
  })

  test('read as one line, with every scope that is named', () => {
    const requirement = allOf(read, anyOf(write, scopes('orders:read', 'orders:audit')), authenticated())
    expect(requirement.text).toBe(
      'allOf(scopes(orders:read), anyOf(scopes(orders:write), scopes(orders:read, orders:audit)), authenticated())',
    )
    expect(requirement.scopes).toEqual(['orders:read', 'orders:write', 'orders:audit'])
    const either = callerIs(`${issuer}#client=a`, `${issuer}#sub=b`)
    expect(either.text).toBe(`callerIs(${issuer}#client=a, ${issuer}#sub=b)`)
    expect(either.scopes).toEqual([])
    expect(allOf(read, write).stepUp).toBeUndefined()
  })

  test('cannot be changed after they were made', () => {
    expect(() => Object.assign(read, { scopes: [] })).toThrow(TypeError)
    expect(() => Object.assign(read, { check: () => undefined })).toThrow(TypeError)
    expect(() => Object.assign(me, { check: () => undefined })).toThrow(TypeError)
    expect(() => Object.assign(read.scopes, { 0: 'x' })).toThrow(TypeError)
  })
})

// Callers without types get here too, so what does not compile is passed all the same.
const loosely = {
  scopes: scopes as (...names: unknown[]) => unknown,
  callerIs: callerIs as (...patterns: unknown[]) => unknown,
  allOf: allOf as (...requirements: unknown[]) => unknown,
  anyOf: anyOf as (...requirements: unknown[]) => unknown,
  unprotected: unprotected as (reason?: unknown) => unknown,
  callerOptional: callerOptional as (reason?: unknown) => unknown,
}

describe('a requirement that cannot be meant is refused where it is written:', () => {
  const mistakes: readonly (readonly [string, () => unknown, string, RegExp])[] = [
    [
      'no scopes',
      () => loosely.scopes(),
      'scopes()',
      /such as scopes\('orders:read'\).*would allow everybody/,
    ],
    ['no callers', () => loosely.callerIs(), 'callerIs()', /such as callerIs\('spiffe:/],
    ['nothing of all', () => loosely.allOf(), 'allOf()', /at least one requirement/],
    [
      'a scope that is a list',
      () => loosely.scopes(['orders:read']),
      'scopes(…)[0]',
      /such as `orders:read`/,
    ],
    ['an empty scope', () => loosely.scopes('orders:read', ''), 'scopes(…)[1]', /such as `orders:read`/],
    ['a scope that is undefined', () => loosely.scopes(undefined), 'scopes(…)[0]', /such as `orders:read`/],
    [
      'two scopes in one text',
      () => loosely.scopes('orders:read orders:write'),
      'scopes(…)[0]',
      /without space/,
    ],
    ['a scope with a quote', () => loosely.scopes('a"b'), 'scopes(…)[0]', /quote/],
    ['a wildcard scope', () => loosely.scopes('orders:*'), 'scopes(…)[0]', /orders:read/],
    ['no callers', () => loosely.callerIs(), 'callerIs()', /would allow everybody/],
    ['a caller that is no text', () => loosely.callerIs(5), 'callerIs(…)[0]', /a caller id/],
    ['a caller that is empty', () => loosely.callerIs(''), 'callerIs(…)[0]', /spiffe:\/\/<trust domain>/],
    ['a bare name', () => loosely.callerIs('checkout'), 'callerIs(…)[0]', /<issuer>#client=/],
    ['every caller', () => loosely.callerIs('*'), 'callerIs(…)[0]', /spiffe:/],
    [
      'every trust domain',
      () => loosely.callerIs('spiffe://*/checkout'),
      'callerIs(…)[0]',
      /whole path segment/,
    ],
    [
      'part of a trust domain',
      () => loosely.callerIs('spiffe://*.example/x'),
      'callerIs(…)[0]',
      /whole path/,
    ],
    ['a whole trust domain', () => loosely.callerIs('spiffe://prod.example'), 'callerIs(…)[0]', /<path>/],
    [
      'part of a segment',
      () => loosely.callerIs('spiffe://prod.example/ns/sh*'),
      'callerIs(…)[0]',
      /whole path/,
    ],
    ['a double wildcard', () => loosely.callerIs('spiffe://prod.example/**'), 'callerIs(…)[0]', /whole path/],
    [
      'dots in a path',
      () => loosely.callerIs('spiffe://prod.example/a/../b'),
      'callerIs(…)[0]',
      /whole path/,
    ],
    ['a final slash', () => loosely.callerIs('spiffe://prod.example/a/'), 'callerIs(…)[0]', /whole path/],
    ['upper case', () => loosely.callerIs('spiffe://Prod.example/a'), 'callerIs(…)[0]', /whole path/],
    ['every issuer', () => loosely.callerIs('*#client=checkout'), 'callerIs(…)[0]', /<issuer>#client=/],
    ['part of a client', () => loosely.callerIs(`${issuer}#client=check*`), 'callerIs(…)[0]', /<client_id>/],
    ['an issuer alone', () => loosely.callerIs(issuer), 'callerIs(…)[0]', /<client_id>/],
    ['all of nothing', () => loosely.allOf(), 'allOf()', /would allow everybody/],
    ['any of nothing', () => loosely.anyOf(), 'anyOf()', /would allow everybody/],
    ['all of a text', () => loosely.allOf('orders:read'), 'allOf(…)[0]', /scopes\('orders:read'\)/],
    ['all of a function', () => loosely.allOf(() => undefined), 'allOf(…)[0]', /a requirement/],
    ['any of true', () => loosely.anyOf(authenticated(), true), 'anyOf(…)[1]', /a requirement/],
    ['any of the unprotected', () => loosely.anyOf(unprotected('x')), 'anyOf(…)[0]', /a requirement/],
    ['all of the optional', () => loosely.allOf(callerOptional('x')), 'allOf(…)[0]', /a requirement/],
    [
      'any of a look-alike',
      () => loosely.anyOf({ text: 'x', scopes: [], check: () => undefined }),
      'anyOf(…)[0]',
      /a requirement/,
    ],
    ['unprotected without a reason', () => loosely.unprotected(), 'unprotected(reason)', /say why/],
    ['unprotected for a blank reason', () => loosely.unprotected('  '), 'unprotected(reason)', /say why/],
    ['optional without a reason', () => loosely.callerOptional(''), 'callerOptional(reason)', /say why/],
  ]

  test.each(mistakes)('%s', (_, write, option, advice) => {
    expect(mistakeOf(write)).toMatchObject({
      code: 'configuration_invalid',
      option,
      message: expect.stringMatching(advice),
    })
  })

  test.each([undefined, null, true, {}, 'authenticated', () => true])(
    '%j in place of a requirement',
    (value) => {
      const write = () => house.guard.decide(requestWith(), value as Requirement)
      expect(mistakeOf(write)).toMatchObject({ option: 'requirement' })
    },
  )

  test('a requirement of another copy of the library', () => {
    const foreign = Object.create(null, {
      [Symbol.for('countersign.copy')]: { value: '9.9.9 at file:///elsewhere/copy.js' },
    })
    expect(mistakeOf(() => loosely.allOf(foreign))).toMatchObject({
      message: expect.stringMatching(/9\.9\.9 at file:\/\/\/elsewhere.*install one version only/),
    })
  })
})

describe('options that cannot be meant are refused by name:', () => {
  const issuers = [issuer]
  const audience = 'orders'
  const given = { issuer, jwks: { keys: [house.signer.jwk] } }
  const bundle = { 'prod.example': ca.bundle }
  const one = (changes: object): object => ({ audience, issuers: [{ ...given, ...changes }] })

  const mistakes: readonly (readonly [string, unknown, string, RegExp])[] = [
    ['none', {}, 'issuers', /no credential is accepted/],
    ['null', null, 'options', /expected an object, got null/],
    ['a list', [issuer], 'options', /expected an object, got an array/],
    ['a text', issuer, 'options', /expected an object, got a string/],
    ['a misspelt option', { audience, issuers, audiance: 'x' }, 'audiance', /no such option.*`audience`/],
    ['an audience without issuers', { audience }, 'audience', /name who issues them/],
    ['issuers without an audience', { issuers }, 'audience', /this service/],
    ['an empty audience', { issuers, audience: '' }, 'audience', /own name/],
    ['no audiences', { issuers, audience: [] }, 'audience', /an empty array/],
    ['an empty one of several audiences', { issuers, audience: ['orders', ''] }, 'audience', /strings/],
    ['an audience that is an expression', { issuers, audience: /orders/ }, 'audience', /got an object/],
    ['an audience that is null', { issuers, audience: null }, 'audience', /got null/],
    ['no issuers', { audience, issuers: [] }, 'issuers', /an empty array/],
    ['issuers that are one text', { audience, issuers: issuer }, 'issuers', /expected a list/],
    ['issuers that are null', { audience, issuers: null }, 'issuers', /got null/],
    ['an issuer that is no URL', { audience, issuers: ['idp'] }, 'issuers[0].issuer', /expected a URL/],
    ['an issuer that is null', { audience, issuers: [null] }, 'issuers[0]', /expected an object/],
    ['an issuer without a name', { audience, issuers: [{}] }, 'issuers[0].issuer', /expected a URL/],
    [
      'an issuer over http',
      { audience, issuers: ['http://idp.test'] },
      'issuers[0].issuer',
      /dangerouslyAllowHttp/,
    ],
    [
      'an issuer with a query',
      { audience, issuers: ['https://idp.test?a'] },
      'issuers[0].issuer',
      /no query/,
    ],
    [
      'an issuer with a fragment',
      { audience, issuers: ['https://idp.test#a'] },
      'issuers[0].issuer',
      /fragment/,
    ],
    [
      'an issuer with a user',
      { audience, issuers: ['https://u@idp.test'] },
      'issuers[0].issuer',
      /user name/,
    ],
    [
      'an issuer with a password',
      { audience, issuers: ['https://:p@idp.test'] },
      'issuers[0].issuer',
      /user name/,
    ],
    [
      'an issuer with a space',
      { audience, issuers: ['https://idp.test/a b'] },
      'issuers[0].issuer',
      /as it stands/,
    ],
    ['an issuer twice', { audience, issuers: [issuer, given] }, 'issuers[1]', /write each issuer once/],
    ['a misspelt option of an issuer', one({ audiance: 'x' }), 'issuers[0].audiance', /no such option/],
    ['keys twice', one({ jwksUri: `${issuer}/k` }), 'issuers[0].jwks', /either `jwks` or `jwksUri`/],
    [
      'a key URL over http',
      { audience, issuers: [{ issuer, jwksUri: 'http://idp.test/k' }] },
      'issuers[0].jwksUri',
      /https/,
    ],
    [
      'a key URL that is none',
      { audience, issuers: [{ issuer, jwksUri: '/k' }] },
      'issuers[0].jwksUri',
      /https/,
    ],
    ['keys that are null', one({ jwks: null }), 'issuers[0].jwks', /JWK Set/],
    ['keys that are a list', one({ jwks: [house.signer.jwk] }), 'issuers[0].jwks', /JWK Set/],
    ['no keys', one({ jwks: { keys: [] } }), 'issuers[0].jwks', /at least one usable/],
    ['an authority that is no PEM', one({ ca: 'ca.pem' }), 'issuers[0].ca', /PEM text/],
    ['no algorithms', one({ algorithms: [] }), 'issuers[0].algorithms', /expected some of RS256/],
    ['a symmetric algorithm', one({ algorithms: ['ES256', 'HS256'] }), 'issuers[0].algorithms', /symmetric/],
    ['the algorithm none', one({ algorithms: ['none'] }), 'issuers[0].algorithms', /not to be had/],
    [
      'an algorithm that is a text',
      one({ algorithms: 'ES256' }),
      'issuers[0].algorithms',
      /an array of strings/,
    ],
    ['an empty audience of an issuer', one({ audience: '' }), 'issuers[0].audience', /own name/],
    [
      'an unknown representation',
      one({ represents: 'machine' }),
      'issuers[0].represents',
      /'auto', 'workload' or 'user'/,
    ],
    ['a representation that is null', one({ represents: null }), 'issuers[0].represents', /'auto'/],
    [
      'a workload claim without domains',
      one({ workloadClaim: 'sub' }),
      'issuers[0].trustDomains',
      /whose workloads/,
    ],
    [
      'domains without a workload claim',
      one({ trustDomains: ['prod.example'] }),
      'issuers[0].workloadClaim',
      /spiffe_id/,
    ],
    [
      'a domain that is a URL',
      one({ workloadClaim: 'x', trustDomains: ['spiffe://prod.example'] }),
      'issuers[0].trustDomains',
      /prod\.example/,
    ],
    ['no trust domains', { certificates: { trustDomains: {} } }, 'certificates.trustDomains', /at least one/],
    ['certificates without domains', { certificates: {} }, 'certificates.trustDomains', /at least one/],
    [
      'a misspelt certificate option',
      { certificates: { trustDomain: bundle } },
      'certificates.trustDomain',
      /no such option/,
    ],
    [
      'a trust domain in upper case',
      { certificates: { trustDomains: { 'Prod.example': ca.bundle } } },
      "certificates.trustDomains['Prod.example']",
      /lower case/,
    ],
    [
      'a trust domain that is a URL',
      { certificates: { trustDomains: { 'spiffe://x': ca.bundle } } },
      "certificates.trustDomains['spiffe://x']",
      /no scheme/,
    ],
    [
      'an empty bundle',
      { certificates: { trustDomains: { 'prod.example': '' } } },
      "certificates.trustDomains['prod.example']",
      /PEM text, the path/,
    ],
    [
      'a missing bundle',
      { certificates: { trustDomains: { 'prod.example': './nowhere.pem' } } },
      "certificates.trustDomains['prod.example']",
      /cannot be read/,
    ],
    [
      'a bundle of something else',
      {
        certificates: {
          trustDomains: { 'prod.example': '-----BEGIN PUBLIC KEY-----\nAAAA\n-----END PUBLIC KEY-----' },
        },
      },
      "certificates.trustDomains['prod.example']",
      /found none/,
    ],
    [
      'a bundle that is garbled',
      {
        certificates: {
          trustDomains: { 'prod.example': '-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----' },
        },
      },
      "certificates.trustDomains['prod.example']",
      /certificate 1 cannot be read/,
    ],
    [
      'garbled intermediates',
      { certificates: { trustDomains: bundle, intermediates: 'x'.repeat(9) } },
      'certificates.intermediates',
      /cannot be read/,
    ],
    [
      'certificates beside nameless workloads',
      { audience, issuers, certificates: { trustDomains: bundle } },
      'issuers[0].workloadClaim',
      /represents: 'user'/,
    ],
    ['grants that are a list', { audience, issuers, grants: [] }, 'grants', /expected an object/],
    ['grants that are null', { audience, issuers, grants: null }, 'grants', /expected an object/],
    [
      'a grant that is a text',
      { audience, issuers, grants: { 'spiffe://a/b': 'orders:read' } },
      "grants['spiffe://a/b']",
      /an array of scopes/,
    ],
    [
      'a grant for a bare name',
      { audience, issuers, grants: { checkout: [] } },
      "grants['checkout']",
      /<issuer>#client=/,
    ],
    [
      'a grant of everything',
      { audience, issuers, grants: { 'spiffe://a/b': ['*'] } },
      "grants['spiffe://a/b'][0]",
      /whole action/,
    ],
    [
      'a grant of every resource',
      { audience, issuers, grants: { 'spiffe://a/b': ['*:read'] } },
      "grants['spiffe://a/b'][0]",
      /whole action/,
    ],
    [
      'a grant of part of an action',
      { audience, issuers, grants: { 'spiffe://a/b': ['orders:re*'] } },
      "grants['spiffe://a/b'][0]",
      /whole action/,
    ],
    [
      'a grant of two wildcards',
      { audience, issuers, grants: { 'spiffe://a/b': ['a:*:*'] } },
      "grants['spiffe://a/b'][0]",
      /whole action/,
    ],
    [
      'an empty grant',
      { audience, issuers, grants: { 'spiffe://a/b': ['a:b', ''] } },
      "grants['spiffe://a/b'][1]",
      /expected a scope/,
    ],
    ['allowing the undeclared', { audience, issuers, undeclared: 'allow' }, 'undeclared', /a requirement/],
    [
      'opening the undeclared',
      { audience, issuers, undeclared: unprotected('x') },
      'undeclared',
      /a requirement/,
    ],
    ['a switch for the undeclared', { audience, issuers, undeclared: false }, 'undeclared', /a requirement/],
    ['a log that is true', { audience, issuers, log: true }, 'log', /a method `warn`/],
    ['a log without warn', { audience, issuers, log: { info() {} } }, 'log', /a method `warn`/],
    ['a realm with a quote', { audience, issuers, realm: 'a"b' }, 'realm', /without quote/],
    ['a realm with a line break', { audience, issuers, realm: 'a\nb' }, 'realm', /printable/],
    ['an empty realm', { audience, issuers, realm: '' }, 'realm', /printable/],
    [
      'a tolerance that is no number',
      { audience, issuers, clockToleranceSeconds: Number.NaN },
      'clockToleranceSeconds',
      /from 0 to 300/,
    ],
    [
      'an endless tolerance',
      { audience, issuers, clockToleranceSeconds: Infinity },
      'clockToleranceSeconds',
      /from 0 to 300/,
    ],
    [
      'a negative tolerance',
      { audience, issuers, clockToleranceSeconds: -1 },
      'clockToleranceSeconds',
      /from 0 to 300/,
    ],
    [
      'a huge tolerance',
      { audience, issuers, clockToleranceSeconds: 301 },
      'clockToleranceSeconds',
      /from 0 to 300/,
    ],
    [
      'a tolerance that is a text',
      { audience, issuers, clockToleranceSeconds: '30' },
      'clockToleranceSeconds',
      /got a string/,
    ],
    [
      'a wrong tolerance without issuers',
      { certificates: { trustDomains: bundle }, clockToleranceSeconds: Number.NaN },
      'clockToleranceSeconds',
      /from 0 to 300/,
    ],
    ['an empty cache', { audience, issuers, cache: { maxEntries: 0 } }, 'cache.maxEntries', /from 1/],
    ['a cache of nothing', { audience, issuers, cache: { maxBytes: 0 } }, 'cache.maxBytes', /from 1048576/],
    ['half a byte', { audience, issuers, cache: { maxBytes: 2 ** 20 + 0.5 } }, 'cache.maxBytes', /expected/],
    ['half an entry', { audience, issuers, cache: { maxEntries: 1.5 } }, 'cache.maxEntries', /expected/],
    ['a cache that is a number', { audience, issuers, cache: 5 }, 'cache', /expected an object/],
    [
      'a misspelt cache option',
      { audience, issuers, cache: { maxEntry: 5 } },
      'cache.maxEntry',
      /no such option/,
    ],
    [
      'http for everybody',
      { audience, issuers, dangerouslyAllowHttp: true },
      'dangerouslyAllowHttp',
      /an array of strings/,
    ],
    [
      'http for another issuer',
      { audience, issuers: ['http://idp.test'], dangerouslyAllowHttp: ['http://idp.test.evil'] },
      'issuers[0].issuer',
      /expected https/,
    ],
    [
      'http for a prefix',
      { audience, issuers: ['http://idp.test/a'], dangerouslyAllowHttp: ['http://idp.test'] },
      'issuers[0].issuer',
      /expected https/,
    ],
    [
      'ftp',
      { audience, issuers: ['ftp://idp.test'], dangerouslyAllowHttp: ['ftp://idp.test'] },
      'issuers[0].issuer',
      /expected https/,
    ],
  ]

  test.each(mistakes)('%s', (_, options, option, advice) => {
    expect(mistakeOf(() => createGuard(options as GuardOptions))).toMatchObject({
      code: 'configuration_invalid',
      option,
      message: expect.stringMatching(advice),
    })
  })

  test('and what is meant is taken', () => {
    const options = [
      { audience, issuers: ['http://localhost:8080'], dangerouslyAllowHttp: ['http://localhost:8080'] },
      { audience: ['a', 'b'], issuers: [{ ...given, ca: ca.bundle, algorithms: ['RS512'] }], log: console },
      { certificates: { trustDomains: bundle }, grants: {}, undeclared: authenticated(), realm: 'a b' },
    ] as unknown as readonly GuardOptions[]
    for (const one_ of options) expect(() => createGuard(one_).close()).not.toThrow()
  })
})

describe('no error repeats a secret:', async () => {
  const secret = 'hunter2-hunter2-hunter2'
  const privateJwk = createRawSigner().privateKey.export({ format: 'jwk' })
  const { cert, key } = await ca.serverCertificate()
  const rawKey = key.replaceAll(/-----[^-]+-----|\s/g, '')
  const guard = createGuard({ certificates: { trustDomains: { 'prod.example': ca.bundle } }, log: false })

  const slips: readonly (readonly [string, () => unknown, string])[] = [
    ['an audience', () => createGuard({ issuers: [issuer], audience: [secret, ''] }), secret],
    [
      'a private key set',
      () => createGuard({ audience: 'a', issuers: [{ issuer, jwks: { keys: [privateJwk] } }] }),
      String(privateJwk.d),
    ],
    [
      'a symmetric key',
      () =>
        createGuard({ audience: 'a', issuers: [{ issuer, jwks: { keys: [{ kty: 'oct', k: secret }] } }] }),
      secret,
    ],
    [
      'a private key for an authority',
      () => createGuard({ audience: 'a', issuers: [{ issuer, ca: key }] }),
      rawKey.slice(0, 60),
    ],
    [
      'a private key for a bundle',
      () => createGuard({ certificates: { trustDomains: { 'prod.example': key } } }),
      rawKey.slice(0, 60),
    ],
    [
      'a private key without armour for a bundle',
      () => createGuard({ certificates: { trustDomains: { 'prod.example': rawKey } } }),
      rawKey.slice(0, 60),
    ],
    [
      'a private key without armour for a server',
      () => createTlsServer(() => undefined, { cert, key: rawKey, guard }),
      rawKey.slice(0, 60),
    ],
    [
      'a key of another certificate',
      () => createTlsServer(() => undefined, { cert: ca.bundle, key, guard }),
      rawKey.slice(0, 60),
    ],
    [
      'an issuer with a password',
      () => createGuard({ audience: 'a', issuers: [`http://user:${secret}@idp.test`] }),
      secret,
    ],
    [
      'an issuer with a password alone',
      () => createGuard({ audience: 'a', issuers: [`http://:${secret}@idp.test`] }),
      secret,
    ],
    ['a token for a requirement', () => loosely.allOf(secret), secret],
    ['a token for a scope', () => loosely.scopes(`${secret} x`), secret],
    ['a realm', () => createGuard({ audience: 'a', issuers: [issuer], realm: `${secret}"` }), secret],
  ]

  test.each(slips)('%s', (_, write, text) => {
    const mistake = mistakeOf(write)
    expect(mistake).toBeInstanceOf(ConfigurationError)
    expect(everythingIn(mistake)).not.toContain(text)
  })
})

const everythingIn = (error: unknown): string =>
  error instanceof Error
    ? `${error.message} ${error.stack} ${JSON.stringify(error)} ${String(error.cause)}`
    : ''
