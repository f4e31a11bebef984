// A token whose key is not in the set at hand: either it was just published, or somebody invents names of keys.
import { authenticated } from '@countersign/core'
import { describe, expect, test } from 'vitest'
import { codeFor, codeOf, requestWith, settled } from './support/asking.ts'
import { openKeyNetwork, published, soFar } from './support/key-network.ts'
import { createRawSigner } from './support/raw-signer.ts'

const second = createRawSigner()
const rotated = { keys: [published(), published('key-2', second)] }
const room = 2048

/** A guard that had its keys a moment ago. */
async function openFresh() {
  const house = openKeyNetwork()
  await house.guard.ready()
  return house
}

describe('a token with a new key', () => {
  test('waits until the issuer may be asked again, and is allowed', async () => {
    const { network, ask, pass } = await openFresh()
    network.document = rotated
    const answer = ask('key-2', second)
    await pass(1499)
    expect(await soFar(answer)).toBe('waiting')
    expect(network.requests).toHaveLength(1)
    await pass(1)
    expect(await answer).toBe('allow')
    expect(network.requests.map(({ at }) => at)).toEqual([0, 1500])
  })

  test('is asked about at once where the issuer was not asked lately', async () => {
    const { network, ask, pass } = await openFresh()
    network.document = rotated
    await pass(1500)
    expect(await ask('key-2', second)).toBe('allow')
    expect(network.requests).toHaveLength(2)
  })

  test('waits with a hundred others for one request', async () => {
    const { network, ask, pass } = await openFresh()
    network.document = rotated
    const answers = Array.from({ length: 100 }, async () => ask('key-2', second))
    await pass(1500)
    expect(new Set(await Promise.all(answers))).toEqual(new Set(['allow']))
    expect(network.requests).toHaveLength(2)
  })

  test('that comes while an older answer is on its way is not refused by it, but waits for the next', async () => {
    const { network, ask, pass, clock } = await openFresh()
    await pass(1500)
    const arrive = network.delay()
    const invented = ask('invented')
    clock.advance(100)
    network.document = rotated // the answer was written before
    const genuine = ask('key-2', second)
    arrive()
    expect(await invented).toBe('key_unknown')
    expect(await soFar(genuine)).toBe('waiting')
    await pass(1399)
    expect(network.requests).toHaveLength(2)
    await pass(1)
    expect(await genuine).toBe('allow')
    expect(network.requests.map(({ at }) => at)).toEqual([0, 1500, 3000])
  })

  test('that comes while an answer is on its way is allowed by it where the key is in it', async () => {
    const { network, ask, pass } = await openFresh()
    await pass(1500)
    network.document = rotated
    const arrive = network.delay()
    const first = ask('invented')
    const genuine = ask('key-2', second)
    arrive()
    expect(await genuine).toBe('allow')
    expect(await first).toBe('key_unknown')
    expect(network.requests).toHaveLength(2)
  })

  test('that waits for a second answer is not kept longer by a clock that is set back', async () => {
    const { network, ask, pass, clock } = await openFresh()
    await pass(1500)
    const arrive = network.delay()
    const invented = ask('invented')
    network.document = rotated
    const genuine = ask('key-2', second)
    clock.advance({ seconds: -20 })
    arrive()
    await invented
    await pass(1500)
    expect(await genuine).toBe('allow')
  })

  test('is allowed without waiting where another one waited before it', async () => {
    const { network, ask, pass, guard, token } = await openFresh()
    network.document = rotated
    const answer = ask('key-2', second)
    await pass(1500)
    await answer
    expect(codeOf(await guard.decide(requestWith(`Bearer ${token('key-2', second)}`), authenticated()))).toBe(
      'allow',
    )
    expect(network.requests).toHaveLength(2)
  })
})

describe('a token with an invented key', () => {
  test('is refused when the issuer was asked after it came', async () => {
    const { ask, pass, network } = await openFresh()
    const answers = [ask('a'), ask('b'), ask('a')]
    await pass(1500)
    expect(await Promise.all(answers)).toEqual(['key_unknown', 'key_unknown', 'key_unknown'])
    expect(network.requests).toHaveLength(2)
  })

  test('is refused by the first set of all where nobody else came before', async () => {
    const { ask, network } = openKeyNetwork()
    expect(await ask('invented')).toBe('key_unknown')
    expect(network.requests).toHaveLength(1)
  })

  test('is asked about once in a cool-down, as long as they come', async () => {
    const { ask, pass, network } = await openFresh()
    for (let n = 0; n < 100; n += 1) {
      void ask(`invented-${n}`)
      await pass(100)
    }
    expect(network.requests.map(({ at }) => at)).toEqual([0, 1500, 3000, 4500, 6000, 7500, 9000])
  })

  test('that waits is answered when the guard closes', async () => {
    const { ask, guard } = await openFresh()
    const answer = ask('invented')
    await settled()
    guard.close()
    expect(await answer).not.toBe('allow')
  })
})

test('a token whose key is one of several is refused at once', async () => {
  const { network, ask, guard } = openKeyNetwork()
  network.document = { keys: [published(), published('key-1', second)] }
  await guard.ready()
  expect(await ask()).toBe('key_ambiguous')
  expect(network.requests).toHaveLength(1)
})

describe('a token without `kid`', () => {
  test('waits for a key that fits it', async () => {
    const { network, pass, guard, clock } = await openFresh()
    const rsa = createRawSigner('RS256')
    const claims = { iss: 'https://issuer.test', sub: 'a', client_id: 'a', aud: 'orders', jti: 'j' }
    const iat = clock.now() / 1000
    const token = rsa.jws({ alg: 'RS256', typ: 'at+jwt' }, { ...claims, iat, exp: iat + 300 })
    const answer = codeFor(guard, token)
    network.document = { keys: [published(), published('rsa', rsa)] }
    await pass(1500)
    expect(await answer).toBe('allow')
  })
})

describe('while the issuer is down', () => {
  test('a token with an unknown key is neither refused nor kept waiting', async () => {
    const { network, ask, pass } = await openFresh()
    network.isDown = true
    const answers = [ask('a'), ask('b')]
    await pass(1500)
    expect(await Promise.all(answers)).toEqual(['issuer_unavailable', 'issuer_unavailable'])
    expect(await ask('c')).toBe('issuer_unavailable')
    expect(network.requests).toHaveLength(2)
    expect(await ask()).toBe('allow')
  })

  test('a token with an unknown key has the issuer tried again ahead of the plan', async () => {
    const { network, ask, pass } = await openFresh()
    network.isDown = true
    for (const wait of [1500, 1500, 3000, 6000]) {
      void ask('invented')
      await pass(wait)
    }
    const { length } = network.requests
    network.isDown = false
    network.document = rotated
    await pass(1500)
    expect(network.requests).toHaveLength(length) // the next one was planned for later
    expect(await ask('key-2', second)).toBe('allow')
  })
})

describe('a key that was withdrawn', () => {
  test('is refused without waiting, so that callers learn to ask for a new token', async () => {
    const { network, ask, pass } = await openFresh()
    network.document = { keys: [published('key-2', second)] }
    const next = ask('key-2', second)
    await pass(1500)
    expect(await next).toBe('allow')
    expect(await ask()).toBe('key_unknown')
    expect(network.requests).toHaveLength(2)
  })

  test('is refused also where its token came while the set was on its way', async () => {
    const { network, ask, pass } = await openFresh()
    await pass({ seconds: 235 })
    network.document = { keys: [published('key-2', second)] }
    const arrive = network.delay()
    await pass({ seconds: 5 })
    await pass({ seconds: 31 }) // and the process slept
    const answer = ask()
    arrive()
    expect(await answer).toBe('key_unknown')
  })

  test('and is published again is honoured after the cool-down', async () => {
    const { network, ask, pass } = await openFresh()
    network.document = { keys: [published('key-2', second)] }
    const next = ask('key-2', second)
    await pass(1500)
    await next
    network.document = rotated
    expect(await ask()).toBe('key_unknown')
    await pass(1500)
    expect(await ask()).toBe('allow')
  })
})

describe('the waiting room', () => {
  /** Has so many tokens with keys of these names wait. */
  const crowd = (
    present: (kid: string) => Promise<string>,
    size: number,
    kid = (n: number) => `invented-${n}`,
  ) => Array.from({ length: size }, async (_, n) => present(kid(n)))

  test('is bounded: whoever finds it full is told to come again, and is honoured when it does', async () => {
    const { network, ask, pass, guard, token } = await openFresh()
    network.document = rotated
    const waiting = crowd(ask, room)
    await settled()
    const decision = await guard.decide(requestWith(`Bearer ${token('key-2', second)}`), authenticated())
    expect(decision).toMatchObject({
      refusal: {
        code: 'issuer_overloaded',
        detail: {
          issuer: 'https://issuer.test',
          expected: `at most ${room} requests waiting for the keys of the issuer`,
          actual: 'more',
          advice: 'somebody presents tokens whose `kid` the issuer does not publish, many at a time',
        },
      },
      response: { status: 503, headers: { 'retry-after': expect.stringMatching(/^[1-9]/) } },
    })
    await pass(1500)
    expect(new Set(await Promise.all(waiting))).toEqual(new Set(['key_unknown']))
    expect(await ask('key-2', second)).toBe('allow')
    expect(network.requests).toHaveLength(2)
  })

  test('lets the last one in that it has room for', async () => {
    const { network, ask, pass } = await openFresh()
    network.document = rotated
    const waiting = crowd(ask, room - 1)
    const last = ask('key-2', second)
    await pass(1500)
    expect(await last).toBe('allow')
    await Promise.all(waiting)
  })

  test('is bounded also before the first keys come, and stops nobody when they have', async () => {
    const { network, ask } = openKeyNetwork()
    const arrive = network.delay()
    const waiting = crowd(ask, room, () => 'key-1')
    await settled()
    expect(await ask()).toBe('issuer_overloaded')
    arrive()
    expect(new Set(await Promise.all(waiting))).toEqual(new Set(['allow']))
    expect(await ask()).toBe('allow')
    expect(network.requests).toHaveLength(1)
  })

  test('does not let those in again who were refused while half of it is taken, and keeps the rest for others', async () => {
    const { network, ask, pass } = await openFresh()
    const alien = ask('alien')
    await pass(1500)
    expect(await alien).toBe('key_unknown')
    const waiting = crowd(ask, room / 2 - 1)
    const again = ask('alien') // the last one of the half
    expect(await soFar(again)).toBe('waiting')
    expect(await ask('alien')).toBe('key_unknown')
    network.document = rotated
    const genuine = ask('key-2', second)
    await pass(1500)
    expect(await genuine).toBe('allow')
    expect(await again).toBe('key_unknown')
    await Promise.all(waiting)
    expect(network.requests).toHaveLength(3)
  })

  test('a name that a stranger guessed before it was published is refused for no longer than a cool-down', async () => {
    const { network, ask, pass } = await openFresh()
    const guessed = ask('key-2')
    await pass(1500)
    expect(await guessed).toBe('key_unknown')
    network.document = rotated
    const genuine = ask('key-2', second)
    await pass(1500)
    expect(await genuine).toBe('allow') // there was room
  })

  test('forgets in quiet times whom it refused', async () => {
    const { ask, pass } = await openFresh()
    const alien = ask('alien')
    await pass(1500)
    await alien
    await pass({ seconds: 240 })
    const waiting = crowd(ask, room / 2)
    const again = ask('alien')
    expect(await soFar(again)).toBe('waiting')
    await pass(1500)
    await Promise.all([...waiting, again])
  })

  test('remembers whom it refused as long as half of it is taken, up to as many as it has room for', async () => {
    const { ask, pass } = await openFresh()
    for (const round of ['a', 'b', 'c']) {
      const waiting = crowd(ask, room / 2, (n) => `${round}-${n}`)
      await pass(1500)
      expect(new Set(await Promise.all(waiting))).toEqual(new Set(['key_unknown']))
    }
    const half = crowd(ask, room / 2, (n) => `d-${n}`)
    await settled()
    expect(await soFar(ask('a-0'))).toBe('key_unknown')
    await pass(1500)
    await Promise.all(half)
  })

  test('forgets whom it refused before it grows without bound, and they wait once more', async () => {
    const { ask, pass } = await openFresh()
    const alien = ask('alien')
    await pass(1500)
    await alien
    for (const round of ['a', 'b']) {
      const waiting = crowd(ask, room, (n) => `${round}-${n}`)
      await pass(1500)
      await Promise.all(waiting)
    }
    const half = crowd(ask, room / 2, (n) => `c-${n}`)
    const again = ask('alien')
    expect(await soFar(again)).toBe('waiting')
    await pass(1500)
    await Promise.all([...half, again])
  })
})
