import { stripVTControlCharacters } from 'node:util'
import { expect, test } from 'vitest'
import { RunningDemo } from './run-demo.ts'

// Nine processes on a busy machine.
const timeout = 180_000

test('--json prints one object a line for each call, and nothing else on stdout', { timeout }, async () => {
  const demo = new RunningDemo(['--json'])
  expect(await demo.ended(), demo.stderr).toBe(0)
  const lines = demo.stdout.trimEnd().split('\n').map(parseLine)
  expect(lines.length).toBeGreaterThanOrEqual(20)
  for (const line of lines) {
    expect(Object.keys(line)).toEqual(keys)
    expect(line.code).toBe(line.expect === 'allow' ? null : line.expect)
    expect(line.ms).toBeGreaterThan(0)
  }
  const allowed = lines.filter(({ expect: expected }) => expected === 'allow')
  for (const credential of ['none', 'token', 'certificate', 'token and certificate']) {
    expect(allowed.map((line) => line.credential)).toContain(credential)
  }
  expect(lines).toContainEqual(expect.objectContaining({ caller: 'orders', callee: 'inventory' }))
  expect(lines).toContainEqual(expect.objectContaining({ caller: 'outsider', expect: 'issuer_unknown' }))
  // Every service of the shop has allowed, and has refused.
  for (const callee of ['checkout', 'orders', 'inventory', 'pricing', 'reports']) {
    const of = lines.filter((line) => line.callee === callee)
    expect(new Set(of.map(({ code }) => code === null)), callee).toEqual(new Set([true, false]))
  }
  expect(lines).toEqual(expect.arrayContaining(overGrpc.map((line) => expect.objectContaining(line))))
  expect(lines.map((line) => line.code)).toEqual(expect.arrayContaining([...codes]))
  expect(lines).toEqual(expect.arrayContaining(byPolicy.map((line) => expect.objectContaining(line))))
  // Right behind each refusal stands its control: the same callee answers.
  for (const [i, line] of lines.entries()) {
    if (line.code === null) continue
    expect(lines[i + 1]).toMatchObject({ callee: line.callee, expect: 'allow', code: null })
  }
})

test('in a pipe, the table has no colours, and says what was proven', { timeout }, async () => {
  const demo = new RunningDemo([])
  expect(await demo.ended(), demo.stderr).toBe(0)
  expect(demo.stdout).toBe(stripVTControlCharacters(demo.stdout))
  expect(demo.stderr).toBe(stripVTControlCharacters(demo.stderr))
  for (const code of codes) expect(demo.stdout).toMatch(new RegExp(`40[0-3] ${code} +[0-9.]+  ✓ 20[01]\\n`))
  for (const answer of grpcAnswers) expect(demo.stdout).toMatch(new RegExp(`${answer} +[0-9.]+  ✓ OK\\n`))
  expect(demo.stdout).toMatch(/  token and certificate +OK allow +[0-9.]+\n/)
  expect(demo.stdout).toMatch(
    /calls between 6 services on Koa, Express, Fastify, gRPC, and Nest went as expected/,
  )
  expect(demo.stdout).not.toContain('✗')
  expect(demo.stdout).toMatch(
    /GET \/orders +certificate +200 allow +[0-9.]+  scope_missing, once it is enforced\n/,
  )
  expect(demo.stdout).toMatch(
    /GET \/carts\/:id +token +200 allow +[0-9.]+  scope_missing, by the candidate\n/,
  )
  const [, summary = ''] = demo.stdout.split('- On record, for the day on which more is enforced:\n')
  expect(summary.trimEnd().split('\n').toSorted()).toEqual(onRecord)
})

test('refuses arguments that it does not know', { timeout }, async () => {
  for (const args of [['--jsn'], ['--json', '--serve']]) {
    const demo = new RunningDemo(args)
    expect(await demo.ended()).toBe(1)
    expect(demo).toMatchObject({ stdout: '', stderr: expect.stringMatching(/^countersign: .*--/) })
  }
})

interface Line {
  readonly callee: string
  readonly credential: string
  readonly expect: string
  readonly code: string | null
  readonly ms: number
}

const parseLine = (line: string): Line => JSON.parse(line)

const keys = [
  'caller',
  'callee',
  'route',
  'credential',
  'expect',
  'status',
  'code',
  'observed',
  'candidate',
  'ms',
]

const delegated = "alice's token, certificate"

/** Over gRPC the status is gRPC's own: 0 is OK, 7 PERMISSION_DENIED, 16 UNAUTHENTICATED. */
const overGrpc = [
  { caller: 'orders', callee: 'pricing', credential: 'token and certificate', status: 0, code: null },
  { caller: 'checkout', callee: 'pricing', credential: 'certificate', status: 7, code: 'scope_missing' },
  { caller: 'outsider', callee: 'pricing', credential: 'none', status: 16, code: 'credential_missing' },
]

const grpcAnswers = [
  'UNAUTHENTICATED credential_missing',
  'UNAUTHENTICATED token_expired',
  'UNAUTHENTICATED identity_mismatch',
  'UNAUTHENTICATED proof_insufficient',
  'PERMISSION_DENIED scope_missing',
]

/** What only the policy documents decide. */
const byPolicy = [
  { caller: 'inventory', callee: 'checkout', credential: 'certificate', code: 'caller_not_allowed' },
  { callee: 'orders', route: 'GET /orders/:id', credential: delegated, status: 200 },
  { callee: 'orders', route: 'POST /orders', credential: delegated, code: 'scope_missing' },
  { caller: 'orders', route: 'POST /shop.Prices/Set', credential: 'token', code: 'proof_insufficient' },
  { caller: 'checkout', route: 'PUT /stock/:sku', code: 'caller_not_allowed' },
  { route: 'GET /orders', credential: 'certificate', status: 200, code: null, observed: 'scope_missing' },
  { route: 'GET /orders', credential: 'none', code: 'credential_missing', observed: null },
  { route: 'GET /carts/:id', credential: 'token', status: 200, code: null, candidate: 'scope_missing' },
  { route: 'GET /carts/:id', credential: 'token and certificate', candidate: null },
]

const onRecord = [
  '  checkout, GET /carts/:id: orders was allowed once; the candidate says scope_missing',
  '  orders, GET /orders: checkout would have been refused twice with scope_missing, and was let pass',
]

const codes = [
  'credential_missing',
  'token_expired',
  'audience_mismatch',
  'issuer_unknown',
  'signature_invalid',
  'algorithm_not_allowed',
  'scope_missing',
  'trust_domain_unknown',
  'certificate_expired',
  'certificate_untrusted',
  'identity_mismatch',
  'route_undeclared',
  'authorization_malformed',
  'credential_duplicated',
  'caller_not_allowed',
] as const
