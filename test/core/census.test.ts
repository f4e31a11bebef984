import { ConfigurationError, createGuard, formatCensus, type CensusEntry } from '@countersign/core'
import { createTestIssuer } from '@countersign/testing'
import { expect, test } from 'vitest'
import { Census, listed } from '../../packages/core/src/census.ts'

const entry: CensusEntry = {
  method: 'GET',
  path: '/orders/:id',
  requirement: 'scopes(orders:read)',
  scopes: ['orders:read'],
  status: 'declared',
  declaredAt: 'src/orders.ts:12',
}

test('prints one route a line, and says which ones nobody may call', () => {
  const table = formatCensus([
    entry,
    { ...entry, method: '*', path: '/x', requirement: null, status: 'undeclared', declaredAt: null },
    { ...entry, method: 'POST', path: '/y', requirement: 'authenticated()', status: 'undeclared' },
    { ...entry, method: 'PUT', path: '/z', status: 'misplaced' },
    { ...entry, method: 'GET', path: '/open', requirement: null, status: 'unguarded', declaredAt: null },
  ])
  expect(table).toBe(
    [
      'METHOD  PATH         REQUIREMENT                      DECLARED AT',
      'GET     /orders/:id  scopes(orders:read)              src/orders.ts:12',
      '*       /x           (undeclared)                     -',
      'POST    /y           authenticated() (undeclared)     src/orders.ts:12',
      'PUT     /z           scopes(orders:read) (misplaced)  src/orders.ts:12',
      'GET     /open        (unguarded)                      -',
    ].join('\n'),
  )
})

test('prints a table of nothing in words', () => {
  expect(formatCensus([])).toBe('no routes')
})

test('prints a line end in a path or a reason as a space, so that no route passes for two', () => {
  const lines = formatCensus([
    { ...entry, path: '/a\n/b', requirement: 'unprotected(a\r\nb\u2028c\u001B[2J)' },
  ]).split('\n')
  expect(lines).toHaveLength(2)
  expect(lines[1]).toBe('GET     /a /b  unprotected(a  b c [2J)  src/orders.ts:12')
})

test('names twenty routes at most, and counts the rest', () => {
  expect(listed(['GET /a', 'GET /b'])).toBe('`GET /a`, `GET /b`')
  const many = Array.from({ length: 23 }, (_, i) => `GET /${i}`)
  expect(listed(many)).toMatch(/^`GET \/0`, .*, `GET \/19` and 3 more$/)
  expect(listed(many.slice(0, 20))).toMatch(/`GET \/19`$/)
})

test('asks for the routes whenever it is taken, and hides none behind another', () => {
  const census = new Census()
  const routes = [entry]
  census.add(() => routes)
  census.add(() => [entry])
  expect(census.entries()).toEqual([entry, entry])
  routes.push({ ...entry, method: 'POST', scopes: ['orders:write'] })
  expect(census.entries().map(({ method }) => method)).toEqual(['GET', 'POST', 'GET'])
  expect(census.scopes()).toEqual(['orders:read', 'orders:write'])
})

test('cannot be changed by whoever reads it', () => {
  const census = new Census()
  census.add(() => [entry])
  expect(Object.isFrozen(census.entries())).toBe(true)
})

test.each([
  ['preflight', 'allow'],
  ['preflight', true],
  ['undeclared', 'fail'],
  ['undeclared', false],
])('`%s: %j` is a mistake', async (option, value) => {
  const issuer = await createTestIssuer()
  const options = { audience: 'orders', issuers: [issuer] as const, log: false as const, [option]: value }
  expect(() => createGuard(options)).toThrow(ConfigurationError)
  expect(() => createGuard(options)).toThrow(expect.objectContaining({ option }))
})
