// What conditions look at beside the request: had in time, or not there.
import {
  allOf,
  authenticated,
  createGuard,
  scopes,
  unprotected,
  type ContextProvider,
  type ContextQuestion,
  type Requirement,
} from '@countersign/core'
import { OtherRequirement, Refusal } from '@countersign/core/adapter'
import { when } from '@countersign/policy'
import { describe, expect, test } from 'vitest'
import { codeOf, requestWith, settled } from './support/asking.ts'
import { createHouse, issuer } from './support/house.ts'
import { mistakeOf } from './support/mistake.ts'

type Providers = Readonly<Record<string, ContextProvider>>

function open(context: Providers, contextTimeoutMs?: number) {
  const house = createHouse({
    guardOptions: { context, ...(contextTimeoutMs === undefined ? {} : { contextTimeoutMs }) },
  })
  const request = (scope = 'orders:read') => requestWith(`Bearer ${house.token({ scope })}`)
  return {
    ...house,
    request,
    /** A request whose credential was verified before: the next answer needs no keys. */
    known: async () => {
      const seen = request()
      await house.guard.decide(seen, authenticated())
      return seen
    },
    ask: async (requirement: Requirement) => codeOf(await house.guard.decide(request(), requirement)),
  }
}

/** A provider that answers when it is told to. */
function slow() {
  const asked: ContextQuestion[] = []
  const answer = Promise.withResolvers<unknown>()
  return { asked, answer, provider: (question: ContextQuestion) => (asked.push(question), answer.promise) }
}

const trusted = when('context.device.trusted')

describe('a provider', () => {
  test.each<[string, ContextProvider]>([
    ['at once', () => ({ trusted: true })],
    ['by a promise', async () => ({ trusted: true })],
    // oxlint-disable-next-line unicorn/no-thenable -- that is what is tested
    ['by something with `then`', () => ({ then: (say: (value: unknown) => void) => say({ trusted: true }) })],
  ])('says %s what the condition looks at', async (_, device) => {
    expect(await open({ device }).ask(trusted)).toBe('allow')
    expect(await open({ device }).ask(when('!context.device.trusted'))).toBe('requirement_unmet')
  })

  test('is told who calls what, and nothing to change', async () => {
    const { asked, answer, provider } = slow()
    const { guard, request } = open({ device: provider })
    const one = request()
    const params = { id: '7' }
    answer.resolve({ trusted: true })
    expect(codeOf(await guard.open(one).decide(trusted, 'GET /orders/:id', false, params))).toBe('allow')
    expect(asked).toHaveLength(1)
    expect(asked[0]).toMatchObject({
      caller: { id: `${issuer}#client=checkout` },
      request: one,
      route: 'GET /orders/:id',
      params,
    })
    expect(Object.isFrozen(asked[0])).toBe(true)
  })

  test.each<[string, ContextProvider]>([
    [
      'throws',
      () => {
        throw new Error('no')
      },
    ],
    ['rejects', () => Promise.reject(new Error('no'))],
    ['says nothing', () => undefined],
    ['says nothing later', async () => undefined],
  ])('that %s leaves what it was asked for unknown, which denies, also under `not`', async (_, device) => {
    const { ask } = open({ device })
    expect(await ask(trusted)).toBe('context_unavailable')
    for (const expression of [
      '!has(context.device)',
      '!has(context.device) || true',
      'context.device != 1',
    ]) {
      expect(await ask(when(expression))).toBe('context_unavailable')
    }
  })

  test('that has nothing to say is left out, as one that fails is: nothing stands for it', async () => {
    const seen: unknown[] = []
    const looking = new OtherRequirement({
      text: 'looking()',
      contexts: ['silent', 'broken', 'device'],
      check: (_, __, { context }) => {
        seen.push(Object.entries(context))
        return new Refusal('context_unavailable')
      },
    })
    const broken = () => Promise.reject(new Error('no'))
    await open({ silent: () => undefined, broken, device: () => null }).ask(looking)
    expect(seen).toEqual([[], [['device', null]]])
  })

  test('that fails takes nothing from the others', async () => {
    const { ask } = open({ device: () => ({ trusted: true }), risk: () => Promise.reject(new Error('no')) })
    expect(await ask(trusted)).toBe('allow')
    expect(await ask(allOf(trusted, when('context.risk < 5')))).toBe('context_unavailable')
    expect(await ask(allOf(when('context.risk < 5'), when('!context.device.trusted')))).toBe(
      'requirement_unmet',
    )
  })

  test('that nobody gave is unknown', async () => {
    expect(await open({ risk: () => 1 }).ask(trusted)).toBe('context_unavailable')
    const { guard, token } = createHouse()
    const decision = await guard.decide(requestWith(`Bearer ${token()}`), trusted)
    expect(codeOf(decision)).toBe('context_unavailable')
  })
})

describe('names that objects inherit', () => {
  test.each(['constructor', 'toString', 'hasOwnProperty', 'valueOf', '__proto__'])('%s', async (name) => {
    const absent = when(`!has(context.${name})`)
    expect(await open({ device: () => 1 }).ask(absent)).toBe('context_unavailable')
    const silent = Object.fromEntries([[name, () => undefined]])
    expect(await open(silent).ask(absent)).toBe('context_unavailable')
    const saying = Object.fromEntries([[name, () => 'low']])
    expect(await open(saying).ask(absent)).toBe('requirement_unmet')
    expect(await open(saying).ask(when(`context.${name} == "low"`))).toBe('allow')
  })
})

describe('is asked only where something depends on it', () => {
  const counting = () => {
    const asked: string[] = []
    const provider = (name: string) => () => (asked.push(name), { trusted: true })
    return { asked, ...open({ device: provider('device'), risk: provider('risk') }) }
  }

  test('and each once, whatever it is that depends on it', async () => {
    const { asked, ask } = counting()
    expect(await ask(allOf(trusted, when('has(context.device.trusted)')))).toBe('allow')
    expect(asked).toEqual(['device'])
  })

  test('not where nothing looks at it', async () => {
    const { asked, ask } = counting()
    expect(await ask(when('caller.id != ""'))).toBe('allow')
    expect(await ask(scopes('orders:read'))).toBe('allow')
    expect(asked).toEqual([])
  })

  test('not where a condition fails without it: that is decided at once', async () => {
    const { asked, guard, known } = counting()
    const decision = guard.decide(await known(), when('caller.claims.absent == "x"'))
    expect(decision).toMatchObject({ refusal: { code: 'condition_failed' } })
    expect(asked).toEqual([])
  })

  test('not where the rest has decided', async () => {
    const { asked, ask, guard } = counting()
    expect(await ask(allOf(trusted, scopes('orders:write')))).toBe('scope_missing')
    expect(codeOf(await guard.decide(requestWith(), trusted))).toBe('credential_missing')
    expect(codeOf(await guard.decide(requestWith(), unprotected('probe')))).toBe('allow')
    expect(asked).toEqual([])
  })
})

describe('time', () => {
  test('what comes in time counts, and its timer is taken back', async () => {
    const { asked, answer, provider } = slow()
    const { guard, known, clock } = open({ device: provider })
    const decision = guard.decide(await known(), trusted)
    clock.advance(99)
    answer.resolve({ trusted: true })
    expect(await decision).toMatchObject({ outcome: 'allow' })
    clock.advance(10_000)
    expect(asked[0]?.signal.aborted).toBe(false)
  })

  test.each([
    [undefined, 100],
    [2500, 2500],
  ])('what comes late does not, and the provider is told: %s', async (timeoutMs, ends) => {
    const { asked, answer, provider } = slow()
    const prompt = () => 1
    const { guard, known, clock } = open({ device: provider, risk: prompt }, timeoutMs)
    const request = await known()
    const late = guard.decide(request, trusted)
    const other = guard.decide(request, allOf(when('context.risk == 2'), trusted))
    await settled()
    clock.advance(ends - 1)
    expect(asked[0]?.signal.aborted).toBe(false)
    clock.advance(1)
    answer.resolve({ trusted: true })
    expect(asked[0]?.signal.aborted).toBe(true)
    expect(await late).toMatchObject({ refusal: { code: 'context_unavailable' } })
    // What was said in time counts all the same.
    expect(await other).toMatchObject({ refusal: { code: 'requirement_unmet' } })
  })

  test('a rejection that comes late is nobody’s', async () => {
    const { answer, provider } = slow()
    const { guard, known, clock } = open({ device: provider })
    const decision = guard.decide(await known(), trusted)
    clock.advance(100)
    // An unhandled rejection would fail this run.
    answer.reject(new Error('later'))
    expect(await decision).toMatchObject({ refusal: { code: 'context_unavailable' } })
    await settled()
  })

  test('nobody is asked where nobody could end the wait', async () => {
    const { asked, provider } = slow()
    const { signer, claims, clock } = createHouse()
    const guard = createGuard(
      {
        audience: 'orders',
        issuers: [{ issuer, jwks: { keys: [signer.jwk] } }],
        context: { device: provider },
        log: false,
      },
      { clock: { now: () => clock.now() } },
    )
    const token = signer.jws({ alg: 'ES256', typ: 'at+jwt' }, claims())
    expect(codeOf(await guard.decide(requestWith(`Bearer ${token}`), trusted))).toBe('context_unavailable')
    expect(asked).toEqual([])
  })

  test('no more requests wait at a time than 1024, and room comes back', async () => {
    const { asked, provider } = slow()
    const { guard, known, clock } = open({ device: provider })
    const request = await known()
    const waiting = Array.from({ length: 1024 }, async () => guard.decide(request, trusted))
    expect(asked).toHaveLength(1024)
    expect(await guard.decide(request, trusted)).toMatchObject({ refusal: { code: 'context_unavailable' } })
    expect(asked).toHaveLength(1024)
    clock.advance(100)
    await Promise.all(waiting)
    const later = guard.decide(request, trusted)
    expect(asked).toHaveLength(1025)
    clock.advance(100)
    await later
  })
})

test.each<[string, unknown, string]>([
  ['a list', [() => 1], 'context'],
  ['a name that no condition can write', { 'device-id': () => 1 }, "context['device-id']"],
  ['what is no function', { device: 1 }, 'context.device'],
])('%s is a mistake', (_, context, option) => {
  const guardOptions = { context: context as Providers } // it is none
  expect(mistakeOf(() => createHouse({ guardOptions }))).toMatchObject({
    code: 'configuration_invalid',
    option,
  })
})

test.each([0, 10_001, 1.5, Number.NaN])('%s ms are no time to wait', (contextTimeoutMs) => {
  expect(mistakeOf(() => createHouse({ guardOptions: { contextTimeoutMs } }))).toMatchObject({
    code: 'configuration_invalid',
    option: 'contextTimeoutMs',
  })
})
