import {
  authenticated,
  callerOptional,
  createGuard,
  scopes,
  type FetchDocument,
  type Guard,
} from '@countersign/core'
import { countersign, requires } from '@countersign/express'
import { createTestCa, createTestClock, createTestIssuer } from '@countersign/testing'
import { describe, expect, test } from 'vitest'
import {
  callerFor,
  codeFor,
  codeOf,
  connectionOf,
  present,
  requestWith,
  settled,
} from '../core/support/asking.ts'
import { claimsAt, createHouse, issuer } from '../core/support/house.ts'
import { openId, openSite } from '../core/support/issuer-site.ts'
import { createRawSigner, segment } from '../core/support/raw-signer.ts'
import { bearer, expressVersions, serve } from './support/served.ts'

test('T24 a key of one issuer never verifies for another, whatever their names have in common', async () => {
  const clock = createTestClock()
  const names = [
    'https://a.test',
    'https://a.test/',
    'https://a.test/b',
    'https://a.test/b/c',
    'https://a.test:8443',
  ]
  const houses = names.map((name) => createHouse({ issuer: name, clock }))
  const guard = createGuard(
    {
      audience: 'orders',
      issuers: [
        { issuer: names[0] ?? '', jwks: jwksOf(houses[0]) },
        ...names.slice(1).map((name, i) => ({ issuer: name, jwks: jwksOf(houses[i + 1]) })),
      ],
      log: false,
    },
    { clock },
  )
  for (const [i, signer] of houses.entries()) {
    for (const [j, iss] of names.entries()) {
      expect(await codeFor(guard, signer.token({ iss })), `${i} as ${j}`).toBe(
        i === j ? 'allow' : 'signature_invalid',
      )
    }
  }
})

test('T25 a remembered result is given to the very token it was made for and to no other', async () => {
  const { guard, token, header, claims } = createHouse()
  const tokens = Array.from({ length: 200 }, (_, i) => [
    `client-${i}`,
    token({ sub: `client-${i}`, client_id: `client-${i}` }),
  ])
  const socket = {}
  for (let round = 0; round < 2; round += 1) {
    for (const [name, text] of tokens) {
      expect((await callerFor(guard, text ?? '', socket)).id).toBe(`${issuer}#client=${name}`)
    }
  }
  const [, victim = ''] = tokens[0] ?? []
  const [head = '', body = '', tail = ''] = victim.split('.')
  const forgeries = [
    `${segment({ ...header, x: 1 })}.${body}.${tail}`,
    `${head}.${segment(claims({ sub: 'admin', client_id: 'admin' }))}.${tail}`,
    `${victim.slice(0, 20)}${'x'.repeat(victim.length - 20)}`,
    `${victim}${victim}`,
  ]
  for (const forgery of forgeries) {
    expect(await codeFor(guard, forgery)).not.toBe('allow')
    expect(await codeFor(guard, forgery, authenticated(), socket)).not.toBe('allow')
  }
})

describe.each([false, true])('T25 on one connection (keep-alive: %s)', (shares) => {
  test('T25 callers that ask at the same time each get their own answer', async () => {
    const clock = createTestClock()
    const idp = await createTestIssuer({ listen: true, clock })
    const guard = createGuard({ audience: 'orders', issuers: [idp], log: false }, { clock })
    const socket = {}
    const names = Array.from({ length: 40 }, (_, i) => `client-${i}`)
    const callers = await Promise.all(
      names.map(async (name) => callerFor(guard, await idp.token(name), shares ? socket : {})),
    )
    expect(callers.map(({ service }) => service?.clientId)).toEqual(names)
    await idp.close()
  })
})

test('T27 a withdrawn key does not survive a refresh, nor does anything that it verified', async () => {
  const clock = createTestClock()
  const idp = await createTestIssuer({ listen: true, clock })
  const guard = createGuard({ audience: 'orders', issuers: [idp], log: false }, { clock })
  const old = await idp.token('checkout')
  const another = await idp.token('reports')
  expect(await codeFor(guard, old)).toBe('allow')
  await idp.rotate()
  idp.withdrawOldKeys()
  clock.advance(1500)
  expect(await codeFor(guard, await idp.token('checkout'))).toBe('allow')
  expect(await codeFor(guard, old)).toBe('key_unknown')
  expect(await codeFor(guard, another)).toBe('key_unknown')
  await idp.close()
})

test('T27 a withdrawn key ends remembered tokens even where no new token ever comes', async () => {
  const { guard, network, clock, token } = onNetwork()
  const kept = token({ exp: clock.now() / 1000 + 24 * 3600 })
  expect(await codeFor(guard, kept)).toBe('allow')
  network.keys = [{ ...createRawSigner().jwk, kid: 'key-2' }]
  clock.advance({ seconds: 15 * 60 })
  for (let i = 0; i < 3; i += 1) {
    await codeFor(guard, kept)
    await settled()
  }
  expect(await codeFor(guard, kept)).toBe('key_unknown')
})

test('T28 a flood of unknown kids costs one request per cool-down and delays no rotation beyond it', async () => {
  const clock = createTestClock()
  const idp = await createTestIssuer({ listen: true, clock })
  const guard = createGuard({ audience: 'orders', issuers: [idp], log: false }, { clock })
  await codeFor(guard, await idp.token('checkout'))
  const flood = async (): Promise<void> => {
    const answers = Array.from({ length: 30 }, async (_, i) =>
      codeFor(guard, await idp.token('attacker', { header: { kid: `kid-${i}-${clock.now()}` } })),
    )
    expect(new Set(await Promise.all(answers))).toEqual(new Set(['key_unknown']))
  }
  await flood()
  expect(idp.requests).toBe(1)
  clock.advance(1500)
  await flood()
  expect(idp.requests).toBe(2)
  await idp.rotate()
  await flood()
  clock.advance(1499)
  await flood()
  expect(idp.requests).toBe(2)
  clock.advance(1)
  expect(await codeFor(guard, await idp.token('checkout'))).toBe('allow')
  expect(idp.requests).toBe(3)
  await idp.close()
})

test('T28 a flood under an unknown issuer costs no request at all', async () => {
  const { guard, network, token } = onNetwork()
  for (let i = 0; i < 50; i += 1) {
    expect(await codeFor(guard, token({ iss: `https://attacker-${i}.test` }))).toBe('issuer_unknown')
  }
  expect(network.fetches).toBe(0)
})

test.each(expressVersions)(
  'T29 two credentials in one request are refused by %s, also while keys are on their way',
  async (_, express) => {
    const idp = await createTestIssuer({ listen: true })
    const app = express()
    app.use(countersign({ audience: 'orders', issuers: [idp], log: false }))
    app.get('/', requires(authenticated()), (_request, response) => void response.send('SECRET'))
    await using served = await serve(app)
    const token = await idp.token('checkout')
    const forged = await idp.broken('forged-signature', 'checkout')
    const [two, reversed, single, same] = await Promise.all([
      served.get('/', bearer(token), bearer(forged)),
      served.get('/', bearer(forged), bearer(token)),
      served.get('/', bearer(token)),
      served.get('/', bearer(token), `aUTHORIZATION: bearer ${token}`),
    ])
    expect([two.status, reversed.status, single.status, same.status]).toEqual([400, 400, 200, 400])
    expect(await served.get('/', `${bearer(token)}, Bearer ${token}`)).toMatchObject({ status: 401 })
    await idp.close()
  },
)

test('T29 two tokens that wait for one fetch are each answered for themselves', async () => {
  const { guard, network, token } = onNetwork()
  const gate = Promise.withResolvers<void>()
  network.until = gate.promise
  const answers = [
    callerFor(guard, token({ sub: 'a', client_id: 'a' })),
    callerFor(guard, token({ sub: 'b', client_id: 'b' })),
  ]
  const refused = codeFor(guard, token({ aud: 'billing' }))
  gate.resolve()
  expect((await Promise.all(answers)).map(({ service }) => service?.clientId)).toEqual(['a', 'b'])
  expect(await refused).toBe('audience_mismatch')
  expect(network.fetches).toBe(1)
})

test.each([
  ['redirects', 302],
  ['redirects for good', 308],
])('T30 an issuer that %s is not followed', async (_, status) => {
  await using elsewhere = await openSite((origin) => ({
    [openId]: { issuer: origin, jwks_uri: `${origin}/k` },
    '/k': { keys: [createRawSigner().jwk] },
  }))
  await using site = await openSite(() => ({
    [openId]: (response) => response.writeHead(status, { location: `${elsewhere.origin}${openId}` }).end(),
  }))
  const guard = createGuard({
    audience: 'orders',
    issuers: [{ issuer: site.origin, ca: site.ca }],
    log: false,
  })
  expect((await guard.ready()).issuers[0]).toMatchObject({
    status: 'waiting',
    problem: `expected status 200, got ${status}`,
  })
  expect(elsewhere.hits).toEqual([])
})

test('T30 a huge answer is cut off, and the guard says that its issuer is unavailable', async () => {
  let sent = 0
  await using site = await openSite(() => ({
    [openId]: (response) => {
      const chunk = Buffer.alloc(64 * 1024, 'x')
      const more = (): void => {
        if (response.destroyed || sent > 64 * 1024 * 1024) return
        sent += chunk.length
        response.write(chunk, more)
      }
      more()
    },
  }))
  const guard = createGuard({
    audience: 'orders',
    issuers: [{ issuer: site.origin, ca: site.ca }],
    log: false,
  })
  expect((await guard.ready()).issuers[0]?.problem).toMatch(/longer than 524288 bytes/)
  expect(sent).toBeLessThan(16 * 1024 * 1024)
})

test('T30 plain http is never spoken to, unless its very URL was allowed', async () => {
  const http = { audience: 'orders', issuers: ['http://localhost:1'] as [string], log: false as const }
  expect(() => createGuard(http)).toThrow(/dangerouslyAllowHttp/)
  await using site = await openSite((origin) => ({
    [openId]: { issuer: origin, jwks_uri: origin.replace('https', 'http') },
  }))
  const options = {
    audience: 'orders',
    issuers: [{ issuer: site.origin, ca: site.ca }] as const,
    log: false as const,
  }
  const guard = createGuard({ ...options, dangerouslyAllowHttp: ['http://localhost:1'] })
  expect((await guard.ready()).issuers[0]?.problem).toMatch(/not https/)
})

test('T31 a failure is not remembered as an answer', async () => {
  const { guard, network, clock, token } = onNetwork()
  const kept = token()
  const socket = {}
  network.isDown = true
  expect(await codeFor(guard, kept, authenticated(), socket)).toBe('issuer_unavailable')
  network.isDown = false
  clock.advance(1500)
  expect(await codeFor(guard, kept, authenticated(), socket)).toBe('allow')
})

test('T31 a certificate that was not valid yet is accepted on the same connection when it is', async () => {
  const clock = createTestClock()
  const ca = await createTestCa({ trustDomain: 'prod.example', now: new Date(clock.now()) })
  const guard = createGuard(
    { certificates: { trustDomains: { 'prod.example': ca.bundle } }, log: false },
    { clock },
  )
  const svid = await ca.svid('/checkout', { notBefore: new Date(clock.now() + 10_000) })
  const socket = connectionOf(svid)
  const ask = async () => codeOf(await guard.decide(requestWith(undefined, socket), authenticated()))
  expect(await ask()).toBe('certificate_not_yet_valid')
  clock.advance(10_000)
  expect(await ask()).toBe('allow')
})

test('T31 a refusal that somebody writes into changes no later answer', async () => {
  const { guard, token } = createHouse()
  const ask = async (value?: string) => guard.decide(requestWith(value), authenticated())
  const spoil = (target: object | undefined, changes: object): void => {
    try {
      Object.assign(present(target), changes)
    } catch {
      // What is frozen cannot be spoiled.
    }
  }
  for (const value of [
    undefined,
    '',
    'Bearer ',
    'Basic eDp5',
    `Bearer ${token({ cnf: {} })}`,
    'Bearer a.b.c',
  ]) {
    const first = await ask(value)
    const code = codeOf(first)
    const refusal = first.outcome === 'deny' ? first.refusal : undefined
    spoil(refusal, { code: 'guard_closed' })
    spoil(refusal?.detail, { expected: 'anything' })
    expect(codeOf(await ask(value)), String(value)).toBe(code)
  }
})

describe('T32 a remembered allow', () => {
  test('T32 ends with `exp`, with the clock set forth or back, and without `iat` there is none', async () => {
    const { guard, token, clock } = createHouse()
    const kept = token()
    const socket = {}
    const ask = async () => codeFor(guard, kept, authenticated(), socket)
    expect(await ask()).toBe('allow')
    clock.advance({ seconds: 330 })
    expect(await ask()).toBe('token_expired')
    clock.advance({ seconds: -10_000 })
    expect(await ask()).toBe('token_not_yet_valid')
    expect(await codeFor(guard, token({ iat: undefined }))).toBe('claim_missing')
  })

  test('T32 ends with the certificate beside it, and with the issuer’s key', async () => {
    const clock = createTestClock()
    const ca = await createTestCa({ trustDomain: 'prod.example', now: new Date(clock.now()) })
    const idp = await createTestIssuer({ listen: true, clock, represents: 'user' })
    const guard = createGuard(
      {
        audience: 'orders',
        issuers: [idp],
        certificates: { trustDomains: { 'prod.example': ca.bundle } },
        log: false,
      },
      { clock },
    )
    const svid = await ca.svid('/checkout', { notAfter: new Date(clock.now() + 60_000) })
    const socket = connectionOf(svid)
    const kept = await idp.token('web', { user: 'alice', expiresIn: 86_400 })
    const ask = async (on: object) => codeFor(guard, kept, authenticated(), on)
    expect(await ask(socket)).toBe('allow')
    clock.advance(60_001)
    expect(await ask(socket)).toBe('certificate_expired')
    expect(await ask({})).toBe('allow')
    await idp.rotate()
    idp.withdrawOldKeys()
    clock.advance({ seconds: 5 })
    await codeFor(guard, await idp.token('web'))
    expect(await ask({})).toBe('key_unknown')
    await idp.close()
  })

  test('T32 is an answer to who calls, never to what is allowed', async () => {
    const { guard, token } = createHouse()
    const kept = token({ scope: 'orders:read' })
    const socket = {}
    expect(await codeFor(guard, kept, scopes('orders:read'), socket)).toBe('allow')
    expect(await codeFor(guard, kept, scopes('orders:write'), socket)).toBe('scope_missing')
    const optional = await guard.decide(requestWith('Bearer garbage', socket), callerOptional('prices'))
    expect(codeOf(optional)).toBe('token_malformed')
  })

  test('T32 ends when its issuer has been away for longer than a day', async () => {
    const { guard, network, clock, token } = onNetwork()
    const kept = token({ exp: clock.now() / 1000 + 7 * 86_400 })
    expect(await codeFor(guard, kept)).toBe('allow')
    network.isDown = true
    clock.advance({ seconds: 2 * 86_400 })
    for (let i = 0; i < 3; i += 1) {
      await codeFor(guard, kept)
      await settled()
    }
    expect(await codeFor(guard, kept)).toBe('issuer_unavailable')
  })
})

function jwksOf(house: ReturnType<typeof createHouse> | undefined) {
  return { keys: [{ ...house?.signer.jwk, kid: 'key-1' }] }
}

interface Network {
  keys: readonly object[]
  isDown: boolean
  fetches: number
  until: Promise<void>
}

/** A guard whose issuer is reached over a network that the test holds in its hands. */
function onNetwork() {
  const signer = createRawSigner()
  const clock = createTestClock()
  const network: Network = {
    keys: [{ ...signer.jwk, kid: 'key-1' }],
    isDown: false,
    fetches: 0,
    until: Promise.resolve(),
  }
  const fetch: FetchDocument = async () => {
    network.fetches += 1
    await network.until
    if (network.isDown) throw new Error('expected status 200, got 503')
    return { body: { keys: network.keys }, maxAgeSeconds: undefined }
  }
  const options = {
    audience: 'orders',
    issuers: [{ issuer, jwksUri: `${issuer}/k` }] as const,
    log: false as const,
  }
  const guard: Guard = createGuard(options, { clock, fetch })
  const token = (changes: Readonly<Record<string, unknown>> = {}): string =>
    signer.jws({ alg: 'ES256', typ: 'at+jwt', kid: 'key-1' }, { ...claimsAt(clock), ...changes })
  return { guard, network, clock, token }
}
