// The certificate of a server is replaced while callers call it, and none of them notices.
import { authenticated, createGuard } from '@countersign/core'
import { createTlsServer } from '@countersign/core/adapter'
import { createTestCa } from '@countersign/testing'
import { expect, test } from 'vitest'
import { Callers } from './support/callers.ts'
import {
  createPollingClock,
  fingerprintOf,
  listening,
  PairFiles,
  servedAt,
  ServedEvents,
} from './support/serving.ts'

const ca = await createTestCa()
const checkout = await ca.svid('/checkout')

test('no call fails while the certificate is replaced again and again, whole and half', async () => {
  const clock = createPollingClock()
  const pairs = await Promise.all(Array.from({ length: 6 }, async () => ca.serverCertificate()))
  const [first = checkout, ...others] = pairs
  await using files = await PairFiles.create(first)
  using events = new ServedEvents()
  const guard = createGuard({ certificates: { trustDomains: { 'test.example': ca.bundle } }, log: false })
  const server = createTlsServer(
    async (incoming, response) => {
      const decision = await guard.decide(incoming, authenticated())
      response.end(decision.outcome === 'allow' ? decision.caller?.id : decision.refusal.code)
    },
    { cert: files.cert, key: files.key, guard },
    { clock },
  )
  const port = await listening(server)
  await clock.settled()

  const callers = new Callers()
  const tallies = [true, false].flatMap((keepAlive) =>
    ['127.0.0.1', 'localhost'].map((host) => {
      const kind = `${keepAlive ? 'kept-alive' : 'fresh'} to ${host}`
      const client = { cert: checkout.cert, key: checkout.key, expected: checkout.spiffeId }
      return callers.add({ ...client, kind, host, port, ca: ca.bundle, keepAlive })
    }),
  )
  await callers.each(3)
  for (const [i, next] of others.entries()) {
    await files.put({ cert: next.cert })
    await events.reach(2 * i + 1, clock)
    await callers.each(3)
    await files.put({ key: next.key })
    await events.reach(2 * i + 2, clock)
    expect(await Promise.all([servedAt(port, ca), servedAt(port, ca, 'localhost')])).toEqual([
      fingerprintOf(next),
      fingerprintOf(next),
    ])
    await callers.each(3)
  }
  await callers.end()
  server.close()
  guard.close()
  process.stdout.write(`${others.length} replacements; ${callers.report}\n`)
  expect(tallies.flatMap(({ failures }) => failures)).toEqual([])
  expect(events.all.map(({ outcome }) => outcome)).toEqual(others.flatMap(() => ['failed', 'replaced']))
})
