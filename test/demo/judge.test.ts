import { expect, test } from 'vitest'
import { exitCodeOf, judge } from '../../examples/mesh-demo/src/calls/judge.ts'
import { allowedOutcome, refusedOutcome } from './outcome.ts'

test('finds nothing wrong with what went as expected', () => {
  expect(judge(allowedOutcome({}))).toEqual([])
  expect(judge(refusedOutcome({}))).toEqual([])
})

const observed = { mode: 'observe', code: 'scope_missing' } as const
const delegated = "alice's token, certificate"
const forAlice = '{"onBehalfOf":"alice"}'
const both = { provenBy: ['token', 'certificate'] } as const

test('what is only recorded is allowed, and what is done for a user is done by the service', () => {
  expect(judge(allowedOutcome({ call: { observed: 'scope_missing' }, event: observed }))).toEqual([])
  expect(judge(allowedOutcome({ call: { candidate: 'scope_missing' }, candidate: 'scope_missing' }))).toEqual(
    [],
  )
  expect(judge(allowedOutcome({ call: { credential: delegated }, event: both, body: forAlice }))).toEqual([])
})

test.each([
  ['an allowed call that had to be refused', allowedOutcome({ call: { expect: 'token_expired' } }), /allow$/],
  ['a refused call that had to be allowed', refusedOutcome({ call: { expect: 'allow' } }), /token_expired$/],
  ['another refusal', refusedOutcome({ event: { code: 'signature_invalid' } }), /got signature_invalid$/],
  ['another status', refusedOutcome({ status: 403 }), /expected the status 401, got 403/],
  ['a refusal that tells its code', refusedOutcome({ body: '{"code":"token_expired"}' }), /does not tell/],
  ['no record of the decision', { ...allowedOutcome({}), event: undefined }, /to record its decision/],
  ['an error behind an allow', allowedOutcome({ status: 500 }), /a status of success, got 500/],
  ['another caller', allowedOutcome({ event: { caller: 'spiffe://shop.example/x' } }), /the caller spiffe:/],
  [
    'a refusal that was only recorded',
    allowedOutcome({ event: observed }),
    /a record of no refusal, got scope_missing/,
  ],
  [
    'nothing on record',
    allowedOutcome({ call: { observed: 'scope_missing' } }),
    /a record of scope_missing, got undefined/,
  ],
  [
    'a candidate that differs',
    allowedOutcome({ candidate: 'scope_missing' }),
    /says the same, got scope_missing/,
  ],
  [
    'a candidate that does not',
    allowedOutcome({ call: { candidate: 'allow' } }),
    /a candidate that says allow/,
  ],
  ['a call for somebody', allowedOutcome({ body: forAlice }), /on behalf of nobody, got alice/],
  [
    'a call for nobody',
    allowedOutcome({ call: { credential: delegated }, event: both }),
    /on behalf of alice/,
  ],
  ['another proof', allowedOutcome({ event: { provenBy: ['token', 'certificate'] } }), /proof by token/],
])('finds %s', (_what, outcome, problem) => {
  expect(judge(outcome)).toEqual([expect.stringMatching(problem)])
})

const overGrpc = { callee: 'pricing' } as const

test('over gRPC a status is one of its own', () => {
  expect(judge(allowedOutcome({ call: overGrpc, status: 0 }))).toEqual([])
  expect(judge(allowedOutcome({ call: overGrpc, status: 200 }))).toHaveLength(1)
  expect(judge(refusedOutcome({ call: overGrpc, status: 16 }))).toEqual([])
  expect(judge(refusedOutcome({ call: overGrpc, status: 7 }))).toEqual([
    'expected the status UNAUTHENTICATED, got PERMISSION_DENIED',
  ])
  const known = { call: { ...overGrpc, expect: 'scope_missing' }, event: { code: 'scope_missing' } } as const
  expect(judge(refusedOutcome({ ...known, status: 7 }))).toEqual([])
  expect(judge(refusedOutcome({ ...known, status: 16 }))).toHaveLength(1)
  expect(judge(refusedOutcome({ ...known, status: 403 }))).toEqual([
    'expected the status PERMISSION_DENIED, got 403',
  ])
  // Known, and yet asked for a better credential.
  const unproven = { expect: 'proof_insufficient' } as const
  expect(
    judge(
      refusedOutcome({ call: { ...overGrpc, ...unproven }, event: { code: unproven.expect }, status: 16 }),
    ),
  ).toEqual([])
})

test('expects no caller where nothing was presented', () => {
  const anonymous = { call: { credential: 'none' }, event: { caller: null, provenBy: [] } } as const
  expect(judge(allowedOutcome(anonymous))).toEqual([])
  expect(judge(allowedOutcome({ ...anonymous, event: {} }))).toHaveLength(2)
})

test('the demo fails if a single outcome is wrong, or if there is none', () => {
  expect(exitCodeOf([allowedOutcome({}), refusedOutcome({})])).toBe(0)
  expect(exitCodeOf([allowedOutcome({}), refusedOutcome({ call: { expect: 'audience_mismatch' } })])).toBe(1)
  expect(exitCodeOf([])).toBe(1)
})
