// Other engines beside requirements: only the word `permit`, in time, lets a request go on.
import { runInNewContext } from 'node:vm'
import {
  anyScope,
  authenticated,
  callerOptional,
  createGuard,
  scopes,
  unprotected,
  type Decider,
  type DeciderAnswer,
  type DeciderQuestion,
  type Deny,
  type Guard,
} from '@countersign/core'
import { describe, expect, test } from 'vitest'
import { codeOf, requestWith, settled } from './support/asking.ts'
import { createHouse, issuer } from './support/house.ts'
import { mistakeOf } from './support/mistake.ts'

const permit: DeciderAnswer = { effect: 'permit' }
const saying = (answer: unknown, name = 'engine'): Decider => ({
  name,
  decide: () => answer as DeciderAnswer, // some are none
})
const { promise: never } = Promise.withResolvers<DeciderAnswer>()

function open(...deciders: readonly Decider[]) {
  const house = createHouse({ guardOptions: { deciders } })
  const request = (scope = 'orders:read') => requestWith(`Bearer ${house.token({ scope })}`)
  const decide: Guard['decide'] = (...asked) => house.guard.decide(...asked)
  return {
    ...house,
    request,
    /** A request whose credential was verified before, by a route that asks no decider: the next answer needs no keys. */
    known: async () => {
      const seen = request()
      await decide(seen, callerOptional('to be known'))
      return seen
    },
    decide,
    ask: async () => codeOf(await decide(request(), authenticated(), 'GET /orders/:id')),
    refusal: async (): Promise<Deny> => {
      const decision = await decide(request(), authenticated())
      if (decision.outcome === 'deny') return decision
      throw new Error('expected a refusal, got an allow')
    },
  }
}

test('who is permitted goes on', async () => {
  expect(await open(saying(permit)).ask()).toBe('allow')
  expect(await open(saying(Promise.resolve(permit))).ask()).toBe('allow')
})

test('an answer that is there costs no promise', async () => {
  const { decide, request } = open(saying(permit), saying(permit))
  const known = request()
  await decide(known, authenticated())
  expect(decide(known, authenticated())).not.toBeInstanceOf(Promise)
})

test('who is forbidden is told no more than that, and the operator the rules', async () => {
  const { refusal, response } = await open(
    saying({ effect: 'forbid', reasons: ['night\u202e', 7, ...'bcdefghij'] }, 'night watch'),
  ).refusal()
  expect(refusal).toMatchObject({
    code: 'decider_forbids',
    detail: {
      expected: 'a permit of "night watch"',
      actual: 'forbid by "night?", number, "b", "c", "d", "e", "f", "g"',
    },
  })
  expect(response.status).toBe(403)
  expect(JSON.stringify(response)).not.toContain('night')
  const bare = await open(saying({ effect: 'forbid', reasons: 'night' })).refusal()
  expect(bare.refusal.detail.actual).toBe('forbid')
})

test('what an engine cannot tell is unavailable, and no verdict on the caller', async () => {
  const { refusal, response } = await open(saying({ effect: 'error', reasons: ['night'] })).refusal()
  expect(refusal).toMatchObject({
    code: 'decider_unavailable',
    detail: { expected: 'an answer of "engine"', actual: 'an error in "night"' },
  })
  expect(response.status).toBe(503)
  expect((await open(saying({ effect: 'error' })).refusal()).refusal.detail.actual).toBe('an error')
})

describe('nothing but the word permits', () => {
  class Answer {
    get effect() {
      return 'permit'
    }
  }
  const poisoned = {
    get effect() {
      throw new Error('of its own')
    },
  }
  test.each<[string, unknown]>([
    ['true', true],
    ['1', 1],
    ['the word by itself', 'permit'],
    ['the word in a list', ['permit']],
    ['another case', { effect: 'Permit' }],
    ['a word object', { effect: Object('permit') }],
    ['another word', { effect: 'allow' }],
    ['allow as a boolean', { allow: true, allowed: true, effect: true }],
    ['an empty object', {}],
    ['nothing', undefined],
    ['null', null],
    ['an error', new Error('permit')],
    ['a function', () => permit],
    ['a function that has the word', Object.assign(() => permit, permit)],
    ['an inherited effect', Object.create(permit)],
    ['an effect that is worked out', new Answer()],
    ['an effect that cannot be read', poisoned],
    ['a permit in a permit', { effect: permit }],
  ])('not %s', async (_, answer) => {
    for (const said of [answer, Promise.resolve(answer)]) {
      const { refusal } = await open(saying(said)).refusal()
      expect(refusal).toMatchObject({
        code: 'decider_unavailable',
        detail: { actual: 'an answer that is neither permit nor forbid' },
      })
    }
  })

  test('not what all objects inherit', async () => {
    // oxlint-disable-next-line no-extend-native -- as polluted prototypes are
    Object.defineProperty(Object.prototype, 'effect', { value: 'permit', configurable: true })
    try {
      expect(await open(saying({})).ask()).toBe('decider_unavailable')
    } finally {
      Reflect.deleteProperty(Object.prototype, 'effect')
    }
  })
})

describe('what fails denies', () => {
  const secret = new Error('secret-of-the-engine')
  test.each<[string, Decider['decide'], string]>([
    [
      'by an exception',
      () => {
        throw secret
      },
      'an exception',
    ],
    ['by a rejection', () => Promise.reject(secret), 'a rejection'],
  ])('%s, and what it says stays inside', async (_, decide, actual) => {
    const { refusal, response } = await open({ name: 'engine', decide }).refusal()
    expect(refusal).toMatchObject({ code: 'decider_unavailable', detail: { actual } })
    expect(response.status).toBe(503)
    expect(JSON.stringify([refusal, response])).not.toContain('secret')
  })
})

describe('a promise', () => {
  test('that is of another realm is waited for', async () => {
    const foreign: unknown = runInNewContext('Promise.resolve({ effect: "permit" })')
    expect(foreign).not.toBeInstanceOf(Promise)
    expect(await open(saying(foreign)).ask()).toBe('allow')
    const decide = () => runInNewContext('Promise.reject(1)') as Promise<DeciderAnswer> // of another realm
    expect(await open({ name: 'engine', decide }).ask()).toBe('decider_unavailable')
  })

  // oxlint-disable unicorn/no-thenable -- that is what is tested
  test('that is only something with `then` is waited for, and its own effect is none', async () => {
    const thenable = (said: unknown) => ({
      effect: 'permit',
      then: (resolve: (value: unknown) => void) => resolve(said),
    })
    expect(await open(saying(thenable(permit))).ask()).toBe('allow')
    expect(await open(saying(thenable({ effect: 'forbid' }))).ask()).toBe('decider_forbids')
    const failing = {
      then: () => {
        throw new Error('no')
      },
    }
    expect(await open(saying(failing)).ask()).toBe('decider_unavailable')
  })

  test('is none that only has something called `then`: it costs no promise', async () => {
    const { decide, known } = open(saying({ effect: 'permit', then: 'later' }))
    expect(decide(await known(), authenticated())).toMatchObject({ outcome: 'allow' })
  })

  test('that comes in time counts, and takes its timer back', async () => {
    const signals: AbortSignal[] = []
    const answer = Promise.withResolvers<DeciderAnswer>()
    const decide = ({ signal }: DeciderQuestion) => (signals.push(signal), answer.promise)
    const { decide: decideBy, known, clock } = open({ name: 'engine', decide })
    const asked = decideBy(await known(), authenticated())
    clock.advance(199)
    answer.resolve(permit)
    expect(await asked).toMatchObject({ outcome: 'allow' })
    clock.advance(10_000)
    expect(signals.map(({ aborted }) => aborted)).toEqual([false])
  })

  test.each([
    [undefined, 200],
    [5000, 5000],
  ])('that comes late does not: %s', async (timeoutMs, ends) => {
    const signals: AbortSignal[] = []
    const answer = Promise.withResolvers<DeciderAnswer>()
    const decide = ({ signal }: DeciderQuestion) => (signals.push(signal), answer.promise)
    const {
      decide: decideBy,
      known,
      clock,
    } = open({
      name: 'engine',
      decide,
      ...(timeoutMs === undefined ? {} : { timeoutMs }),
    })
    const asked = decideBy(await known(), authenticated())
    clock.advance(ends - 1)
    expect(signals[0]?.aborted).toBe(false)
    clock.advance(1)
    answer.resolve(permit)
    expect(signals[0]?.aborted).toBe(true)
    expect(await asked).toMatchObject({
      refusal: { code: 'decider_unavailable', detail: { actual: `no answer within ${ends} ms` } },
    })
  })

  test('that nobody could end the wait for is not waited for, and fails on its own', async () => {
    const { signer } = createHouse()
    const signals: AbortSignal[] = []
    const answer = Promise.withResolvers<DeciderAnswer>()
    const decide = ({ signal }: DeciderQuestion) => (signals.push(signal), answer.promise)
    const house = createHouse()
    const guard = createGuard(
      {
        audience: 'orders',
        issuers: [{ issuer, jwks: { keys: [signer.jwk] } }],
        deciders: [{ name: 'engine', decide }],
        log: false,
      },
      { clock: { now: () => house.clock.now() } },
    )
    const token = signer.jws({ alg: 'ES256', typ: 'at+jwt' }, house.claims())
    const decision = await guard.decide(requestWith(`Bearer ${token}`), authenticated())
    expect(decision).toMatchObject({
      refusal: { code: 'decider_unavailable', detail: { actual: 'no way to wait for it' } },
    })
    expect(signals[0]?.aborted).toBe(true)
    const unhandled: unknown[] = []
    const note = (reason: unknown): void => void unhandled.push(reason)
    process.on('unhandledRejection', note)
    answer.reject(new Error('later'))
    await settled()
    process.off('unhandledRejection', note)
    expect(unhandled).toEqual([])
  })

  test('that is under way when the guard closes lets nobody by', async () => {
    const answer = Promise.withResolvers<DeciderAnswer>()
    const { decide, known, guard } = open(saying(answer.promise))
    const asked = decide(await known(), authenticated())
    guard.close()
    answer.resolve(permit)
    expect(await asked).toMatchObject({ refusal: { code: 'guard_closed' } })
  })
})

describe('several', () => {
  const order = (...answers: readonly [string, unknown][]) => {
    const asked: string[] = []
    const deciders = answers.map(([name, answer]) => ({
      name,
      decide: () => (asked.push(name), answer as DeciderAnswer), // some are none
    }))
    return { asked, ...open(...deciders) }
  }

  test.each<[string, unknown, unknown]>([
    ['at once', permit, permit],
    ['the first later', Promise.resolve(permit), permit],
    ['the second later', permit, Promise.resolve(permit)],
    ['both later', Promise.resolve(permit), Promise.resolve(permit)],
  ])('all have to permit, one after the other: %s', async (_, first, second) => {
    const all = order(['first', first], ['second', second])
    expect(await all.ask()).toBe('allow')
    expect(all.asked).toEqual(['first', 'second'])
    const last = order(['first', first], ['second', second], ['third', { effect: 'forbid' }])
    expect(await last.ask()).toBe('decider_forbids')
    const early = order(['first', first], ['second', { effect: 'forbid' }], ['third', permit])
    expect(await early.ask()).toBe('decider_forbids')
    expect(early.asked).toEqual(['first', 'second'])
  })

  test('have a time each', async () => {
    const { decide, known, clock, asked } = order(['first', Promise.resolve(permit)], ['second', never])
    const answer = decide(await known(), authenticated())
    await settled()
    expect(asked).toEqual(['first', 'second'])
    clock.advance(200)
    expect(await answer).toMatchObject({ refusal: { code: 'decider_unavailable' } })
  })
})

describe('is asked last', () => {
  const counting = () => {
    const asked: DeciderQuestion[] = []
    const decide = (question: DeciderQuestion) => (asked.push(question), permit)
    return { asked, ...open({ name: 'engine', decide }) }
  }

  test('and not where the requirement has refused: it can only narrow', async () => {
    const { decide, request, asked } = counting()
    expect(codeOf(await decide(request('orders:read'), scopes('orders:write')))).toBe('scope_missing')
    expect(codeOf(await decide(requestWith(), authenticated()))).toBe('credential_missing')
    expect(codeOf(await decide(requestWith('Bearer x'), authenticated()))).toBe('token_malformed')
    expect(asked).toEqual([])
  })

  test('and not where no caller is required', async () => {
    const { decide, request, asked } = counting()
    expect(codeOf(await decide(requestWith(), unprotected('probe')))).toBe('allow')
    expect(codeOf(await decide(request(), unprotected('probe')))).toBe('allow')
    expect(codeOf(await decide(request(), callerOptional('a page for everybody')))).toBe('allow')
    expect(asked).toEqual([])
  })

  test('anew for every request, about what was verified', async () => {
    const { guard, request, asked, clock } = counting()
    const one = request()
    const params = { id: '7' }
    const ask = () =>
      guard.open(one).decide(anyScope('orders:read'), 'HEAD /orders/:id', false, params, 'GET /orders/:id')
    await ask()
    await ask()
    expect(asked).toHaveLength(2)
    expect(asked[1]).toMatchObject({
      caller: { id: `${issuer}#client=checkout` },
      request: one,
      route: 'HEAD /orders/:id',
      registered: 'GET /orders/:id',
      params,
      at: clock.now(),
    })
    expect(Object.keys(asked[1] ?? {}).toSorted()).toEqual(
      ['at', 'caller', 'params', 'registered', 'request', 'route', 'signal'].toSorted(),
    )
  })
})

test.each<[string, unknown, string]>([
  ['no list', saying(permit), 'deciders'],
  ['a function', [() => permit], 'deciders[0]'],
  ['without a name', [{ name: '', decide: () => permit }], 'deciders[0]'],
  ['without `decide`', [saying(permit), { name: 'engine' }], 'deciders[1]'],
  ['that may take for ever', [{ ...saying(permit), timeoutMs: 10_001 }], 'deciders[0].timeoutMs'],
])('%s is a mistake', (_, deciders, option) => {
  const guardOptions = { deciders: deciders as readonly Decider[] } // it is none
  expect(mistakeOf(() => createHouse({ guardOptions }))).toMatchObject({
    code: 'configuration_invalid',
    option,
  })
})
