// The policies of the demo's services, tried out as their owners would.
import { allOf, authenticated, scopes } from '@countersign/core'
import { runPolicyTests } from '@countersign/policy'
import { fileURLToPath } from 'node:url'
import { expect, test } from 'vitest'

const folder = new URL('../../examples/mesh-demo/src/services/', import.meta.url)
const pathOf = (name: string): string => fileURLToPath(new URL(name, folder))

/** What the services' code says beside their documents. */
const code = {
  'GET /orders/:id': scopes('orders:read'),
  'POST /orders': scopes('orders:write'),
  'GET /orders': authenticated(),
  'GET /carts/:id': scopes('carts:read'),
  'GET /stock/:sku': scopes('stock:read'),
  'POST /shop.Prices/Get': scopes('prices:read'),
  'POST /shop.Prices/Set': scopes('prices:write'),
  'GET /sales/:sku': scopes('sales:read'),
  'POST /sales': allOf(scopes('sales:read'), scopes('sales:write')),
}

const services = ['orders', 'checkout', 'inventory', 'pricing', 'reports']

test.each(services)('the policy of %s does what its test cases say', (service) => {
  const policy = pathOf(`${service}.policy.yaml`)
  const results = runPolicyTests({ policy, tests: pathOf(`${service}.policy.test.yaml`), code })
  expect(results.length).toBeGreaterThan(2)
  expect(results.filter(({ passed }) => !passed)).toEqual([])
})

test("checkout's candidate takes a token alone for too little", () => {
  const tests = (via: string, expected: string): string =>
    `cases:\n  - { caller: { name: orders, via: ${via}, scopes: [carts:read] }, route: GET /carts/:id, expect: ${expected} }\n`
  const policy = pathOf('checkout.policy.yaml')
  const outcome = (cases: string, candidate: boolean): boolean | undefined =>
    runPolicyTests({ policy, tests: cases, code, candidate })[0]?.passed
  expect(outcome(tests('token', 'allow'), false)).toBe(true)
  expect(outcome(tests('token', 'scope_missing'), true)).toBe(true)
  expect(outcome(tests('both', 'allow'), true)).toBe(true)
})
