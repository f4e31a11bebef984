// The drill: a real issuer is killed under load, and rotates its keys under load. No good call is refused for it.
import { once } from 'node:events'
import { createServer } from 'node:https'
import { createGuard, type FetchDocument } from '@countersign/core'
import { createTestCa, createTestClock } from '@countersign/testing'
import { expect, test } from 'vitest'
import { fetchDocument } from '../../packages/core/src/identity/trust/fetch-document.ts'
import { codeFor, settled } from './support/asking.ts'
import { claimsAt } from './support/house.ts'
import { published, signer } from './support/key-network.ts'
import { createRawSigner } from './support/raw-signer.ts'

const ca = await createTestCa({ name: 'CA of the drill' })
const identity = await ca.serverCertificate(['localhost'])

/** An issuer that can be killed: its port is then closed, and every connection with it. */
async function openIssuer() {
  const site = { keys: [published()] as object[], hits: 0 }
  const open = async (port: number) => {
    const server = createServer({ cert: identity.cert, key: identity.key }, (request, response) => {
      site.hits += 1
      const origin = `https://localhost:${listening}`
      const isMetadata = request.url === '/.well-known/openid-configuration'
      const document = isMetadata ? { issuer: origin, jwks_uri: `${origin}/k` } : { keys: site.keys }
      response.end(JSON.stringify(document))
    })
    server.listen(port, '127.0.0.1')
    await once(server, 'listening')
    return server
  }
  let listening = 0
  let server = await open(0)
  const address = server.address()
  if (address === null || typeof address === 'string') throw new Error('expected the server to have a port')
  listening = address.port
  return {
    site,
    origin: `https://localhost:${listening}`,
    async kill() {
      server.close()
      server.closeAllConnections()
      await once(server, 'close')
    },
    async restart() {
      server = await open(listening)
    },
  }
}

/** A guard whose time stands still while its network works. */
function guardAt(issuer: string) {
  const clock = createTestClock()
  const underWay = new Set<Promise<unknown>>()
  const fetch: FetchDocument = async (url, options) => {
    const fetched = fetchDocument(url, options)
    underWay.add(fetched)
    return fetched.finally(() => underWay.delete(fetched))
  }
  const guard = createGuard(
    { audience: 'orders', issuers: [{ issuer, ca: ca.bundle }], log: false },
    { clock, fetch },
  )
  const token = (kid = 'key-1', by = signer): string =>
    by.jws({ alg: 'ES256', typ: 'at+jwt', kid }, claimsAt(clock, issuer))
  async function pass(ms: number): Promise<void> {
    clock.advance(ms)
    await settled()
    while (underWay.size > 0) await settled()
  }
  return { guard, token, pass }
}

test('an issuer that is killed for a minute under load has no good call refused, and is found again', async () => {
  const { site, origin, kill, restart } = await openIssuer()
  const { guard, token, pass } = guardAt(origin)
  const calls: Promise<string>[] = []
  const load = async (seconds: number) => {
    for (let ms = 0; ms < seconds * 1000; ms += 100) {
      calls.push(codeFor(guard, token()))
      await pass(100)
    }
  }
  await load(235)
  await kill()
  const before = site.hits
  await load(60) // the refresh at 240 s falls into it
  expect((await guard.ready()).issuers[0]).toMatchObject({ status: 'stale', keys: 1 })
  await restart()
  await load(60)
  expect((await guard.ready()).issuers[0]).toMatchObject({ status: 'fresh', problem: undefined })
  expect(site.hits).toBe(before + 2)
  const codes = await Promise.all(calls)
  expect(codes).toHaveLength(3550)
  expect(codes.filter((code) => code !== 'allow')).toEqual([])
  guard.close()
  await kill()
})

test('an issuer that publishes a new key and signs with it under load has no good call refused', async () => {
  const { site, origin, kill } = await openIssuer()
  const { guard, token, pass } = guardAt(origin)
  const calls: Promise<string>[] = []
  let [kid, key] = ['key-1', signer]
  for (let ms = 0; ms < 60_000; ms += 20) {
    if (ms > 0 && ms % 7000 === 0) {
      ;[kid, key] = [`key-${ms}`, createRawSigner()]
      site.keys = [...site.keys.slice(-1), published(kid, key)] // and it signs with it in the next moment
    }
    calls.push(codeFor(guard, token(kid, key)))
    await pass(20)
  }
  await pass(1500)
  const codes = await Promise.all(calls)
  expect(codes).toHaveLength(3000)
  expect(codes.filter((code) => code !== 'allow')).toEqual([])
  guard.close()
  await kill()
})
