import { subscribe, unsubscribe } from 'node:diagnostics_channel'
import { authenticated, callerOptional, candidateChannel, scopes, type Requirement } from '@countersign/core'
import { OtherRequirement, Refusal } from '@countersign/core/adapter'
import { describe, expect, test } from 'vitest'
import { requestWith, settled } from '../../core/support/asking.ts'
import { checkout, connectionOf, openPolicyHouse, reports } from './support/policy-house.ts'

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

describe('a route that the candidate says nothing of', () => {
  const gone = document.replace(
    'candidate:',
    'routes:\n  - { route: GET /gone, requires: { scopes: [orders:read] } }\ncandidate:',
  )
  const asking = { svid: checkout, route: 'GET /gone' }

  test('is undeclared there', async () => {
    const { ask, guard } = openPolicyHouse(gone)
    expect(await ask(asking)).toBe('allow')
    expect(guard.candidateDifferences()).toMatchObject([
      { route: 'GET /gone', caller: null, code: null, candidate: 'route_undeclared' },
    ])
  })

  test('is held to what undeclared routes are', async () => {
    const open = openPolicyHouse(gone, { undeclared: scopes('orders:read') })
    expect(await open.ask(asking)).toBe('allow')
    expect(open.guard.candidateDifferences()).toEqual([])
    const narrow = openPolicyHouse(gone, { undeclared: scopes('orders:write') })
    expect(await narrow.ask(asking)).toBe('allow')
    expect(narrow.guard.candidateDifferences()).toMatchObject([
      { caller: checkout.spiffeId, code: null, candidate: 'scope_missing' },
    ])
  })
})

test('that both refuse for different reasons is no difference', async () => {
  const { ask, guard } = openPolicyHouse(
    document.replace(
      'candidate:',
      'routes:\n  - { route: GET /narrow, requires: { scopes: [orders:admin] } }\ncandidate:',
    ),
  )
  expect(await ask({ svid: checkout, route: 'GET /narrow' })).toBe('scope_missing')
  expect(guard.candidateDifferences()).toEqual([])
})

test('whoever presents nothing has no name', async () => {
  const { ask, guard } = openPolicyHouse(document)
  expect(await ask({ route: 'GET /narrow', code: callerOptional('greets') })).toBe('allow')
  expect(guard.candidateDifferences()).toMatchObject([
    { caller: null, code: null, candidate: 'credential_missing' },
  ])
})

describe('what fails only when the candidate is decided', () => {
  /** Answers once what it is given, in turn, and fails from then on. */
  const answering = (...answers: readonly (Refusal | undefined)[]): Requirement => {
    let asked = 0
    return new OtherRequirement({
      text: 'answering()',
      contexts: ['risk'],
      check: () => {
        asked += 1
        if (asked > answers.length) throw new Error('broken')
        return answers[asked - 1]
      },
    })
  }
  const unknown = new Refusal('context_unavailable')

  test.each([
    ['at once', [undefined]],
    ['later', [undefined, unknown]],
  ])('is told as that, and changes nothing: %s', async (_, answers) => {
    const { ask, guard } = openPolicyHouse(document, { context: { risk: () => 1 } })
    expect(await ask({ svid: checkout, code: answering(...answers) })).toBe('allow')
    await settled()
    expect(guard.candidateDifferences()).toMatchObject([
      { route: 'GET /orders/:id', caller: null, code: null, candidate: 'internal_error', requests: 1 },
    ])
  })
})

test('10,000 differences are kept at most, and those go on being counted', async () => {
  const { guard, clock } = openPolicyHouse(document)
  const request = requestWith(undefined, connectionOf(checkout))
  const write = scopes('orders:write')
  await guard.decide(request, write, 'GET /0')
  // The certificate is known from here on, so each of these is decided at once.
  for (let i = 1; i <= 10_000; i += 1) void guard.decide(request, write, `GET /${i}`)
  clock.advance(1)
  void guard.decide(request, write, 'GET /0')
  const differences = guard.candidateDifferences()
  expect(differences).toHaveLength(10_000)
  expect(differences[0]).toMatchObject({ route: 'GET /0', requests: 2, lastAt: clock.now() })
})
