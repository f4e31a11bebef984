import { subscribe, unsubscribe } from 'node:diagnostics_channel'
import {
  authenticated,
  callerIs,
  createGuard,
  decisionChannel,
  scopes,
  unprotected,
  type Decision,
  type DecisionEvent,
  type Placement,
} from '@countersign/core'
import { brokenTokenKinds, createTestCa, createTestClock, createTestIssuer } from '@countersign/testing'
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { codeFor, connectionOf, present, requestWith, settled } from './support/asking.ts'
import { createHouse, issuer } from './support/house.ts'

const events: DecisionEvent[] = []
const hear = (event: unknown): void => void events.push(event as DecisionEvent) // the channel carries nothing else
beforeAll(() => subscribe(decisionChannel, hear))
afterAll(() => void unsubscribe(decisionChannel, hear))
beforeEach(() => {
  events.length = 0
  lines.length = 0
})

const lines: string[] = []
const log = { warn: (line: string): void => void lines.push(line) }

const clock = createTestClock()
const idp = await createTestIssuer({ clock })
const guard = createGuard({ audience: 'orders', issuers: [idp], log }, { clock })
const documented = [
  'id',
  'at',
  'mode',
  'outcome',
  'code',
  'method',
  'route',
  'requirement',
  'caller',
  'provenBy',
  'verification',
  'expected',
  'actual',
  'advice',
  'issuer',
  'durationMs',
]

const decide = async (
  value: string | undefined,
  placement: Placement = authenticated(),
  route = 'GET /orders/:id',
) => guard.decide(requestWith(value), placement, route)

describe('an event', () => {
  test('of an allow says who, where and how, and nothing else', async () => {
    await decide(`Bearer ${await idp.token('checkout', { scopes: ['orders:read'] })}`, scopes('orders:read'))
    expect(events).toEqual([
      {
        id: expect.any(String),
        at: clock.now(),
        outcome: 'allow',
        mode: 'enforce',
        code: null,
        method: 'GET',
        route: 'GET /orders/:id',
        requirement: 'scopes(orders:read)',
        caller: `${issuer}#client=checkout`,
        provenBy: ['token'],
        verification: 'fresh',
        expected: null,
        actual: null,
        advice: null,
        issuer: null,
        durationMs: expect.any(Number),
      },
    ])
    expect(Object.keys(present(events[0])).toSorted()).toEqual(documented.toSorted())
  })

  test('of a denial says why, to the operator', async () => {
    await decide(`Bearer ${await idp.broken('wrong-audience', 'checkout')}`)
    expect(events).toMatchObject([
      {
        outcome: 'deny',
        code: 'audience_mismatch',
        caller: null,
        verification: 'none',
        expected: '"orders"',
        actual: '"another-service"',
        issuer,
      },
    ])
    expect(Object.keys(present(events[0])).toSorted()).toEqual(documented.toSorted())
  })

  test('of a caller who may not names that caller', async () => {
    await decide(`Bearer ${await idp.token('checkout')}`, callerIs('spiffe://prod.example/reports'))
    expect(events).toMatchObject([{ code: 'caller_not_allowed', caller: `${issuer}#client=checkout` }])
  })

  test('tells a fresh verification from the cache and from the connection', async () => {
    const authorization = `Bearer ${await idp.token('checkout')}`
    const socket = {}
    await guard.decide(requestWith(authorization, socket), authenticated())
    await guard.decide(requestWith(authorization, {}), authenticated())
    await guard.decide(requestWith(authorization, socket), authenticated())
    await guard.decide(requestWith(undefined, socket), unprotected('probe'))
    expect(events.map(({ verification }) => verification)).toEqual(['fresh', 'cache', 'connection', 'none'])
  })

  test('cannot be changed by whoever hears it first', async () => {
    await decide(undefined)
    expect(() => Object.assign(present(events[0]), { outcome: 'allow' })).toThrow(TypeError)
  })

  test('has an id of its own that the refused caller is given, and the log line too', async () => {
    const ids = new Set<string>()
    for (let i = 0; i < 200; i += 1) {
      const decision = await decide(undefined, authenticated(), `GET /${i}`)
      const { body } = present(decision.outcome === 'deny' ? decision.response : undefined)
      expect(JSON.parse(body)).toMatchObject({ decision: decision.id })
      expect(events.at(-1)?.id).toBe(decision.id)
      expect(lines.at(-1)).toContain(decision.id)
      ids.add(decision.id)
    }
    expect(ids.size).toBe(200)
  })

  test('of an allow has the id of its decision', async () => {
    const decision = await decide(`Bearer ${await idp.token('checkout')}`)
    expect(events.map(({ id }) => id)).toEqual([decision.id])
    expect(decision.id).toBe(decision.id)
  })

  test('is made once for each decision', async () => {
    for (const value of [undefined, 'Bearer garbage', 'Basic eDp5']) await decide(value)
    expect(events.map(({ code }) => code)).toEqual([
      'credential_missing',
      'token_malformed',
      'authorization_scheme_unsupported',
    ])
  })
})

describe('nothing secret is in any event, log line or answer', () => {
  const secretClaims = { email: 'alice-private@example.com', ssn: '078-05-1120-private' }

  /** All that is told of a decision, to anybody. */
  function told(decision: Decision): string {
    const answer = decision.outcome === 'deny' ? JSON.stringify(decision.response) : ''
    const detail = decision.outcome === 'deny' ? JSON.stringify(decision.refusal) : ''
    return [answer, detail, JSON.stringify(events), ...lines].join('\n')
  }

  function expectNoPartOf(secret: string, text: string): void {
    for (let at = 0; at + 8 <= secret.length; at += 1) {
      const part = secret.slice(at, at + 8)
      expect(text.includes(part), `shows ${part}`).toBe(false)
    }
  }

  test.each(brokenTokenKinds)('of a token that is %s', async (kind) => {
    const token = await idp.broken(kind, 'checkout', { claims: secretClaims })
    const text = told(await decide(`Bearer ${token}`))
    for (const segment of token.split('.')) expectNoPartOf(segment, text)
    for (const value of Object.values(secretClaims)) expect(text).not.toContain(value)
  })

  test('of a token that is accepted', async () => {
    const token = await idp.token('checkout', { claims: secretClaims, scopes: ['orders:read'] })
    const text = told(await decide(`Bearer ${token}`, scopes('orders:write')))
    for (const segment of token.split('.')) expectNoPartOf(segment, text)
    for (const value of Object.values(secretClaims)) expect(text).not.toContain(value)
  })

  const secret = 'Zm9vOmh1bnRlcjI-hunter2'

  test.each([
    ['sent with Basic', `Basic ${secret}`],
    ['sent with DPoP', `DPoP ${secret}`],
    ['sent with a scheme of its own', `${secret} x`],
    ['sent without a scheme', secret],
    ['sent without a scheme behind a space', ` ${secret}`],
    ['sent without a scheme behind a tab', `\t${secret}`],
    ['sent as one part', `Bearer ${secret}`],
    ['sent as three parts', `Bearer ${secret}.${secret}.${secret}`],
    ['sent oversized', `Bearer ${secret.repeat(1000)}`],
    ['sent twice', `Bearer ${secret}, Bearer ${secret}`],
  ])('of a password %s', async (_, value) => {
    expectNoPartOf(secret, told(await decide(value)))
  })

  test('short and without a scheme', async () => {
    expect(told(await decide(' hunter2'))).not.toContain('hunter2')
    expect(told(await decide('hunter2'))).not.toContain('hunter2')
  })

  test('of a token that is sent twice', async () => {
    const token = await idp.token('checkout')
    const request = requestWith(`Bearer ${token}`)
    const rawHeaders = [...request.rawHeaders, ...request.rawHeaders]
    const text = told(await guard.decide({ ...request, rawHeaders }, authenticated()))
    for (const segment of token.split('.')) expectNoPartOf(segment, text)
  })

  test('is the precise code of a refusal in its answer', async () => {
    for (const kind of brokenTokenKinds) {
      const decision = await decide(`Bearer ${await idp.broken(kind, 'checkout')}`)
      const { body, headers } = present(decision.outcome === 'deny' ? decision.response : undefined)
      const code = decision.outcome === 'deny' ? decision.refusal.code : ''
      expect(`${body}${JSON.stringify(headers)}`).not.toContain(code)
      expect(Object.keys(JSON.parse(body)).toSorted()).toEqual([
        'decision',
        'detail',
        'error',
        'status',
        'title',
      ])
    }
  })
})

describe('the log', () => {
  const quiet = () => createGuard({ audience: 'orders', issuers: [idp], log }, { clock })

  test('says in one line what was expected, what came and what to write', async () => {
    await quiet().decide(
      requestWith(`Bearer ${await idp.broken('wrong-typ', 'checkout')}`),
      authenticated(),
      'GET /orders/:id',
    )
    expect(lines).toHaveLength(1)
    expect(lines[0]).toMatch(
      /^countersign: refused GET \/orders\/:id with token_type_mismatch \(decision \S+\): expected `typ` "at\+jwt", got "JWT" from https:\/\/issuer\.test; make sure that the caller sends its access token /,
    )
    expect(lines[0]).not.toContain('\n')
  })

  test('tells the first refusal of a kind in a minute, and the number of the others after it', async () => {
    const fresh = quiet()
    const ask = async () => fresh.decide(requestWith(), authenticated(), 'GET /a')
    for (let i = 0; i < 10; i += 1) await ask()
    clock.advance(59_999)
    await ask()
    expect(lines).toHaveLength(1)
    clock.advance(1)
    await ask()
    expect(lines).toHaveLength(2)
    expect(lines[1]).toMatch(/\(and 10 more like it in the last minute\)$/)
    clock.advance({ seconds: 60 })
    await ask()
    expect(lines[2]).not.toContain('more like it')
  })

  test('keeps kinds apart: by code, by route and by issuer', async () => {
    const other = await createTestIssuer({ clock, issuer: 'https://other-issuer.test' })
    const both = createGuard({ audience: 'orders', issuers: [idp, other], log }, { clock })
    const expired = await idp.broken('expired', 'checkout')
    const elsewhere = await other.broken('expired', 'checkout')
    for (const [token, route] of [
      [expired, 'GET /a'],
      [expired, 'GET /b'],
      [elsewhere, 'GET /a'],
      [await idp.broken('no-expiry', 'checkout'), 'GET /a'],
      [expired, 'GET /a'],
    ]) {
      await both.decide(requestWith(`Bearer ${token}`), authenticated(), route)
    }
    expect(lines).toHaveLength(4)
  })

  test('goes on after the clock was set back', async () => {
    const fresh = quiet()
    const ask = async () => fresh.decide(requestWith(), authenticated(), 'GET /a')
    await ask()
    clock.advance({ seconds: -3600 })
    await ask()
    clock.advance({ seconds: 3600 })
    expect(lines).toHaveLength(2)
  })

  test('is silent on request, and says nothing of what is allowed', async () => {
    const silent = createGuard({ audience: 'orders', issuers: [idp], log: false }, { clock })
    await silent.decide(requestWith(), authenticated())
    await codeFor(quiet(), await idp.token('checkout'))
    expect(lines).toEqual([])
  })

  test('cannot be made to hold a line of the caller’s own', async () => {
    const forged = 'x"\n countersign: allowed everything\u2028\u0085\u001b[2K'
    const { jws, header, claims, freshGuard, guard: mine } = createHouse({ clock })
    mine.close()
    freshGuard().close()
    const loud = createGuard({ audience: 'orders', issuers: [idp], log }, { clock })
    for (const token of [
      jws({ ...header, typ: forged }, claims()),
      jws({ ...header, kid: forged }, claims()),
      jws({ ...header, alg: forged }, claims()),
      jws(header, claims({ iss: forged })),
      await idp.token('checkout', { audience: forged }),
    ]) {
      await loud.decide(requestWith(`Bearer ${token}`), authenticated(), `GET /${lines.length}`)
    }
    expect(lines).toHaveLength(5)
    // oxlint-disable-next-line no-control-regex -- control characters are what is looked for
    for (const line of lines) expect(line).not.toMatch(/[\u0000-\u001f\u007f-\u009f\u2028\u2029]/)
  })

  test('that fails changes no decision and throws at nobody', async () => {
    const failing = {
      warn: () => {
        throw new Error('disk full')
      },
    }
    const loud = createGuard({ audience: 'orders', issuers: [idp], log: failing }, { clock })
    const refuse = async (value?: string) => loud.decide(requestWith(value), authenticated())
    expect(await refuse()).toMatchObject({ refusal: { code: 'credential_missing' } })
    const expired = await idp.broken('expired', 'checkout')
    expect(await refuse(`Bearer ${expired}`)).toMatchObject({ refusal: { code: 'token_expired' } })
  })
})

test('a certificate is told by what it proves, never by its text', async () => {
  const ca = await createTestCa({ trustDomain: 'prod.example', now: new Date(clock.now()) })
  const certified = createGuard(
    { certificates: { trustDomains: { 'prod.example': ca.bundle } }, log },
    { clock },
  )
  const svid = await ca.svid('/checkout')
  const socket = connectionOf(svid)
  await certified.decide(requestWith(undefined, socket), authenticated())
  await certified.decide(requestWith(undefined, socket), scopes('orders:read'))
  await settled()
  expect(events).toMatchObject([
    { caller: svid.spiffeId, provenBy: ['certificate'], outcome: 'allow', verification: 'fresh' },
    { caller: svid.spiffeId, code: 'scope_missing', verification: 'connection' },
  ])
  expect(JSON.stringify(events)).not.toContain(Buffer.from(svid.der).toString('base64').slice(20, 40))
})
