import { createHook } from 'node:async_hooks'
import { subscribe, unsubscribe } from 'node:diagnostics_channel'
import { authenticated, createGuard, scopes, type Guard, type Requirement } from '@countersign/core'
import { brokenTokenKinds, createTestCa, createTestClock, createTestIssuer } from '@countersign/testing'
import { setImmediate as nextTurn } from 'node:timers/promises'
import { beforeEach, describe, expect, test } from 'vitest'
import { codeFor, codeOf, connectionOf, requestWith } from './support/asking.ts'
import { createHouse, issuer } from './support/house.ts'
import { segment } from './support/raw-signer.ts'

const anyone = authenticated()

// Signatures are checked at once only while there are few in a turn of the event loop.
beforeEach(() => nextTurn())

/** The code of an answer that is given at once: `allow` by what is remembered, `anew` where a signature was checked for it. */
function codeNow(
  guard: Guard,
  token: string,
  socket: object = {},
  requirement: Requirement = anyone,
): string {
  const told: unknown[] = []
  const listen = (event: unknown): void => void told.push(event)
  subscribe('countersign:decision', listen)
  const decision = guard.decide(requestWith(`Bearer ${token}`, socket), requirement)
  unsubscribe('countersign:decision', listen)
  if (decision instanceof Promise) return 'later'
  const [event] = told as readonly { readonly verification: string }[] // as the channel has it
  return decision.outcome === 'allow' && event?.verification === 'fresh' ? 'anew' : codeOf(decision)
}

describe('a token that was verified', () => {
  test('is answered at once from then on, on its connection and on any other', async () => {
    const { guard, token } = createHouse()
    const kept = token()
    const socket = {}
    expect(codeNow(guard, kept, socket)).toBe('later')
    expect(await codeFor(guard, kept, anyone, socket)).toBe('allow')
    expect(codeNow(guard, kept, socket)).toBe('allow')
    expect(codeNow(guard, kept)).toBe('allow')
    expect(codeNow(guard, kept, {})).toBe('allow')
  })

  test('is answered at once beside a certificate, too', async () => {
    const clock = createTestClock()
    const ca = await createTestCa({ trustDomain: 'prod.example', now: new Date(clock.now()) })
    const guard = createGuard(
      { certificates: { trustDomains: { 'prod.example': ca.bundle } }, log: false },
      { clock },
    )
    const svid = await ca.svid('/checkout')
    const socket = connectionOf(svid)
    expect(codeOf(await guard.decide(requestWith(undefined, socket), anyone))).toBe('allow')
    for (const again of [socket, connectionOf(svid)]) {
      expect(guard.decide(requestWith(undefined, again), anyone)).toMatchObject({ outcome: 'allow' })
    }
  })

  test('makes no promise when it is answered at once', async () => {
    const { guard, token } = createHouse()
    const kept = token({ scope: 'orders:read' })
    const socket = {}
    const read = scopes('orders:read')
    await codeFor(guard, kept, read, socket)
    const request = requestWith(`Bearer ${kept}`, socket)
    const elsewhere = requestWith(`Bearer ${kept}`)
    const made: string[] = []
    const hook = createHook({ init: (_id, type) => void made.push(type) }).enable()
    const decisions = [guard.decide(request, read), guard.decide(elsewhere, read)]
    hook.disable()
    expect(made).toEqual([])
    expect(decisions).toMatchObject([{ outcome: 'allow' }, { outcome: 'allow' }])
  })

  test('is held to each route anew: what is remembered is who calls, never what is allowed', async () => {
    const { guard, token } = createHouse()
    const kept = token({ scope: 'orders:read' })
    const socket = {}
    expect(await codeFor(guard, kept, scopes('orders:read'), socket)).toBe('allow')
    expect(codeNow(guard, kept, socket, scopes('orders:write'))).toBe('scope_missing')
    expect(codeNow(guard, kept, socket, scopes('orders:read'))).toBe('allow')
  })

  test('ends with its time, on an open connection as well', async () => {
    const { guard, token, clock } = createHouse()
    const kept = token()
    const socket = {}
    await codeFor(guard, kept, anyone, socket)
    clock.advance({ seconds: 330 })
    expect(await codeFor(guard, kept, anyone, socket)).toBe('token_expired')
    expect(await codeFor(guard, kept)).toBe('token_expired')
  })

  test('has not begun yet when the clock was set back before it', async () => {
    const { guard, token, clock } = createHouse()
    const kept = token()
    const socket = {}
    await codeFor(guard, kept, anyone, socket)
    clock.advance({ seconds: -31 })
    expect(await codeFor(guard, kept, anyone, socket)).toBe('token_not_yet_valid')
    expect(await codeFor(guard, kept)).toBe('token_not_yet_valid')
    clock.advance({ seconds: 31 })
    expect(await codeFor(guard, kept, anyone, socket)).toBe('allow')
  })

  test('is answered at once for as long as clocks may differ, before its time and after it', async () => {
    const { guard, token, clock } = createHouse()
    const kept = token()
    await codeFor(guard, kept)
    clock.advance({ seconds: 329 })
    expect(codeNow(guard, kept)).toBe('allow')
    clock.advance({ seconds: -359 })
    expect(codeNow(guard, kept)).toBe('allow')
    clock.advance(-1)
    expect(codeNow(guard, kept)).toBe('token_not_yet_valid')
  })

  test('that has expired is not revived by a clock that is set back and on again beyond its end', async () => {
    const { guard, token, clock } = createHouse()
    const kept = token()
    await codeFor(guard, kept)
    clock.advance({ seconds: -3600 })
    expect(await codeFor(guard, kept)).toBe('token_not_yet_valid')
    clock.advance({ seconds: 3600 + 330 })
    expect(await codeFor(guard, kept)).toBe('token_expired')
  })

  test('counts for nothing after the guard was closed', async () => {
    const { guard, token } = createHouse()
    const kept = token()
    const socket = {}
    await codeFor(guard, kept, anyone, socket)
    guard.close()
    expect(guard.decide(requestWith(`Bearer ${kept}`, socket), anyone)).toMatchObject({
      refusal: { code: 'guard_closed' },
      response: { status: 503, headers: { 'retry-after': expect.any(String) } },
    })
    expect(codeNow(guard, kept)).toBe('guard_closed')
    expect(codeOf(await guard.decide(requestWith(), anyone))).toBe('guard_closed')
  })

  test('by one guard is nothing to another guard on the same connection', async () => {
    const { guard, token, freshGuard, signer, clock } = createHouse()
    const kept = token()
    const socket = {}
    await codeFor(guard, kept, anyone, socket)
    const billing = createGuard(
      {
        audience: 'billing',
        issuers: [{ issuer: 'https://issuer.test', jwks: { keys: [signer.jwk] } }],
        log: false,
      },
      { clock },
    )
    expect(await codeFor(billing, kept, anyone, socket)).toBe('key_unknown')
    const another = freshGuard()
    expect(await codeFor(another, token(), anyone, socket)).toBe('allow')
    expect(codeNow(another, kept, socket)).toBe('anew')
  })
})

describe('a token that only resembles a verified one', () => {
  const { guard, token, header, claims } = createHouse()
  const kept = token()
  const [head = '', body = '', tail = ''] = kept.split('.')

  test.each([
    [
      'the same signature under another header',
      `${segment({ ...header, note: 'x' })}.${body}.${tail}`,
      'signature_invalid',
    ],
    [
      'the same signature under other claims',
      `${head}.${segment(claims({ scope: 'admin' }))}.${tail}`,
      'signature_invalid',
    ],
    [
      'the same end of the signature',
      `${head}.${body}.${'A'.repeat(43)}${tail.slice(43)}`,
      'signature_invalid',
    ],
    ['the same last 43 characters and nothing else', tail.slice(-43), 'token_malformed'],
    ['the same token behind another', `${head}.${body}.${kept}`, 'token_malformed'],
    ['the same token behind other text', `x${kept}`, 'token_malformed'],
    ['the same token in a list', `x, ${kept}`, 'token_malformed'],
  ])('by %s is verified anew and refused', async (_, twin, code) => {
    const socket = {}
    expect(await codeFor(guard, kept, anyone, socket)).toBe('allow')
    expect(twin.slice(-43)).toBe(kept.slice(-43))
    expect(codeNow(guard, twin)).toBe(code)
    expect(await codeFor(guard, twin, anyone, socket)).toBe(code)
    expect(codeNow(guard, kept), 'the verified token stays').toBe('allow')
    expect(codeNow(guard, kept, socket), 'also on that connection').toBe('allow')
  })

  test('by its length alone is another token', async () => {
    const longer = token({ sub: 'reports', client_id: 'reports' })
    expect(await codeFor(guard, kept)).toBe('allow')
    const decision = await guard.decide(requestWith(`Bearer ${longer}`), anyone)
    expect(decision).toMatchObject({ caller: { id: 'https://issuer.test#client=reports' } })
  })
})

describe('on one connection', () => {
  test('each request is answered for the token that it carries', async () => {
    const { guard, token } = createHouse()
    const names = ['checkout', 'reports', 'checkout', 'billing', 'reports', 'checkout']
    const tokens = new Map(names.map((name) => [name, token({ sub: name, client_id: name })]))
    const socket = {}
    for (const name of [...names, ...names]) {
      const decision = await guard.decide(requestWith(`Bearer ${tokens.get(name)}`, socket), anyone)
      expect(decision).toMatchObject({ caller: { id: `https://issuer.test#client=${name}` } })
    }
    expect(codeOf(await guard.decide(requestWith(undefined, socket), anyone))).toBe('credential_missing')
  })

  test('a request without a token is nobody after one with a token', async () => {
    const { guard, token } = createHouse()
    const socket = {}
    await codeFor(guard, token(), anyone, socket)
    expect(codeOf(await guard.decide(requestWith(undefined, socket), anyone))).toBe('credential_missing')
    expect(codeOf(await guard.decide(requestWith('', socket), anyone))).toBe('authorization_malformed')
  })

  test('of another certificate, the same token is held against that certificate', async () => {
    const clock = createTestClock()
    const ca = await createTestCa({ trustDomain: 'prod.example', now: new Date(clock.now()) })
    const workloadClaim = { workloadClaim: 'spiffe_id', trustDomains: ['prod.example'] as [string] }
    const { token, signer } = createHouse({ clock })
    const guard = createGuard(
      {
        audience: 'orders',
        issuers: [
          {
            issuer: 'https://issuer.test',
            jwks: { keys: [{ ...signer.jwk, kid: 'key-1' }] },
            ...workloadClaim,
          },
        ],
        certificates: { trustDomains: { 'prod.example': ca.bundle } },
        log: false,
      },
      { clock },
    )
    const [checkout, reports] = [await ca.svid('/checkout'), await ca.svid('/reports')]
    const kept = token({ spiffe_id: checkout.spiffeId })
    expect(await codeFor(guard, kept, anyone, connectionOf(checkout))).toBe('allow')
    expect(await codeFor(guard, kept, anyone, connectionOf(reports))).toBe('identity_mismatch')
    expect(await codeFor(guard, kept, anyone, connectionOf(checkout))).toBe('allow')
    expect(await codeFor(guard, kept, anyone, {})).toBe('allow')
  })
})

describe('what is kept', () => {
  test('is bounded, and the longest unused goes first', async () => {
    const clock = createTestClock()
    const idp = await createTestIssuer({ clock })
    const guard = createGuard(
      { audience: 'orders', issuers: [idp], cache: { maxEntries: 2 }, log: false },
      { clock },
    )
    const [a, b, c] = [await idp.token('a'), await idp.token('b'), await idp.token('c')]
    await codeFor(guard, a)
    await codeFor(guard, b)
    expect(codeNow(guard, a)).toBe('allow')
    await codeFor(guard, c)
    await nextTurn()
    expect([codeNow(guard, a), codeNow(guard, c), codeNow(guard, b)]).toEqual(['allow', 'allow', 'anew'])
  })

  test('is bounded in octets, which large tokens reach first', async () => {
    const { token, signer, clock } = createHouse()
    const jwks = { keys: [{ ...signer.jwk, kid: 'key-1' }] }
    const guard = createGuard(
      { audience: 'orders', issuers: [{ issuer, jwks }], cache: { maxBytes: 2 ** 20 }, log: false },
      { clock },
    )
    const tokens = Array.from({ length: 300 }, (_, i) => token({ note: 'x'.repeat(5000), jti: `${i}` }))
    for (const each of tokens) expect(await codeFor(guard, each)).toBe('allow')
    await nextTurn()
    expect(codeNow(guard, tokens.at(-1) ?? '')).toBe('allow')
    expect(codeNow(guard, tokens.at(-60) ?? '')).toBe('allow')
    expect(codeNow(guard, tokens.at(-160) ?? '')).toBe('anew')
  })

  test('is never a refused token, and no number of them displaces anything', async () => {
    const clock = createTestClock()
    const idp = await createTestIssuer({ clock })
    const guard = createGuard(
      { audience: 'orders', issuers: [idp], cache: { maxEntries: 1 }, log: false },
      { clock },
    )
    const kept = await idp.token('checkout')
    await codeFor(guard, kept)
    for (const kind of brokenTokenKinds) {
      const refused = await idp.broken(kind, 'attacker')
      for (let i = 0; i < 2; i += 1) {
        expect(await codeFor(guard, refused), kind).not.toBe('allow')
      }
    }
    expect(codeNow(guard, kept)).toBe('allow')
  })

  test('is never a refusal: what becomes right is accepted', async () => {
    const { guard, token, clock } = createHouse()
    const early = token({ nbf: Math.floor(clock.now() / 1000) + 100 })
    const socket = {}
    expect(await codeFor(guard, early, anyone, socket)).toBe('token_not_yet_valid')
    clock.advance({ seconds: 100 })
    expect(await codeFor(guard, early, anyone, socket)).toBe('allow')
  })
})
