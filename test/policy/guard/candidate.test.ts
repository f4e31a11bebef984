import { subscribe, unsubscribe } from 'node:diagnostics_channel'
import { authenticated, candidateChannel, scopes } from '@countersign/core'
import { expect, test } from 'vitest'
import { checkout, openPolicyHouse, reports } from './support/policy-house.ts'

const document = `
version: 1
callers:
  checkout: { is: [spiffe://prod.example/ns/shop/sa/checkout], grants: [orders:read, orders:write] }
  reports: { is: [spiffe://prod.example/ns/back/sa/reports], grants: [] }
candidate:
  callers:
    checkout: { is: [spiffe://prod.example/ns/shop/sa/checkout], grants: [orders:read] }
    reports: { is: [spiffe://prod.example/ns/back/sa/reports], grants: [orders:read] }
  routes:
    - { route: GET /narrow, requires: { callers: [reports] } }
`

test('a candidate is decided beside the policy, and changes nothing but the record', async () => {
  const heard: unknown[] = []
  const hear = (event: unknown): void => void heard.push(event)
  subscribe(candidateChannel, hear)
  const { ask, guard } = openPolicyHouse(document)
  expect(await ask({ svid: checkout, code: scopes('orders:read') })).toBe('allow')
  expect(await ask({ svid: checkout, code: scopes('orders:write') })).toBe('allow')
  expect(await ask({ svid: checkout, code: scopes('orders:write') })).toBe('allow')
  expect(await ask({ svid: reports, code: scopes('orders:read') })).toBe('scope_missing')
  expect(await ask({ svid: reports, code: scopes('orders:admin') })).toBe('scope_missing')
  expect(await ask({ svid: checkout, route: 'GET /narrow', code: authenticated() })).toBe('allow')
  expect(await ask({ token: { aud: 'payments' }, code: authenticated() })).toBe('audience_mismatch')
  unsubscribe(candidateChannel, hear)
  const route = 'GET /orders/:id'
  expect(guard.candidateDifferences()).toMatchObject([
    { route, caller: checkout.spiffeId, code: null, candidate: 'scope_missing', requests: 2 },
    { route, caller: reports.spiffeId, code: 'scope_missing', candidate: null, requests: 1 },
    {
      route: 'GET /narrow',
      caller: checkout.spiffeId,
      code: null,
      candidate: 'caller_not_allowed',
      requests: 1,
    },
  ])
  expect(heard).toHaveLength(4)
})

test('without a candidate nothing is compared', async () => {
  const { ask, guard } = openPolicyHouse(document.slice(0, document.indexOf('candidate:')))
  await ask({ svid: checkout, code: scopes('orders:write') })
  expect(guard.candidateDifferences()).toEqual([])
})
