import { mkdtempSync, readFileSync, readdirSync, rmSync, statSync } from 'node:fs'
import { connect } from 'node:net'
import { request } from 'node:https'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { RunningDemo } from './run-demo.ts'

// Nine processes on a busy machine.
const timeout = 180_000
let temporary: string
let demo: RunningDemo

beforeEach(async () => {
  temporary = mkdtempSync(join(tmpdir(), 'countersign-test-'))
  demo = new RunningDemo(['--serve'], { TMPDIR: temporary })
  await demo.says('once a minute for each kind')
}, timeout)
afterEach(async () => {
  demo.process.kill('SIGKILL')
  await demo.ended()
  rmSync(temporary, { recursive: true })
})

test('--serve keeps the services up until Ctrl-C, and leaves nothing behind', { timeout }, async () => {
  const folder = /^cd (.*)$/m.exec(demo.stdout)?.[1] ?? ''
  expect(folder.startsWith(temporary)).toBe(true)
  expect(statSync(folder).mode & 0o777).toBe(0o700)
  for (const file of readdirSync(folder)) expect(statSync(join(folder, file)).mode & 0o777).toBe(0o600)

  const [url = ''] = /https:\/\/localhost:\d+\/orders\/1/.exec(demo.stdout) ?? []
  const ca = readFileSync(join(folder, 'ca.pem'), 'utf8')
  const token = readFileSync(join(folder, 'checkout.token'), 'utf8')
  expect(await statusOf(url, ca, { authorization: `Bearer ${token}` })).toBe(200)
  expect(await statusOf(url, ca, {})).toBe(401)
  await vi.waitFor(() => expect(demo.stderr).toContain('orders | countersign: refused GET /orders/:id'))

  expect(demo.addresses).toHaveLength(8)
  demo.process.kill('SIGINT')
  expect(await demo.ended()).toBe(0)
  await nobodyListens()
  expect(readdirSync(temporary)).toEqual([])
})

test('its processes end with it, even if it is killed', { timeout }, async () => {
  expect(demo.addresses).toHaveLength(8)
  demo.process.kill('SIGKILL')
  await demo.ended()
  await nobodyListens()
})

async function nobodyListens(): Promise<void> {
  for (const address of demo.addresses) {
    await vi.waitFor(async () => expect(await isRefused(Number(new URL(address).port))).toBe(true))
  }
}

const isRefused = (port: number): Promise<boolean> =>
  new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1')
    socket.once('connect', () => resolve(false)).once('error', () => resolve(true))
    socket.once('connect', () => socket.destroy())
  })

const statusOf = (url: string, ca: string, headers: Record<string, string>): Promise<number | undefined> =>
  new Promise((resolve, reject) => {
    request(url, { ca, headers, agent: false }, (response) => {
      response.resume()
      resolve(response.statusCode)
    })
      .once('error', reject)
      .end()
  })
