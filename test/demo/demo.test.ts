import { stripVTControlCharacters } from 'node:util'
import { expect, test } from 'vitest'
import { RunningDemo } from './run-demo.ts'

const timeout = 60_000

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
  expect(lines.map((line) => line.code)).toEqual(expect.arrayContaining([...codes]))
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
  expect(demo.stdout).toMatch(/calls between 4 services went as expected/)
  expect(demo.stdout).not.toContain('✗')
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

const keys = ['caller', 'callee', 'route', 'credential', 'expect', 'status', 'code', 'ms']

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
] as const
