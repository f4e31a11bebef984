import { createTestClock } from '@countersign/testing'
import fc from 'fast-check'
import { describe, expect, test, vi } from 'vitest'
import { checkedAtOnce } from '../../packages/core/src/identity/jws/signature-checks.ts'
import type { Algorithm } from '../../packages/core/src/identity/jws/algorithms.ts'
import { MemoryReplayStore } from '../../packages/core/src/identity/proof/memory-replay-store.ts'
import { ProofVerifier } from '../../packages/core/src/identity/proof/proof-verifier.ts'
import type { ReplayStore } from '../../packages/core/src/identity/proof/replay-store.ts'
import { Refusal } from '../../packages/core/src/refusal.ts'
import { createProver, type Prover } from './support/prover.ts'

const accessToken = 'access-token'
const target = '/orders/7?full=1'

/** A clock whose tasks wait until a test runs them. */
function createWaitingClock() {
  const clock = createTestClock()
  const waiting = new Map<() => void, number>()
  const schedule = (task: () => void, delayMs: number) => {
    waiting.set(task, delayMs)
    return () => void waiting.delete(task)
  }
  return Object.assign(clock, { schedule, waiting })
}

function createVerifier(
  clock: ReturnType<typeof createWaitingClock>,
  replayStore?: ReplayStore,
  maxEntries = 1000,
) {
  return new ProofVerifier({
    clock,
    externalUrls: ['https://api.example.com'],
    algorithms: ['ES256'] satisfies Algorithm[],
    windowSeconds: 60,
    toleranceSeconds: 30,
    nonces: undefined,
    checks: checkedAtOnce,
    replayStore: replayStore ?? new MemoryReplayStore({ clock, windowMs: 120_000, maxEntries }),
    isRequired: false,
  })
}

async function createScene(replayStore?: ReplayStore, maxEntries?: number) {
  const clock = createWaitingClock()
  const prover = await createProver({ now: clock.now, accessToken })
  const verifier = createVerifier(clock, replayStore, maxEntries)
  const verify = (proof: string | undefined, by: Prover = prover) =>
    verifier.verify({ proof, method: 'GET', target, connection: {} }, accessToken, by.jkt)
  const codeOf = async (proof: string, by?: Prover): Promise<string> => {
    const verified = await verify(proof, by)
    return verified instanceof Refusal ? verified.code : 'verified'
  }
  return { clock, prover, verifier, verify, codeOf }
}

describe('a proof', () => {
  test('T34 is good once', async () => {
    const { prover, codeOf } = await createScene()
    const proof = prover.proof()
    expect(await codeOf(proof)).toBe('verified')
    expect(await codeOf(proof)).toBe('dpop_proof_replayed')
    expect(await codeOf(prover.proof())).toBe('verified')
  })

  test('T55 by a key that a token is bound to has that key imported once, however wrong its signature', async () => {
    const { prover, codeOf } = await createScene()
    const imports = vi.spyOn(globalThis.crypto.subtle, 'importKey')
    for (const tail of ['AAA', 'BAA', 'CAA']) {
      expect(await codeOf(`${prover.proof().slice(0, -3)}${tail}`)).toBe('dpop_proof_signature_invalid')
    }
    expect(imports).toHaveBeenCalledTimes(1)
    imports.mockRestore()
  })

  test('T34 is good once where many requests bring it at the same time', async () => {
    const { prover, codeOf } = await createScene()
    const proof = prover.proof()
    const answers = await Promise.all(Array.from({ length: 50 }, () => codeOf(proof)))
    expect(answers.filter((code) => code === 'verified')).toHaveLength(1)
    expect(answers.filter((code) => code === 'dpop_proof_replayed')).toHaveLength(49)
  })

  test('T34 is known by its key and id: neither another signature nor other claims make it a new one', async () => {
    const { prover, codeOf, clock } = await createScene()
    const claims = prover.claims({ jti: 'one' })
    const [one, twin] = [prover.jws(prover.header, claims), prover.jws(prover.header, claims)]
    expect(one).not.toBe(twin)
    expect(await codeOf(one)).toBe('verified')
    expect(await codeOf(twin)).toBe('dpop_proof_replayed')
    clock.advance({ seconds: 20 })
    expect(await codeOf(prover.proof({ jti: 'one' }))).toBe('dpop_proof_replayed')
    expect(await codeOf(prover.proof({ jti: 'two' }))).toBe('verified')
  })

  test('T34 has an id of its own key: a stranger’s proof does not use it up', async () => {
    const { prover, codeOf, clock } = await createScene()
    const stranger = await createProver({ now: clock.now, accessToken })
    expect(await codeOf(stranger.proof({ jti: 'same' }), stranger)).toBe('verified')
    expect(await codeOf(prover.proof({ jti: 'same' }))).toBe('verified')
  })

  test('T34 that is refused for another reason is not used up', async () => {
    const { prover, codeOf, verifier } = await createScene()
    const proof = prover.proof({ jti: 'one' })
    expect(await codeOf(prover.proof({ jti: 'one', htm: 'POST' }))).toBe('dpop_proof_mismatch')
    expect(await codeOf(`${proof.slice(0, -3)}AAA`)).toBe('dpop_proof_signature_invalid')
    expect(
      await verifier.verify({ proof, method: 'GET', target, connection: {} }, accessToken, 'another'),
    ).toMatchObject({
      code: 'dpop_key_mismatch',
    })
    expect(
      await verifier.verify({ proof, method: 'GET', target, connection: {} }, 'another', prover.jkt),
    ).toMatchObject({
      code: 'dpop_proof_mismatch',
    })
    expect(await codeOf(proof)).toBe('verified')
  })

  test('T34 stays used as long as it could be accepted', async () => {
    const { prover, codeOf, clock } = await createScene()
    const early = prover.proof({ iat: clock.now() / 1000 + 30 })
    const proof = prover.proof()
    expect(await codeOf(proof)).toBe('verified')
    expect(await codeOf(early)).toBe('verified')
    for (let second = 1; second < 60; second += 1) {
      clock.advance({ seconds: 1 })
      expect(await codeOf(proof)).toBe('dpop_proof_replayed')
      expect(await codeOf(early)).toBe('dpop_proof_replayed')
    }
    clock.advance({ seconds: 1 })
    expect(await codeOf(proof)).toBe('dpop_proof_expired')
    clock.advance({ seconds: 29.999 })
    expect(await codeOf(early)).toBe('dpop_proof_replayed')
  })

  test.each([1, 29, 31, 59, 600, 86_400])(
    'T34 stays used where the clock goes on far and then back by %i s',
    async (seconds) => {
      const { prover, codeOf, clock } = await createScene()
      const proof = prover.proof()
      expect(await codeOf(proof)).toBe('verified')
      clock.advance({ seconds: seconds + 10 })
      await codeOf(prover.proof()) // so that what is over is forgotten
      clock.advance({ seconds: -seconds })
      expect(['dpop_proof_replayed', 'replay_store_unavailable']).toContain(await codeOf(proof))
    },
  )

  test('T34 is accepted again soon after a clock that was wrong has been set right', async () => {
    const { prover, codeOf, clock } = await createScene()
    expect(await codeOf(prover.proof())).toBe('verified')
    clock.advance({ seconds: 86_400 })
    expect(await codeOf(prover.proof())).toBe('verified')
    clock.advance({ seconds: -86_400 })
    clock.advance({ seconds: 130 })
    expect(await codeOf(prover.proof())).toBe('verified')
  })

  test('that is missing is named so', async () => {
    const { verify } = await createScene()
    expect(await verify(undefined)).toMatchObject({ code: 'dpop_proof_missing' })
    expect(await verify('')).toMatchObject({ code: 'dpop_proof_malformed' })
  })

  test('for another URL tells the operator which, and what to write', async () => {
    const { prover, verify } = await createScene()
    expect(await verify(prover.proof({ htu: 'http://localhost:3000/orders/7' }))).toMatchObject({
      code: 'dpop_proof_mismatch',
      detail: {
        expected: '`htu` "https://api.example.com/orders/7"',
        actual: '"http://localhost:3000/orders/7"',
        advice: 'set `dpop.externalUrl` to the URL that callers use',
      },
    })
  })
})

describe('a store', () => {
  const asked: [string, number][] = []
  const store = (add: ReplayStore['add']): ReplayStore => ({ add })

  test('is asked with a hash and a time, in one call', async () => {
    const { prover, codeOf, clock } = await createScene(store((...all) => asked.push(all) === 1))
    expect(await codeOf(prover.proof({ jti: 'https://evil.example/../{}' }))).toBe('verified')
    const [[key, expiresAtMs] = ['', 0]] = asked
    expect(asked).toHaveLength(1)
    expect(key).toMatch(/^[A-Za-z0-9_-]{43}$/)
    // Beyond the last moment at which the proof is accepted, by as much as clocks may differ.
    expect(expiresAtMs).toBe(clock.now() + 60_000 + 30_000)
    expect(await codeOf(prover.proof())).toBe('dpop_proof_replayed')
  })

  test.each([
    ['true', true, 'verified', ''],
    ['a promise of true', Promise.resolve(true), 'verified', ''],
    ['false', false, 'dpop_proof_replayed', ''],
    ['a promise of false', Promise.resolve(false), 'dpop_proof_replayed', ''],
    ['nothing', undefined, 'replay_store_unavailable', 'another value'],
    ['a promise of nothing', Promise.resolve(), 'replay_store_unavailable', 'another value'],
    ['what a Redis client says', Promise.resolve('OK'), 'replay_store_unavailable', 'another value'],
    ['1', 1, 'replay_store_unavailable', 'another value'],
    ['null', Promise.resolve(null), 'replay_store_unavailable', 'another value'],
    ['an object', {}, 'replay_store_unavailable', 'another value'],
    ['the word for being late', 'no answer in time', 'replay_store_unavailable', 'no answer in time'],
  ])('that answers %s: %s', async (_, answer, code, told) => {
    const { prover, verify } = await createScene(store(() => answer as boolean))
    const verified = await verify(prover.proof())
    expect(verified instanceof Refusal ? verified.code : 'verified').toBe(code)
    if (code === 'replay_store_unavailable') expect(verified).toMatchObject({ detail: { actual: told } })
  })

  test.each([
    [
      'throws',
      () => {
        throw new Error('redis://user:secret@10.0.0.1')
      },
    ],
    [
      'throws what is no error',
      () => {
        throw undefined as unknown as Error
      },
    ],
    ['rejects', () => Promise.reject(new Error('redis://user:secret@10.0.0.1'))],
  ])('T37 that %s lets nothing pass, and what it says is not repeated', async (_, add) => {
    const { prover, verify } = await createScene(store(add))
    const refusal = await verify(prover.proof())
    expect(refusal).toMatchObject({ code: 'replay_store_unavailable', detail: { actual: 'an error' } })
    expect(JSON.stringify(refusal)).not.toContain('secret')
  })

  test('T37 that never answers is given up after two seconds', async () => {
    const { prover, verify, clock } = await createScene(store(() => new Promise<boolean>(() => undefined)))
    const answer = verify(prover.proof())
    await expect.poll(() => clock.waiting.size).toBe(1)
    const [[giveUp, delayMs] = [() => undefined, 0]] = clock.waiting
    expect(delayMs).toBe(2000)
    giveUp()
    expect(await answer).toMatchObject({
      code: 'replay_store_unavailable',
      detail: { actual: 'no answer in time' },
    })
    expect(clock.waiting.size).toBe(0)
  })

  test('that answers in time leaves nothing waiting', async () => {
    const { prover, codeOf, clock } = await createScene(store(() => Promise.resolve(true)))
    expect(await codeOf(prover.proof())).toBe('verified')
    expect(clock.waiting.size).toBe(0)
  })

  test('that never answers is given up also where the clock starts nothing by itself', async () => {
    const clock = createTestClock()
    const prover = await createProver({ now: clock.now, accessToken })
    const verifier = createVerifier(
      { now: clock.now } as ReturnType<typeof createWaitingClock>,
      store(() => new Promise<boolean>(() => undefined)),
    )
    expect(
      await verifier.verify(
        { proof: prover.proof(), method: 'GET', target, connection: {} },
        accessToken,
        prover.jkt,
      ),
    ).toMatchObject({ code: 'replay_store_unavailable' })
  })
})

describe('the store in memory', () => {
  const create = (maxEntries = 1000, windowMs = 60_000) => {
    const clock = createTestClock()
    const store = new MemoryReplayStore({ clock, windowMs, maxEntries })
    return { clock, store, end: (seconds: number) => clock.now() + seconds * 1000 }
  }

  test('T34 says of a key once that it is new', () => {
    const { store, end } = create()
    expect(store.add('a', end(60))).toBe(true)
    expect(store.add('a', end(60))).toBe(false)
    expect(store.add('b', end(60))).toBe(true)
  })

  test('T34 knows a key whatever end it is given', () => {
    const { store, end } = create()
    expect(store.add('a', end(60))).toBe(true)
    for (const seconds of [1, 30, 59, 61, 90, 300]) {
      expect(store.add('a', end(seconds)), `${seconds}`).toBe(false)
    }
  })

  test('T34 takes nothing new when it is full, forgets nothing for it, and still knows what it knows', () => {
    const { store, end, clock } = create(3)
    for (const key of ['a', 'b', 'c']) expect(store.add(key, end(60))).toBe(true)
    expect(() => store.add('d', end(60))).toThrow('the replay store is full')
    for (const key of ['a', 'b', 'c']) expect(store.add(key, end(60))).toBe(false)
    clock.advance({ seconds: 120 })
    for (const key of ['d', 'e', 'f']) expect(store.add(key, end(60))).toBe(true)
    expect(() => store.add('g', end(60))).toThrow('the replay store is full')
  })

  test('has room again for what is over, half a window later at most', () => {
    const { store, end, clock } = create(10)
    for (let i = 0; i < 10; i += 1) store.add(`${i}`, end(60))
    clock.advance({ seconds: 59.999 })
    expect(() => store.add('more', end(60))).toThrow()
    clock.advance({ seconds: 30.001 })
    for (let i = 10; i < 20; i += 1) expect(store.add(`${i}`, end(60))).toBe(true)
  })

  test('T34 does not take for new what it may have forgotten', () => {
    const { store, end, clock } = create()
    const soon = end(60)
    expect(store.add('a', soon)).toBe(true)
    clock.advance({ seconds: 3600 })
    expect(store.add('b', end(60))).toBe(true)
    clock.advance({ seconds: -3600 })
    expect(() => store.add('a', soon)).toThrow('the clock went back')
    expect(() => store.add('new', soon)).toThrow('the clock went back')
    expect(store.add('new', end(120))).toBe(true)
    expect(store.add('b', end(120))).toBe(false)
  })

  test('T34 wherever the clock goes, what ends at one time is never new twice', () => {
    const keys = fc.array(fc.integer({ min: -60, max: 300 }), { minLength: 1, maxLength: 6 })
    const steps = fc.array(fc.tuple(fc.nat(5), fc.integer({ min: -120, max: 150 })), { maxLength: 60 })
    fc.assert(
      fc.property(keys, steps, (ends, visits) => {
        const { store, end, clock } = create()
        const fixed = ends.map((seconds) => end(seconds))
        const wasNew = new Set<number>()
        for (const [visit, seconds] of visits) {
          clock.advance({ seconds })
          const i = visit % fixed.length
          try {
            if (!store.add(`${i}`, fixed[i] ?? 0)) continue
          } catch {
            continue
          }
          expect(wasNew.has(i)).toBe(false)
          wasNew.add(i)
        }
      }),
      { numRuns: 2000 },
    )
  })
})
