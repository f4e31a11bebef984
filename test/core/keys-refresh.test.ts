// How key sets are kept fresh, and what happens when they cannot be.
import { subscribe, unsubscribe } from 'node:diagnostics_channel'
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { authenticated, createGuard, keysChannel, type Clock, type KeysEvent } from '@countersign/core'
import { createTestClock, type TestClock } from '@countersign/testing'
import { afterEach, describe, expect, test, vi } from 'vitest'
import { GivenKeys } from '../../packages/core/src/identity/trust/key-source.ts'
import { PublishedKeys } from '../../packages/core/src/identity/trust/published-keys.ts'
import { codeFor, codeOf, requestWith, settled } from './support/asking.ts'
import { issuer } from './support/house.ts'
import { openKeyNetwork, published, soFar, type KeyHouse } from './support/key-network.ts'
import { jsonDocument } from './support/network.ts'
import { createRawSigner } from './support/raw-signer.ts'

const second = createRawSigner()
const minute = 60
const hour = 60 * minute

afterEach(() => {
  vi.restoreAllMocks()
})

async function openFresh(...options: Parameters<typeof openKeyNetwork>): Promise<KeyHouse> {
  const house = openKeyNetwork(...options)
  await house.guard.ready()
  return house
}

describe('a key set', () => {
  test.each([
    ['nothing', {}, 240],
    ['an hour', { 'cache-control': 'max-age=3600' }, 2880],
    ['ten minutes among others', { 'cache-control': 'public, MAX-AGE=600, must-revalidate' }, 480],
    ['less than a minute', { 'cache-control': 'max-age=1' }, 48],
    ['no time at all', { 'cache-control': 'max-age=0' }, 48],
    ['more than a day', { 'cache-control': 'max-age=9999999' }, 19.2 * hour],
    ['ten minutes, of which eight are over', { 'cache-control': 'max-age=600', age: '480' }, 96],
    ['ten minutes, which are over', { 'cache-control': 'max-age=600', age: '9999' }, 48],
    ['ten minutes, and an age that is no number', { 'cache-control': 'max-age=600', age: '-480' }, 480],
    ['ten minutes, and an age with more behind it', { 'cache-control': 'max-age=600', age: '480 s' }, 480],
    ['something for shared caches', { 'cache-control': 'no-transform, s-maxage=9999' }, 240],
    ['something else', { 'cache-control': 'x-max-age=9999' }, 240],
    ['no number', { 'cache-control': 'max-age=banana' }, 240],
    ['too large a number', { 'cache-control': 'max-age=99999999999' }, 240],
  ])(
    'that is good for %s is fetched again ahead of time, and again, without any request',
    async (_, headers, after) => {
      const house = openKeyNetwork()
      house.network.headers = headers
      await house.guard.ready()
      for (const times of [1, 2]) {
        await house.pass(after * 1000 - 1)
        expect(house.network.requests).toHaveLength(times)
        await house.pass(1)
        expect(house.network.requests).toHaveLength(times + 1)
      }
      expect(await house.state()).toMatchObject({ nextRefreshAt: house.clock.now() + after * 1000 })
    },
  )

  test('is not fetched again because somebody asks whether the service is ready', async () => {
    const { network, guard, pass } = await openFresh()
    await pass(1500)
    await guard.ready()
    expect(network.requests).toHaveLength(1)
  })

  test('is fetched when the first token comes, and not before', async () => {
    const { network, ask, pass } = openKeyNetwork()
    await pass({ seconds: hour })
    expect(network.requests).toEqual([])
    expect(await ask()).toBe('allow')
    await pass({ seconds: 240 })
    expect(network.requests).toHaveLength(2)
  })

  test('goes on serving while the next one is on its way', async () => {
    const { network, guard, token, pass } = await openFresh()
    network.delay()
    await pass({ seconds: 250 })
    expect(network.requests).toHaveLength(2)
    expect(await codeFor(guard, token())).toBe('allow')
  })

  test('is replaced, never merged', async () => {
    const { network, ask, pass } = await openFresh()
    network.document = { keys: [published('key-2', second)] }
    await pass({ seconds: 240 })
    expect(await ask('key-2', second)).toBe('allow')
    expect(await ask()).toBe('key_unknown')
  })

  test('that lacks a key ends what that key verified, though no new token ever comes', async () => {
    const { network, guard, token, pass } = await openFresh()
    const [kept, socket] = [token(), {}]
    const again = async () => codeFor(guard, kept, authenticated(), socket)
    expect(await again()).toBe('allow')
    network.document = { keys: [published('key-2', second)] }
    await pass({ seconds: 239 })
    expect(await again()).toBe('allow')
    await pass({ seconds: 1 })
    expect(await again()).toBe('key_unknown')
    expect(await codeFor(guard, kept)).toBe('key_unknown')
  })

  test('that has another key under the same name ends what the older one verified', async () => {
    const { network, guard, token, pass } = await openFresh()
    const kept = token()
    expect(await codeFor(guard, kept)).toBe('allow')
    network.document = { keys: [published('key-1', second)] }
    await pass({ seconds: 240 })
    expect(await codeFor(guard, kept)).toBe('signature_invalid')
    expect(await codeFor(guard, token('key-1', second))).toBe('allow')
  })

  test('that says the same in other words ends nothing', async () => {
    const { network, guard, token, pass } = await openFresh()
    const [kept, socket] = [token(), {}]
    await codeFor(guard, kept, authenticated(), socket)
    network.document = { keys: [{ 'x5t#S256': 'new', ...published() }], updated: 'today' }
    await pass({ seconds: 240 })
    expect(guard.decide(requestWith(`Bearer ${kept}`, socket), authenticated())).toMatchObject({
      outcome: 'allow',
    })
  })

  test.each([
    ['is empty', { keys: [] }, /at least one usable/],
    ['has no usable key', { keys: [{ kty: 'new', kid: 'key-1' }] }, /at least one usable/],
    ['is none', { keys: 'none' }, /JWK Set/],
    ['publishes a secret', { keys: [published(), { kty: 'oct', k: 'AA' }] }, /private or symmetric/],
    ['is broken off', '{"keys":[', /the answer is not a JSON object/],
    ['names a member twice', '{"keys":[],"keys":[]}', /not a JSON object/],
  ])('that %s replaces nothing, and the operator is told', async (_, document, problem) => {
    const { network, ask, pass, state } = await openFresh()
    const good = network.document
    network.document = document
    await pass({ seconds: 240 })
    expect(await ask()).toBe('allow')
    expect(await state()).toMatchObject({ status: 'stale', keys: 1, problem: expect.stringMatching(problem) })
    network.document = good
    await pass(1500)
    expect(await state()).toMatchObject({ status: 'fresh', problem: undefined })
  })
})

describe('a server that tells editions apart', () => {
  const conditions = ({ network }: KeyHouse) =>
    network.requests.map(({ headers }) => [headers['if-none-match'], headers['if-modified-since']])
  const unchanged = (headers = {}) => ({ status: 304, headers, octets: new Uint8Array() })

  test('is asked whether there is another, and its answer that there is none keeps the keys fresh', async () => {
    const house = openKeyNetwork()
    const { network, pass, ask, state, clock } = house
    network.headers = {
      etag: '"1"',
      'last-modified': 'Tue, 01 Jan 2030 00:00:00 GMT',
      'cache-control': 'max-age=600',
    }
    await house.guard.ready()
    network.answer = () => unchanged({ etag: undefined })
    await pass({ seconds: 480 })
    await pass({ seconds: 480 })
    expect(conditions(house)).toEqual([
      [undefined, undefined],
      ['"1"', 'Tue, 01 Jan 2030 00:00:00 GMT'],
      ['"1"', 'Tue, 01 Jan 2030 00:00:00 GMT'],
    ])
    expect(await ask()).toBe('allow')
    expect(await state()).toMatchObject({ status: 'fresh', fetchedAt: clock.now() })
  })

  test('may say anew how long they are good, and what the edition is called', async () => {
    const house = openKeyNetwork()
    const { network, pass } = house
    network.headers = { etag: '"1"', 'cache-control': 'max-age=600' }
    await house.guard.ready()
    network.answer = () => unchanged({ etag: '"2"', 'cache-control': 'max-age=100', age: undefined })
    await pass({ seconds: 480 })
    await pass({ seconds: 80 })
    expect(conditions(house).map(([etag]) => etag)).toEqual([undefined, '"1"', '"2"'])
  })

  test('is not asked so about an edition that was refused', async () => {
    const house = openKeyNetwork()
    const { network, pass } = house
    network.headers = { etag: '"good"' }
    await house.guard.ready()
    network.headers = { etag: '"bad"' }
    network.document = { keys: [] }
    await pass({ seconds: 240 })
    await pass(1500)
    expect(conditions(house).map(([etag]) => etag)).toEqual([undefined, '"good"', '"good"'])
  })

  test('is not believed that nothing changed where nothing is known', async () => {
    const { network, guard, state } = openKeyNetwork()
    network.answer = () => unchanged()
    await guard.ready()
    expect(await state()).toMatchObject({ status: 'waiting', problem: 'expected status 200, got 304' })
  })

  test('is not asked about what another one published', async () => {
    const house = openKeyNetwork({ jwksUri: undefined } as object)
    const { network, pass } = house
    let place = `${issuer}/k`
    network.headers = { etag: '"1"' }
    network.answer = ({ url }) =>
      jsonDocument(
        url.includes('well-known') ? { issuer, jwks_uri: place } : { keys: [published()] },
        network.headers,
      )
    await house.guard.ready()
    place = `${issuer}/elsewhere`
    await pass({ seconds: 240 })
    await pass({ seconds: 240 })
    expect(
      network.requests.map(({ url, headers }) => [url.slice(issuer.length), headers['if-none-match']]),
    ).toEqual([
      ['/.well-known/openid-configuration', undefined],
      ['/k', undefined],
      ['/k', '"1"'],
      ['/.well-known/openid-configuration', undefined],
      ['/elsewhere', undefined],
    ])
  })
})

describe('an issuer that is down', () => {
  test('is asked again and again, less and less often, until it answers', async () => {
    const { network, pass, state, clock } = await openFresh()
    network.isDown = true
    const start = clock.now()
    for (let n = 0; n < 400; n += 1) await pass(1500)
    const failures = network.requests.slice(1).map(({ at }) => at - 240_000)
    expect(failures.slice(0, 9)).toEqual([0, 1500, 4500, 10_500, 22_500, 46_500, 94_500, 154_500, 214_500])
    expect(await state()).toMatchObject({ status: 'stale', fetchedAt: start })
    network.isDown = false
    await pass({ seconds: 60 })
    expect(await state()).toMatchObject({ status: 'fresh', problem: undefined })
    network.isDown = true
    const { length } = network.requests
    await pass({ seconds: 240 })
    await pass(1500)
    expect(network.requests).toHaveLength(length + 2) // and begins with short waits again
  })

  test('is not asked more often because tokens come that need nothing', async () => {
    const { network, pass, ask } = await openFresh()
    network.isDown = true
    await pass({ seconds: 240 })
    for (const wait of [1500, 3000, 6000, 12_000, 24_000]) await pass(wait)
    const { length } = network.requests
    for (let n = 0; n < 20; n += 1) {
      expect(await ask()).toBe('allow')
      await pass(1500)
    }
    expect(network.requests).toHaveLength(length)
  })

  test('at the start is asked in the background until it answers, and nobody else has to ask', async () => {
    const { network, guard, token, pass, state } = openKeyNetwork()
    network.isDown = true
    expect(await guard.ready()).toMatchObject({ ready: false })
    expect(await state()).toEqual({
      issuer,
      status: 'waiting',
      keys: 0,
      fetchedAt: undefined,
      nextRefreshAt: Date.parse('2030-01-01') + 1500,
      problem: 'expected status 200, got 503',
    })
    await pass(1500)
    await pass(3000)
    network.isDown = false
    await pass(6000)
    expect(network.requests.map(({ at }) => at)).toEqual([0, 1500, 4500, 10_500])
    expect(await state()).toMatchObject({ status: 'fresh', keys: 1 })
    expect(await codeFor(guard, token())).toBe('allow')
  })

  test('at the start keeps `ready()` waiting for the first attempt, and for no later one', async () => {
    const { network, guard, pass } = openKeyNetwork()
    network.isDown = true
    const arrive = network.delay()
    const [first, other] = [guard.ready(), guard.ready()]
    expect(await soFar(Promise.race([first, other]))).toBe('waiting')
    arrive()
    expect(await Promise.all([first, other])).toMatchObject([{ ready: false }, { ready: false }])
    network.delay()
    await pass(1500)
    expect(network.requests).toHaveLength(2)
    expect(await guard.ready()).toMatchObject({ ready: false })
    await pass(10_000)
    expect(network.requests).toHaveLength(2) // one at a time
    guard.close()
  })

  test('at the start is asked for a token as soon as the cool-down allows', async () => {
    const { network, ask, pass } = openKeyNetwork()
    network.isDown = true
    await ask()
    for (const wait of [1500, 3000, 6000]) await pass(wait)
    network.isDown = false
    expect(await ask()).toBe('issuer_unavailable')
    await pass(1500)
    expect(await ask()).toBe('allow')
  })

  test.each([
    ['a day', {}, 24 * hour],
    ['as long as was written', { maxStaleSeconds: 600 }, 600],
  ])(
    'has its keys serve for %s beyond the time of their refresh, and no longer',
    async (_, options, seconds) => {
      const { network, guard, token, pass, state, clock } = await openFresh(options)
      const [kept, socket] = [token(), {}]
      const again = async () => codeFor(guard, kept, authenticated(), socket)
      expect(await again()).toBe('allow')
      network.isDown = true
      await pass({ seconds: 240 })
      for (let left = seconds; left > 0; left -= 60) await pass({ seconds: 60 })
      expect(await again()).toBe('allow')
      expect(await state()).toMatchObject({ status: 'stale', keys: 1 })
      clock.advance(1)
      expect(await state()).toMatchObject({
        status: 'expired',
        keys: 0,
        problem: 'expected status 200, got 503',
      })
      expect(await guard.ready()).toMatchObject({ ready: false })
      expect(await again()).toBe('issuer_unavailable')
      expect(await codeFor(guard, kept)).toBe('issuer_unavailable')
      network.isDown = false
      await pass({ seconds: 60 })
      expect(await again()).toBe('allow')
      expect(guard.decide(requestWith(`Bearer ${kept}`, socket), authenticated())).toMatchObject({
        outcome: 'allow',
      })
      expect(await state()).toMatchObject({ status: 'fresh', keys: 1, problem: undefined })
    },
  )

  test('has its keys fetched whole after they were given up', async () => {
    const { network, guard, pass } = openKeyNetwork({ maxStaleSeconds: 60 })
    network.headers = { etag: '"1"' }
    await guard.ready()
    network.isDown = true
    for (let n = 0; n < 8; n += 1) await pass({ seconds: 60 })
    network.isDown = false
    await pass({ seconds: 60 })
    expect(network.requests.at(-2)?.headers).toEqual({})
    expect(network.requests.at(-1)?.headers).toEqual({})
  })

  test('leaves every other issuer alone', async () => {
    const [down, up] = [await openFresh({ maxStaleSeconds: 60 }), await openFresh()]
    down.network.isDown = true
    for (const house of [down, up]) for (let n = 0; n < 10; n += 1) await house.pass({ seconds: 60 })
    expect(await down.ask()).toBe('issuer_unavailable')
    expect(await up.ask()).toBe('allow')
  })

  test('whose fetch throws what is no error is down like any other', async () => {
    const { network, guard, state } = openKeyNetwork()
    network.answer = () => Promise.reject('no network')
    await guard.ready()
    expect(await state()).toMatchObject({ status: 'waiting', problem: 'unknown' })
  })
})

describe('an answer that comes after its time', () => {
  test('is not heard, whatever the fetch makes of the signal', async () => {
    const expiries: AbortController[] = []
    vi.spyOn(AbortSignal, 'timeout').mockImplementation(() => {
      const expiry = new AbortController()
      expiries.push(expiry)
      return expiry.signal
    })
    const { network, ask, pass, state } = await openFresh()
    const arrive = network.delay()
    await pass({ seconds: 240 })
    expiries.at(-1)?.abort(new DOMException('timed out', 'TimeoutError'))
    await settled()
    expect(await state()).toMatchObject({ status: 'stale', problem: 'no answer in time' })
    network.document = { keys: [published('key-2', second)] }
    const late = arrive
    network.delay()() // what is asked from now on is answered at once
    await pass(1500)
    expect(await ask('key-2', second)).toBe('allow')
    late()
    await settled()
    expect(await ask('key-2', second)).toBe('allow')
    expect(await ask()).toBe('key_unknown')
  })
})

describe('a guard that is closed', () => {
  test('asks nobody any more, and what was under way ends', async () => {
    const { network, guard, pass } = await openFresh()
    guard.close()
    await pass({ seconds: hour })
    expect(network.requests).toHaveLength(1)
    expect(await guard.ready()).toMatchObject({ ready: false, issuers: [{ keys: 0 }] })
    const opened = openKeyNetwork()
    const arrive = opened.network.delay()
    const answer = opened.ask()
    await settled()
    opened.guard.close()
    expect(await answer).not.toBe('allow')
    arrive()
    await opened.pass({ seconds: hour })
    expect(opened.network.requests).toHaveLength(1)
  })

  test('leaves a source of keys that asks for nothing and answers at once', async () => {
    const clock = createTestClock()
    let requests = 0
    const keys = publishedKeys(clock, () => void (requests += 1))
    const found = await keys.find('ES256', 'key-1')
    expect(found).toMatchObject({ isWithdrawn: false })
    const waiting = keys.find('ES256', 'invented')
    keys.close()
    expect(found).toMatchObject({ isWithdrawn: true })
    expect(await waiting).toMatchObject({ code: 'issuer_unavailable' })
    clock.advance({ seconds: hour })
    expect(keys.find('ES256', 'key-1')).toEqual({
      code: 'issuer_unavailable',
      detail: { issuer, expected: 'the keys of the issuer', actual: 'none yet', advice: reachable },
    })
    await keys.prepared()
    expect(requests).toBe(1)
  })

  test('withdraws the keys that it was given', () => {
    const keys = new GivenKeys(issuer, { keys: [published()] }, 'jwks')
    const found = keys.find('ES256', 'key-1')
    keys.close()
    expect(found).toMatchObject({ isWithdrawn: true })
  })

  test('tells nobody of the attempt that it broke off', async () => {
    const heard = hearing()
    const { network, guard } = openKeyNetwork({ issuer: 'https://closed.test' })
    network.delay()
    const ready = guard.ready()
    guard.close()
    await ready
    expect(heard('https://closed.test')).toEqual([])
  })
})

test('a guard that was dropped without being closed asks nobody any more', async () => {
  setFlagsFromString('--expose-gc')
  const collect = runInNewContext('gc') as () => void // what the flag has added to new contexts
  const clock = createTestClock()
  let requests = 0
  const fetch = async () => {
    requests += 1
    return jsonDocument({ keys: [published()] })
  }
  const use = async (isDropped: boolean) => {
    const guard = createGuard(
      { audience: 'orders', issuers: [{ issuer, jwksUri: `${issuer}/k` }], log: false },
      { clock, fetch },
    )
    await guard.ready()
    return isDropped ? undefined : guard
  }
  const kept = await use(false)
  await use(true)
  for (let n = 0; n < 3; n += 1) {
    await settled()
    collect()
  }
  clock.advance({ seconds: 240 })
  await settled()
  expect(requests).toBe(3)
  kept?.close()
})

describe('the channel of keys', () => {
  test('tells of each attempt what came of it', async () => {
    const name = 'https://heard.test'
    const heard = hearing()
    const { network, guard, pass } = openKeyNetwork({ issuer: name, maxStaleSeconds: 60 })
    await guard.ready()
    await pass({ seconds: 240 })
    network.document = { keys: [published(), published('key-2', second)] }
    await pass({ seconds: 240 })
    network.isDown = true
    await pass({ seconds: 240 })
    for (let n = 0; n < 8; n += 1) await pass({ seconds: 12 })
    const problem = 'expected status 200, got 503'
    const events = heard(name)
    expect(events.slice(0, 4)).toEqual([
      { issuer: name, outcome: 'refreshed', status: 'fresh', keys: 1, problem: undefined },
      { issuer: name, outcome: 'unchanged', status: 'fresh', keys: 1, problem: undefined },
      { issuer: name, outcome: 'refreshed', status: 'fresh', keys: 2, problem: undefined },
      { issuer: name, outcome: 'failed', status: 'stale', keys: 2, problem },
    ])
    expect(events.at(-1)).toEqual({ issuer: name, outcome: 'failed', status: 'expired', keys: 0, problem })
  })
})

test('an issuer that was never asked has no plan, and one that is down says so in each refusal', async () => {
  const clock = createTestClock()
  let isAsked = false
  const keys = publishedKeys(clock, () => {
    isAsked = true
    throw new Error('no route to it')
  })
  expect(keys.state).toEqual({
    issuer,
    status: 'waiting',
    keys: 0,
    fetchedAt: undefined,
    nextRefreshAt: undefined,
    problem: undefined,
  })
  expect(isAsked).toBe(false)
  expect(await keys.find('ES256', 'key-1')).toEqual({
    code: 'issuer_unavailable',
    detail: { issuer, expected: 'the keys of the issuer', actual: 'no route to it', advice: reachable },
  })
  keys.close()
})

describe('where the clock has no timers', () => {
  const withoutTimers = (clock: TestClock): Clock => ({ now: () => clock.now() })
  const open = async () => openFresh({}, withoutTimers)

  test('requests have the keys refreshed when it is time, and do not wait for it', async () => {
    const { network, ask, pass } = await open()
    await pass({ seconds: 239 })
    await ask()
    expect(network.requests).toHaveLength(1)
    await pass({ seconds: 1 })
    expect(network.requests).toHaveLength(1)
    network.delay()
    expect(await ask()).toBe('allow')
    expect(network.requests).toHaveLength(2)
  })

  test('remembered tokens have them refreshed as well', async () => {
    const { network, guard, token, pass } = await open()
    const [kept, socket] = [token(), {}]
    await codeFor(guard, kept, authenticated(), socket)
    await pass({ seconds: 240 })
    expect(codeOf(await guard.decide(requestWith(`Bearer ${kept}`, socket), authenticated()))).toBe('allow')
    await settled()
    expect(network.requests).toHaveLength(2)
  })

  test('a request waits for the refresh where it is overdue', async () => {
    const { network, guard, token, pass } = await open()
    const [kept, socket] = [token(), {}]
    await codeFor(guard, kept, authenticated(), socket)
    network.document = { keys: [published('key-2', second)] }
    await pass({ seconds: 270.001 })
    expect(await codeFor(guard, kept, authenticated(), socket)).toBe('key_unknown')
  })

  test('a clock that is set back has them refreshed', async () => {
    const { network, ask, pass } = await open()
    await pass({ seconds: -hour })
    expect(await ask()).toBe('allow')
    expect(network.requests).toHaveLength(2)
  })

  test('an unknown key is refused at once until the cool-down is over', async () => {
    const { network, ask, pass } = await open()
    network.document = { keys: [published(), published('key-2', second)] }
    expect(await ask('key-2', second)).toBe('key_unknown')
    await pass(1499)
    expect(await ask('key-2', second)).toBe('key_unknown')
    expect(network.requests).toHaveLength(1)
    await pass(1)
    expect(await ask('key-2', second)).toBe('allow')
  })

  test('an unknown key that comes while an answer is on its way is told by it', async () => {
    const { network, ask, pass } = await open()
    await pass(1500)
    const arrive = network.delay()
    const answers = [ask('a'), ask('b')]
    arrive()
    expect(await Promise.all(answers)).toEqual(['key_unknown', 'key_unknown'])
  })
})

describe('time that is not what it seems', () => {
  test('a process that slept asks the issuer before it relies on what it remembers', async () => {
    let slept = 0
    const house = await openFresh({}, (clock) => ({
      now: () => clock.now() + slept,
      schedule: (task, delayMs) => clock.schedule(task, delayMs),
    }))
    const { network, guard, token } = house
    const [kept, socket] = [token(), {}]
    await codeFor(guard, kept, authenticated(), socket)
    network.document = { keys: [published('key-2', second)] }
    slept = 240_000 + 30_000
    expect(await codeFor(guard, kept, authenticated(), socket)).toBe('allow') // it may as well be a little late
    await settled()
    network.document = { keys: [published()] }
    slept += 240_000 + 30_001
    const arrive = network.delay()
    expect(await house.state()).toMatchObject({ status: 'stale', problem: undefined })
    const answer = codeFor(guard, kept, authenticated(), socket)
    const other = codeFor(guard, token('key-2', second), authenticated(), socket)
    expect(await soFar(answer)).toBe('waiting')
    expect(await soFar(other)).toBe('waiting')
    arrive()
    expect([await answer, await other]).toEqual(['allow', 'key_unknown'])
  })

  test('a process that slept over an answer asks again before it relies on it', async () => {
    let slept = 0
    const { network, guard, token, pass } = await openFresh({}, (clock) => ({
      now: () => clock.now() + slept,
      schedule: (task, delayMs) => clock.schedule(task, delayMs),
    }))
    const kept = token()
    expect(await codeFor(guard, kept)).toBe('allow')
    const arrive = network.delay()
    await pass({ seconds: 240 })
    slept = hour * 1000
    network.document = { keys: [published('key-2', second)] }
    arrive()
    await settled()
    expect(await codeFor(guard, kept)).toBe('key_unknown')
    expect(network.requests).toHaveLength(3)
  })

  test('a clock that is set back while an answer is on its way puts nothing off', async () => {
    const { network, pass, clock } = await openFresh()
    const arrive = network.delay()
    await pass({ seconds: 240 })
    clock.advance({ seconds: -hour })
    arrive()
    await settled()
    await pass({ seconds: 240 })
    expect(network.requests).toHaveLength(3)
  })

  test('keys that were had before the clock was set back grow no younger by it', async () => {
    const { network, ask, pass, clock, state } = await openFresh()
    network.isDown = true
    clock.advance({ seconds: -30 * 24 * hour })
    await pass({ seconds: 240 })
    for (let n = 0; n < 24 * 60 + 4; n += 1) await pass({ seconds: 60 })
    expect(await state()).toMatchObject({ status: 'stale' })
    await pass(1)
    expect(await state()).toMatchObject({ status: 'expired' })
    expect(await ask()).toBe('issuer_unavailable')
  })

  test('a clock that was set back keeps nobody from asking the issuer', async () => {
    const { network, ask, pass, clock } = await openFresh()
    network.document = { keys: [published(), published('key-2', second)] }
    clock.advance({ seconds: -hour })
    expect(await ask('key-2', second)).toBe('allow')
    expect(network.requests).toHaveLength(2)
    await pass({ seconds: 240 })
    expect(network.requests).toHaveLength(3)
  })

  test('an answer that took long is counted from when it was asked for', async () => {
    const { network, pass, guard } = await openFresh()
    const arrive = network.delay()
    await pass({ seconds: 240 })
    await pass({ seconds: 10 })
    arrive()
    await settled()
    expect((await guard.ready()).issuers[0]?.nextRefreshAt).toBe(Date.parse('2030-01-01') + 480_000)
    await pass({ seconds: 230 })
    expect(network.requests).toHaveLength(3)
  })
})

/** What is heard on the channel of keys from now on, by issuer. */
function hearing(): (name: string) => KeysEvent[] {
  const heard: KeysEvent[] = []
  const hear = (event: unknown): void => void heard.push(event as KeysEvent) // the channel carries nothing else
  subscribe(keysChannel, hear)
  return (name) => {
    unsubscribe(keysChannel, hear)
    return heard.filter((event) => event.issuer === name)
  }
}

const reachable = 'check that this service reaches the issuer, and `ca` where its certificate is private'

/** The source of `key-1`. `asked` is called with each request, and may throw. */
const publishedKeys = (clock: Clock, asked: () => void): PublishedKeys =>
  new PublishedKeys({
    issuer,
    location: { kind: 'url', url: new URL(`${issuer}/k`) },
    format: 'jwks',
    ca: undefined,
    bearer: undefined,
    maxStaleMs: 60_000,
    clock,
    fetch: async () => {
      asked()
      return jsonDocument({ keys: [published()] })
    },
  })
