import { describe, expect, test } from 'vitest'
import { allOf, anyOf, ConfigurationError, not, scopes, type Caller } from '@countersign/core'
import { when } from '@countersign/policy'
import { inZones, serviceWith, userWith } from '../core/support/known-callers.ts'
import { occasion } from '../core/support/occasion.ts'
import { refusalOf, saidOf, type Asked } from './asking.ts'

const claims = {
  tenant: 'acme',
  level: 5,
  ratio: 1.5,
  staff: true,
  nothing: null,
  groups: ['a', 'b'],
  nested: [
    { id: 'x', roles: ['r'] },
    { id: 'y', roles: [] },
  ],
  strange: { constructor: 'x', toString: 'y', hasOwnProperty: 1 },
}
const service = inZones(await serviceWith(claims), 'shop')
const user = await userWith(claims)
const asked: Asked = {
  route: 'GET /:tenant/orders',
  params: { tenant: 'acme', rest: ['x', 'y'] },
  context: { risk: { score: 3, seen: new Date(0), flags: new Map([['new', true]]) }, none: undefined },
  request: {
    method: 'POST',
    url: '/orders?x=1',
    originalUrl: '/acme/orders?x=1#y',
    headers: {
      host: 'orders.internal',
      'x-region': 'eu',
      'set-cookie': ['a', 'b'],
      authorization: 'Bearer x',
      cookie: 'a=b',
      dpop: 'x',
      'x-api-key': 'k',
    },
    socket: { remoteAddress: '::ffff:10.0.0.7' },
  },
}

describe('a condition reads', () => {
  test.each([
    'resource.params.tenant == caller.claims.tenant',
    'resource.route == "GET /:tenant/orders"',
    'resource.params.rest[1] == "y"',
    'caller.id == caller.service.id',
    '!has(caller.user)',
    'caller.service.issuer.startsWith("https://") && size(caller.service.clientId) > 0',
    '"shop" in caller.zones && caller.provenBy == ["token"]',
    '!has(caller.actor)',
    'caller.claims.level == 5 && caller.claims.level + 1 == 6 && caller.claims.level < 5.5',
    'caller.claims.ratio == 1.5 && caller.claims.ratio > 1',
    'caller.claims.staff',
    'caller.claims.nothing == null',
    '"a" in caller.claims.groups && !("c" in caller.claims.groups)',
    'caller.claims.nested.exists(n, n.id == "x" && "r" in n.roles)',
    'caller.claims.nested.filter(n, size(n.roles) == 0).map(n, n.id) == ["y"]',
    'caller.claims.nested.exists_one(n, n.id == "y") && !caller.claims.nested.all(n, n.id == "y")',
    'caller.claims["tenant"].contains("cm")',
    'has(caller.claims.tenant) && !has(caller.claims.other)',
    'request.method == "POST"',
    'request.path == "/acme/orders"',
    'request.remoteAddress == "10.0.0.7"',
    'request.headers["x-region"] == "eu" && request.headers.host.endsWith(".internal")',
    'context.risk.score < 5 && context.risk.flags.new && context.risk.seen < time',
    'time > timestamp("2026-11-22T16:29:59Z") && time - duration("1h") < timestamp("2026-11-22T16:00:00Z")',
    'time.getHours() == 16 && time.getHours("Europe/Berlin") == 17 && time.getDayOfWeek() == 0',
    'caller.claims.level == 5 ? true : false',
    'caller.claims.strange.constructor == "x" && caller.claims.strange.hasOwnProperty == 1',
  ])('%s', (expression) => {
    expect(refusalOf(expression, service, asked)).toBeUndefined()
  })

  test('the user that a service calls for', () => {
    expect(saidOf('caller.user.subject == "alice" && caller.user.id.endsWith("#sub=alice")', user)).toBe(
      'true',
    )
  })
})

describe('only true allows', () => {
  test('false is a definite refusal, which repeats the condition and none of the values', () => {
    const refusal = refusalOf('caller.claims.tenant == "secret"', service)
    expect(refusal?.code).toBe('requirement_unmet')
    expect(refusal?.detail).toMatchObject({ expected: 'caller.claims.tenant == "secret"', actual: 'false' })
    expect(JSON.stringify(refusal)).not.toContain('acme')
  })

  test.each([
    ['a claim that is not there', 'caller.claims.missing == 1', 'no_such_key'],
    ['a user who is not there', 'caller.user.id == "a"', 'no_such_key'],
    ['what stands in a prototype', 'caller.claims.toString == 1', 'no_such_key'],
    ['__proto__', 'caller.claims.__proto__ == 1', 'no_such_key'],
    ['what is neither true nor false', 'caller.claims.level', 'neither true nor false'],
    ['text that looks like true', 'caller.claims.tenant', 'neither true nor false'],
    ['a place behind the end of a list', 'caller.claims.groups[2] == "a"', 'index_out_of_bounds'],
    ['a comparison of kinds that have no order', 'caller.claims.tenant < 5', 'no_such_overload'],
    ['a function of another kind', 'caller.claims.level.startsWith("5")', 'no_matching_overload'],
    ['a division by zero', '1 / (caller.claims.level - 5) == 1', 'division_by_zero'],
    ['a number that grows too large', 'caller.claims.level * 9223372036854775807 > 0', 'numeric_overflow'],
    ['text that is no time', 'timestamp(caller.claims.tenant) < time', 'invalid_timestamp'],
    ['a time zone that is none', 'time.getHours(caller.claims.tenant) == 1', 'failed'],
  ])('%s denies', (_, expression, failure) => {
    expect(refusalOf(expression, service, asked)).toMatchObject({
      code: 'condition_failed',
      detail: { expected: expression, actual: failure },
    })
  })

  test.each([
    'context.other == 1',
    'context.none == 1',
    '!has(context.other.x)',
    'has(context.other) || true',
  ])('a context that is not there denies as unavailable: %s', (expression) => {
    expect(refusalOf(expression, service, asked)).toMatchObject({ code: 'context_unavailable' })
  })

  test.each([
    ['a function', () => true],
    ['an instance of a class', new URL('https://a')],
    ['a promise', Promise.resolve(true)],
    ['a symbol', Symbol('x')],
    ['an integer that CEL has not', 2n ** 64n],
  ])('%s in a context denies', (_, value) => {
    expect(saidOf('!has(context.a.b)', service, { context: { a: { b: value } } })).toBe('unsupported_value')
  })

  test('data that goes round in a circle denies', () => {
    const circle: Record<string, unknown> = {}
    circle['again'] = circle
    expect(saidOf('has(context.a)', service, { context: { a: circle } })).toBe('unsupported_value')
  })

  test('an exception while the request is read denies', () => {
    const params = Object.defineProperty({}, 'tenant', {
      enumerable: true,
      get: () => {
        throw new Error('caller.claims.tenant is acme')
      },
    })
    expect(saidOf('resource.params.tenant == "a"', service, { params })).toBe('failed')
  })

  test('an error denies under `not`, and makes way for what holds beside it', () => {
    const failing = when('caller.claims.missing == 1')
    const check = (requirement: ReturnType<typeof when>) => requirement.check(service, 0, occasion)?.code
    expect(check(not(failing))).toBe('condition_failed')
    expect(check(allOf(failing, when('true')))).toBe('condition_failed')
    expect(check(anyOf(failing, when('true')))).toBeUndefined()
    expect(check(not(when('false')))).toBeUndefined()
  })

  test('values of two kinds are never equal', () => {
    expect(saidOf('caller.claims.level == caller.claims.tenant', service)).toBe('false')
    expect(saidOf('caller.claims.staff == caller.claims.level', service)).toBe('false')
  })
})

describe('scopes', () => {
  const holding = async (scope: string): Promise<Caller> => serviceWith({ scope })

  test('are those that the caller may use, whatever covers them', async () => {
    const granted = Object.freeze({
      ...service,
      scopes: {
        has: (scope: string) => scope === 'orders:read',
        *[Symbol.iterator]() {
          yield 'orders:*'
        },
      },
    }) // as policy grants them
    expect(saidOf('"orders:read" in caller.scopes', granted)).toBe('true')
    expect(saidOf('!("orders:read" in caller.scopes)', granted)).toBe('false')
    expect(saidOf('("orders:read") in (caller.scopes)', granted)).toBe('true')
    expect(saidOf('caller.scopes.exists(s, s == "orders:*")', granted)).toBe('true')
    expect(saidOf('["orders:read"].all(s, s in caller.scopes)', granted)).toBe('true')
  })

  test('are not there where nobody gave them', async () => {
    expect(saidOf('"orders:write" in caller.scopes', await holding('orders:read'))).toBe('false')
    expect(saidOf('caller.claims.level in caller.scopes', service)).not.toBe('true')
  })
})

describe('credentials are not seen', () => {
  const headers = (expression: string) => saidOf(expression, service, asked)

  test('among the headers', () => {
    for (const name of ['authorization', 'cookie', 'dpop', 'x-api-key', 'set-cookie']) {
      expect(headers(`${JSON.stringify(name)} in request.headers`)).toBe('false')
    }
    expect(headers('size(request.headers)  == 2')).toBe('true')
  })

  test.each([
    'authorization',
    'proxy-authorization',
    'cookie',
    'set-cookie',
    'dpop',
    'x-api-key',
    'apikey',
    'x-auth-token',
    'x-forwarded-client-cert',
    'client-cert-chain',
    'cf-access-jwt-assertion',
    'x-amz-security-token',
    'signature',
    'x-session',
    'x-client-secret',
    'x-password',
    ':path',
  ])('and naming %s is an error', (name) => {
    expect(() => when(`request.headers[${JSON.stringify(name)}] == "a"`)).toThrow(
      `conditions do not see the header \`${name}\``,
    )
  })

  test.each(['host', 'x-request-id', 'x-region', 'accept', 'user-agent', 'x-authored-by', 'x-forwarded-for'])(
    'but naming %s is not',
    (name) => {
      expect(() => when(`request.headers[${JSON.stringify(name)}] == "a"`)).not.toThrow()
    },
  )
})

describe('a requirement', () => {
  test('names the contexts that it reads, each once', () => {
    const { contexts } = when('context.risk.score < 5 && has(context.device) || context.risk.known')
    expect(contexts).toEqual(['risk', 'device'])
    expect(allOf(when('context.a == 1'), not(when('context.b == 1'))).contexts).toEqual(['a', 'b'])
    expect(when('caller.id == "context.a"').contexts).toEqual([])
  })

  test('prints itself in one line, cut short', () => {
    expect(when(' caller.id\n  == "a" ').text).toBe('when(caller.id == "a")')
    expect(when(`caller.id == "${'x'.repeat(300)}"`).text).toHaveLength('when()'.length + 201)
    expect(allOf(scopes('a'), when('true')).text).toBe('allOf(scopes(a), when(true))')
  })
})

describe('a mistake is told when it is written', () => {
  test.each([
    ['', 'expected a CEL expression'],
    [7, 'expected a CEL expression'],
    ['x'.repeat(2001), 'expected at most 2000 characters'],
    ['caller.id ==', 'unexpected token: EOF, at its end'],
    ['caller.id = "a"', 'unexpected character'],
    ['caller.usr.id == "a"', 'there is no `caller.usr`: did you mean `user`?'],
    ['caller.user.ident == "a"', 'no such key: ident, at "ident"'],
    ['cal.id == "a"', 'there is no `cal`: '],
    ['calller.id == "a"', 'there is no `calller`: did you mean `caller`?'],
    ['caller == caller', 'write what of it: `caller.id`'],
    ['caller["id"] == "a"', 'write `caller.name` in place of `caller[…]`'],
    ['context["risk"] == 1', 'write `context.name` in place of `context[…]`'],
    ['context[caller.id] == 1', 'write `context.name` in place of `context[…]`'],
    ['size(context) == 1', 'write what of it: `context.name`'],
    ['context.exists(c, c == "a")', 'write what of it: `context.name`'],
    ['[context].exists(c, c["a"] == 1)', 'write what of it: `context.name`'],
    ['caller.id', 'expected true or false, and it makes a value of the type string'],
    ['caller.id == 1', 'no such overload: string == int, at "caller.id == 1"'],
    ['caller.id + 1 == "a"', 'no such overload: string + int'],
    ['caller.id.startsWith(1)', 'found no matching overload'],
    ['caller.claims.exists(caller, true)', 'the elements of a list need a name of their own'],
    ['caller.claims.a.exists(x, x.exists(x, true))', 'the elements of a list need a name of their own'],
    ['caller.claims.a.exists(x, x.all(y, y.all(z, z == 1)))', 'at most 2 lists within each other'],
    [
      'caller.id.matches("^(a+)+$")',
      'conditions have no `matches`: a regular expression can be made to run for minutes',
    ],
    ['matches(caller.id, "a")', 'conditions have no `matches`'],
    ['caller.id.lowerAscii() == "a"', 'conditions have no `lowerAscii`'],
    ['duration(caller.id) < duration("1h")', '`duration` takes a text that stands in the expression'],
    ['bytes(caller.id).json().a == 1', 'there is no function `json`'],
    ['cel.bind(x, 1, x == 1)', 'there is no function `bind`'],
    ['type(caller.id) == string', 'there is no function `type`'],
    ['string == string', 'there is no `string`'],
    ['charged(caller.id, 0) == "a"', 'there is no function `charged`'],
    ['granted("a")', 'there is no function `granted`'],
    ['request.headers.Host == "a"', 'header names are in lower case: write `host`'],
    ['request.headers["X-Region"] == "a"', 'header names are in lower case'],
    ['__proto__ == 1', 'reserved identifier'],
    [`${'('.repeat(30)}true${')'.repeat(30)}`, 'exceeded maxDepth'],
    [Array(200).fill('true').join(' && '), 'exceeded maxAstNodes'],
    [`caller.id in [${Array(101).fill('"a"').join(', ')}]`, 'exceeded maxListElements'],
  ])('%s: %s', (expression, problem) => {
    const make = () => when(expression as string) // what JavaScript can write
    expect(make).toThrow(ConfigurationError)
    expect(make).toThrow(problem)
  })
})
