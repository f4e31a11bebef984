// What stays open is asked about again: who may no longer call is cut off, and who may is left alone.
import {
  createGuard,
  decisionChannel,
  scopes,
  type Deny,
  type GuardOptions,
  type InboundRequest,
} from '@countersign/core'
import type { RequestContext } from '@countersign/core/adapter'
import { policyDocument } from '@countersign/policy'
import { createTestClock, createTestIssuer, type TestClock, type TestIssuer } from '@countersign/testing'
import { subscribe, unsubscribe } from 'node:diagnostics_channel'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { requestWith } from './support/asking.ts'
import { afterAll, afterEach, beforeEach, describe, expect, test, vi } from 'vitest'

const folder = mkdtempSync(join(tmpdir(), 'watch-'))
afterAll(() => rmSync(folder, { recursive: true }))
const document = join(folder, 'countersign.policy.yaml')
const granting = (...granted: string[]): string => `version: 1
callers:
  checkout: { is: [{ issuer: https://issuer.test, clientId: checkout }], grants: [${granted.join()}] }
`

async function requestOf(issuer: TestIssuer, expiresIn = 300): Promise<InboundRequest> {
  const token = { audience: 'orders', scopes: ['orders:read'], expiresIn }
  const { authorization } = await issuer.headersFor('checkout', token)
  return requestWith(authorization)
}

describe('what is kept open', () => {
  let clock: TestClock
  let issuer: TestIssuer
  let guard: ReturnType<typeof createGuard>
  let ended: Deny[]
  beforeEach(async () => {
    clock = createTestClock()
    issuer = await createTestIssuer({ clock })
    ended = []
  })
  afterEach(() => {
    guard.close()
  })

  async function open(options: Partial<GuardOptions> = {}, seconds = 3000): Promise<RequestContext> {
    guard = createGuard({ audience: 'orders', issuers: [issuer], log: false, ...options }, { clock })
    await guard.ready()
    const context = guard.open(await requestOf(issuer, seconds))
    expect((await context.decide(scopes('orders:read'), 'GET /feed')).outcome).toBe('allow')
    return context
  }
  const codes = (): readonly string[] => ended.map(({ refusal }) => refusal.code)
  const passing = async (seconds: number): Promise<readonly string[]> => {
    for (let i = 0; i < seconds; i += 1) {
      clock.advance({ seconds: 1 })
      await new Promise(setImmediate)
    }
    return codes()
  }
  /** Lets time pass until something has ended: files and signatures are read and checked outside this thread. */
  const ending = async (): Promise<readonly string[]> => {
    await vi.waitFor(async () => expect(await passing(5)).not.toEqual([]), { timeout: 10_000, interval: 5 })
    return passing(60)
  }

  test('goes on as long as its caller may call, and records nothing more', async () => {
    const context = await open()
    const events: unknown[] = []
    const listen = (event: unknown): void => void events.push(event)
    subscribe(decisionChannel, listen)
    guard.watch(context, (refused) => void ended.push(refused))
    expect(await passing(60)).toEqual([])
    unsubscribe(decisionChannel, listen)
    expect(events).toEqual([])
  })

  test('ends once its token has, by one refusal', async () => {
    const context = await open({}, 30)
    guard.watch(context, (refused) => void ended.push(refused))
    expect(await passing(29)).toEqual([])
    expect(await ending()).toEqual(['token_expired'])
  })

  test('ends when the policy takes away what it rests on', async () => {
    writeFileSync(document, granting('orders:read'))
    const context = await open({ policy: policyDocument(document) })
    guard.watch(context, (refused) => void ended.push(refused))
    expect(await passing(10)).toEqual([])
    writeFileSync(document, granting('orders:list'))
    expect(await ending()).toEqual(['scope_missing'])
  })

  test('ends when the guard is closed', async () => {
    const context = await open()
    guard.watch(context, (refused) => void ended.push(refused))
    guard.close()
    expect(await passing(5)).toEqual(['guard_closed'])
  })

  test('is not asked about any more by who has stopped asking', async () => {
    const context = await open({}, 30)
    const stop = guard.watch(context, (refused) => void ended.push(refused))
    stop()
    expect(await passing(120)).toEqual([])
  })

  test('is never asked about by a clock that schedules nothing', async () => {
    const context = await open({}, 30)
    const still = { now: () => clock.now() }
    const other = createGuard({ audience: 'orders', issuers: [issuer], log: false }, { clock: still })
    other.watch(context, (refused) => void ended.push(refused))
    other.close()
    expect(await passing(120)).toEqual([])
  })
})
