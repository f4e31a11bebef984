// What a person can do with the services that `--serve` keeps up.
import { execFile, spawnSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { afterAll, beforeAll, expect, test, vi } from 'vitest'
import { answerTo, answersOf } from './frameworks.ts'
import { runGrpcurl } from './grpcurl.ts'
import { RunningDemo } from './run-demo.ts'

const hasCurl = spawnSync('curl', ['--version']).status === 0
let temporary: string
let demo: RunningDemo
/** Where the lines are to be typed. */
let folder: string

beforeAll(async () => {
  temporary = mkdtempSync(join(tmpdir(), 'countersign-test-'))
  demo = new RunningDemo(['--serve'], { TMPDIR: temporary })
  await demo.says('once a minute for each kind')
  folder = /^cd (.*)$/m.exec(demo.stdout)?.[1] ?? ''
}, 180_000)
afterAll(async () => {
  demo.process.kill('SIGKILL')
  await demo.ended()
  rmSync(temporary, { recursive: true })
})

test('each service is written in the framework that it says', async () => {
  const ca = readFileSync(join(folder, 'ca.pem'), 'utf8')
  const services = [...demo.stderr.matchAll(/^ {2}(\w+) +(https:\S+) +(\w+) +is spiffe:\/\/shop\./gm)]
  expect(services.map(([, name, , framework]) => `${name}: ${framework}`).toSorted()).toEqual([
    'checkout: Koa',
    'inventory: Fastify',
    'orders: Express',
    'pricing: gRPC',
    'reports: Nest',
  ])
  for (const [, name, origin = '', framework = ''] of services) {
    expect(await answerTo(framework, origin, ca), name).toMatch(answersOf[framework] ?? 'known')
  }
})

// Only curl itself shows that the lines are quoted as a shell wants them; where it is not installed, this is skipped.
test.skipIf(!hasCurl)('each line that it prints does what the line above it says', async () => {
  const lines = [...demo.stdout.matchAll(/^# .*: (\w+)\n(curl .*)$/gm)]
  expect(lines.length).toBeGreaterThanOrEqual(10)
  for (const [, outcome = '', command = ''] of lines) {
    const { stdout } = await run('sh', ['-c', command], { cwd: folder })
    const [, status = ''] = /^HTTP\/1.1 (\d+)/.exec(stdout) ?? []
    expect(status[0], command).toBe(outcome === 'allowed' ? '2' : '4')
    const told = outcome === 'allowed' ? '' : ` with ${outcome} (decision`
    await vi.waitFor(() => expect(demo.stderr).toContain(told))
  }
})

test('each line of grpcurl does what the line above it says', async () => {
  const lines = [...demo.stdout.matchAll(/^# .*: (\w+)\n(grpcurl .*)$/gm)]
  expect(lines.length).toBeGreaterThanOrEqual(5)
  for (const [, outcome = '', line = ''] of lines) {
    const { status, text } = await runGrpcurl(line, folder)
    if (outcome === 'allowed') {
      expect({ status, text }, line).toEqual({ status: 0, text: expect.stringContaining('"sku":"tea"') })
      continue
    }
    expect([7, 16], line).toContain(status)
    const told = new RegExp(`^pricing \\| .* refused POST /shop.Prices/.* with ${outcome} \\(decision`, 'm')
    await vi.waitFor(() => expect(demo.stderr).toMatch(told))
  }
})

const run = promisify(execFile)
