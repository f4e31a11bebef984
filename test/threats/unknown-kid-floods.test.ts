// T28: who invents names of keys may neither have a service flood its issuer nor keep a new key from being found.
import { createGuard, type FetchDocument } from '@countersign/core'
import { createTestClock } from '@countersign/testing'
import { describe, expect, test } from 'vitest'
import { UnexpectedStatus, fetchDocument } from '../../packages/core/src/identity/trust/fetch-document.ts'
import { codeFor, settled } from '../core/support/asking.ts'
import { flood, passMillisecond } from '../core/support/flood.ts'
import { claimsAt, issuer } from '../core/support/house.ts'
import { oauth, openId, openSite } from '../core/support/issuer-site.ts'
import { openKeyNetwork, published } from '../core/support/key-network.ts'
import { jsonDocument } from '../core/support/network.ts'
import { createRawSigner } from '../core/support/raw-signer.ts'

const second = createRawSigner()
const rotated = { keys: [published(), published('key-2', second)] }
const halfway = 5000
/** A thousand a second for ten seconds. */
const usual = { perMillisecond: 1, milliseconds: 10_000 }

interface Served {
  readonly code: string
  readonly tookMs: number
}

const longest = (served: readonly Served[]): number => Math.max(...served.map(({ tookMs }) => tookMs))
const codes = (served: readonly Served[]): Set<string> => new Set(served.map(({ code }) => code))

describe('T28 a thousand invented kids a second for ten seconds, and a new key in the middle', () => {
  test('T28 cost nine requests at most, and each single call with the new key is honoured within two seconds', async () => {
    const house = openKeyNetwork()
    const { network, clock, guard } = house
    network.latencyMs = 80
    const genuine: Promise<Served>[] = []
    const ask = async (): Promise<Served> => {
      const askedAt = clock.now()
      const code = await house.ask('key-2', second)
      return { code, tookMs: clock.now() - askedAt }
    }
    const answers = await flood({
      ...usual,
      guard,
      clock,
      each(ms) {
        if (ms === halfway) network.document = rotated
        // None of them is repeated: whenever one comes, it finds room and waits for its key.
        if (ms >= halfway && ms % 50 === 0) genuine.push(ask())
      },
    })
    const served = await Promise.all(genuine)
    expect(served).toHaveLength(100)
    expect(codes(served)).toEqual(new Set(['allow']))
    expect(longest(served)).toBeLessThan(2000)
    expect([...answers]).toEqual([['key_unknown', 10_000]])
    expect(network.requests.map(({ at }) => at)).toEqual([0, 1500, 3000, 4500, 6000, 7500, 9000, 10_500])
  })

  test('T28 cost nine requests at most also where the issuer has to be discovered in two steps', async () => {
    const house = openKeyNetwork({ jwksUri: undefined } as object)
    const { network, clock, guard } = house
    network.answer = ({ url }) => {
      if (url.endsWith(openId)) throw new UnexpectedStatus(404)
      return jsonDocument(url.endsWith(oauth) ? { issuer, jwks_uri: `${issuer}/k` } : { keys: [published()] })
    }
    const answers = await flood({ ...usual, guard, clock, each: () => undefined })
    expect([...answers]).toEqual([['key_unknown', 10_000]])
    const asked = network.requests.filter(({ at }) => at < 10_000).map(({ url }) => url.slice(issuer.length))
    expect(asked).toEqual([openId, oauth, '/k', '/k', '/k', '/k', '/k', '/k', '/k'])
  })

  test('T28 cost nine requests at most over real HTTPS, and the new key is honoured within two seconds', async () => {
    const clock = createTestClock()
    let document: object = { keys: [published()] }
    let edition = 1
    await using site = await openSite((origin) => ({
      [openId]: { issuer: origin, jwks_uri: `${origin}/k` },
      '/k': (response, request) => {
        const etag = `"${edition}"`
        const isKnown = request.headers['if-none-match'] === etag
        statuses.push(isKnown ? 304 : 200)
        response.writeHead(isKnown ? 304 : 200, { etag })
        response.end(isKnown ? undefined : JSON.stringify(document))
      },
    }))
    const statuses: number[] = []
    // Time stands still while the network works.
    const underWay = new Set<Promise<unknown>>()
    const fetch: FetchDocument = async (url, options) => {
      const fetched = fetchDocument(url, options)
      underWay.add(fetched)
      return fetched.finally(() => underWay.delete(fetched))
    }
    const guard = createGuard(
      { audience: 'orders', issuers: [{ issuer: site.origin, ca: site.ca }], log: false },
      { clock, fetch },
    )
    const genuine: Promise<Served>[] = []
    const ask = async (): Promise<Served> => {
      const askedAt = clock.now()
      const header = { alg: 'ES256', typ: 'at+jwt', kid: 'key-2' }
      const code = await codeFor(guard, second.jws(header, claimsAt(clock, site.origin)))
      return { code, tookMs: clock.now() - askedAt }
    }
    const answers = await flood({
      ...usual,
      guard,
      clock,
      iss: site.origin,
      async each(ms) {
        while (underWay.size > 0) await settled()
        if (ms === halfway) {
          document = rotated
          edition += 1
        }
        if (ms >= halfway && ms % 500 === 0) genuine.push(ask())
      },
    })
    const served = await Promise.all(genuine)
    expect(codes(served)).toEqual(new Set(['allow']))
    expect(longest(served)).toBeLessThan(2000)
    expect([...answers]).toEqual([['key_unknown', 10_000]])
    expect(site.hits).toHaveLength(9)
    expect(statuses).toEqual([200, 304, 304, 304, 200, 304, 304, 304])
    guard.close()
  })
})

test('T28 a flood that overfills the waiting room keeps nobody out who comes again', async () => {
  const house = openKeyNetwork()
  const { network, clock, guard } = house
  network.latencyMs = 80
  const attempts: { readonly at: number; readonly code: string }[] = []
  const answers = await flood({
    guard,
    clock,
    perMillisecond: 5,
    milliseconds: 4500,
    each(ms) {
      if (ms === 2000) network.document = rotated
      if (ms >= 2000 && ms % 100 === 0) {
        void house.ask('key-2', second).then((code) => attempts.push({ at: clock.now(), code }))
      }
    },
  })
  expect(new Set(answers.keys())).toEqual(new Set(['key_unknown', 'issuer_overloaded']))
  expect(answers.get('issuer_overloaded')).toBeGreaterThan(5000)
  // Some were turned away, which tells them to come again; not one was refused for good.
  expect(new Set(attempts.map(({ code }) => code))).toEqual(new Set(['allow', 'issuer_overloaded']))
  const first = attempts.find(({ code }) => code === 'allow')
  expect((first?.at ?? Infinity) - Date.parse('2030-01-01')).toBeLessThan(2000 + 2000)
  expect(attempts.slice(attempts.indexOf(first as never)).every(({ code }) => code === 'allow')).toBe(true)
  expect(network.requests).toHaveLength(4)
})

test('T28 who keeps asking for one unknown key fills half of the room, costs no more requests, and is told so at once', async () => {
  const house = openKeyNetwork()
  const { network, clock, guard } = house
  await guard.ready()
  const alien = house.token('alien')
  const answers: Promise<string>[] = []
  for (let ms = 0; ms < 4500; ms += 1) {
    if (ms === 3500) network.document = rotated
    for (let n = 0; n < 4; n += 1) answers.push(codeFor(guard, alien))
    if (ms > 3500 && ms % 100 === 0) answers.push(house.ask('key-2', second))
    await passMillisecond(clock)
  }
  await house.pass(1500)
  const found = await Promise.all(answers)
  expect(found.filter((code) => code === 'allow')).toHaveLength(9)
  // In the first cool-down nobody has refused it yet, so it fills the whole room.
  expect(found.filter((code) => code === 'issuer_overloaded').length).toBeLessThan(1500 * 4)
  expect(new Set(found)).toEqual(new Set(['allow', 'key_unknown', 'issuer_overloaded']))
  expect(found.slice(1500 * 4)).not.toContain('issuer_overloaded')
  expect(network.requests.map(({ at }) => at)).toEqual([0, 1500, 3000, 4500])
})

test('T28 invented kids of one issuer delay no token of another', async () => {
  const [flooded, other] = [openKeyNetwork(), openKeyNetwork()]
  await Promise.all([flooded.guard.ready(), other.guard.ready()])
  flooded.network.delay()
  for (let n = 0; n < 3000; n += 1) void flooded.ask(`invented-${n}`)
  await flooded.pass(1500)
  other.network.document = rotated
  await other.pass(1500)
  expect(await other.ask('key-2', second)).toBe('allow')
  flooded.guard.close()
})
