import { ConfigurationError } from '@countersign/core'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { covers, requireGrantedScope, requireScopeName } from '../../packages/core/src/policy/scope.ts'

const unreadable = [
  undefined,
  null,
  5,
  ['a:b'],
  '',
  ' ',
  'a b',
  'a"b',
  'a\\b',
  'a\nb',
  '\u007f',
  'é',
  'x'.repeat(257),
]

describe('a requirement may not name', () => {
  test.each([...unreadable])('%j', (scope) => {
    expect(() => requireScopeName(scope, 'scopes(…)[0]')).toThrow(ConfigurationError)
    expect(() => requireScopeName(scope, 'scopes(…)[0]')).toThrow(/^`scopes\(…\)\[0\]`: .*`orders:read`/)
  })

  test.each([
    ['orders:*', '`orders:read` instead of `orders:*`'],
    [':*', '`:read` instead of `:*`'],
    ['a:b:*', '`a:b:read` instead of `a:b:*`'],
  ])('the wildcard %s, for which it is told what to write', (scope, advice) => {
    expect(() => requireScopeName(scope, 'scopes(…)[0]')).toThrow(advice)
  })
})

test.each([
  'a',
  'orders:read',
  '!',
  '~',
  'x'.repeat(256),
  '*',
  'orders:*:x',
  '*:read',
  'https://api.example/read',
])('a requirement may name %s', (scope) => {
  expect(requireScopeName(scope, 'x')).toBe(scope)
})

describe('a grant may not name', () => {
  test.each([...unreadable])('%j', (scope) => {
    expect(() => requireGrantedScope(scope, 'grants[0]')).toThrow(ConfigurationError)
    expect(() => requireGrantedScope(scope, 'grants[0]')).toThrow(/^`grants\[0\]`: .*`orders:read`/)
  })

  test.each([
    '*',
    ':*',
    '*:*',
    '*:read',
    'orders:re*',
    'orders:**',
    'a:b:*',
    'Orders:*',
    'orders:*x',
    'x orders:*',
  ])('the wildcard %s', (scope) => {
    expect(() => requireGrantedScope(scope, 'grants[0]')).toThrow(ConfigurationError)
  })

  test('a wildcard of its own kind, for which it is told what to write', () => {
    expect(() => requireGrantedScope('a:*b', 'grants[0]')).toThrow(/`orders:\*`, not `a:\*b`$/)
  })
})

test.each(['a', 'orders:read', 'orders:*', 'a.b_c-9:*', 'https://api.example/read'])(
  'a grant may name %s',
  (scope) => {
    expect(requireGrantedScope(scope, 'x')).toBe(scope)
  },
)

describe('a grant covers', () => {
  test.each([
    ['orders:read', 'orders:write', false],
    ['orders:read', 'orders:read2', false],
    ['orders:read', 'xorders:read', false],
    ['orders', 'orders:read', false],
    ['orders:*', 'orders', false],
    ['orders:*', 'orders:', false],
    ['orders:*', 'orders:a:b', false],
    ['orders:*', 'orders:Read', false],
    ['orders:*', 'orders:a b', false],
    ['orders:*', 'order:read', false],
    ['orders:*', 'xorders:read', false],
    ['orders:*', ':read', false],
    ['orders:*', 'read', false],
    ['orders:*', '', false],
    ['*', 'orders:read', false],
    ['orders:read*', 'orders:read', false],
    ['orders:read', 'orders:*', false],
    ['orders:read', 'orders:read', true],
    ['orders:*', 'orders:*', true],
    ['orders:*', 'x orders:read', false],
    ['orders:*', '/orders:read', false],
    ['orders:*', 'orders:read', true],
    ['a.b_c-9:*', 'a.b_c-9:d.e_f-0', true],
    ['Orders.Read', 'Orders.Read', true],
  ])('%s covers %j: %s', (grant, scope, expected) => {
    expect(covers(grant, scope)).toBe(expected)
  })

  test('itself, and by a wildcard every action on its resource, whatever they are', () => {
    const name = fc.stringMatching(/^[a-z0-9._-]+$/)
    fc.assert(
      fc.property(name, name, name, (resource, action, other) => {
        expect(covers(`${resource}:${action}`, `${resource}:${action}`)).toBe(true)
        expect(covers(`${resource}:*`, `${resource}:${action}`)).toBe(true)
        expect(covers(`${other}:*`, `${resource}:${action}`)).toBe(other === resource)
        expect(covers(`${resource}:*`, `${resource}:${action}:${other}`)).toBe(false)
      }),
    )
  })
})
