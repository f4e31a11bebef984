import { mkdtempSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import {
  authenticated,
  callerOptional,
  createGuard,
  scopes,
  spiffe,
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
import { openKeyNetwork, published } from '../core/support/key-network.ts'
import { jsonDocument } from '../core/support/network.ts'
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

test('T24 metadata of another issuer gives its keys to nobody, wherever it is fetched from', async () => {
  const other = createRawSigner()
  const { network, ask, state } = openKeyNetwork({
    jwksUri: undefined,
    discoveryUrl: 'https://other.test/metadata',
  } as object)
  for (const claimed of ['https://other.test', `${issuer}/`, `${issuer}/realms/other`, [issuer], undefined]) {
    network.answer = () => jsonDocument({ issuer: claimed, jwks_uri: 'https://other.test/k' })
    expect(await ask('key-1', other)).toBe('issuer_unavailable')
    expect(await state()).toMatchObject({
      status: 'waiting',
      problem: expect.stringMatching(/another `issuer`/),
    })
  }
  expect(network.requests).not.toContainEqual(expect.objectContaining({ url: 'https://other.test/k' }))
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

test('T09 the name of a key is looked up as it is, whatever it means elsewhere', async () => {
  const names = [
    '__proto__',
    'constructor',
    'toString',
    '../../etc/passwd',
    'https://attacker.test/k',
    '',
    "' or 1=1",
    'é',
    'e\u0301',
  ]
  const { network, ask, pass } = openKeyNetwork()
  expect(await ask()).toBe('allow')
  const unknown = names.map(async (name) => ask(name))
  await pass(1500)
  expect(new Set(await Promise.all(unknown))).toEqual(new Set(['key_unknown']))
  const signers = names.map(() => createRawSigner())
  network.document = { keys: names.map((name, i) => published(name, signers[i])) }
  await pass({ seconds: 240 })
  for (const [i, name] of names.entries()) {
    expect(await ask(name, signers[i]), name).toBe('allow')
    expect(await ask(name, signers[(i + 1) % names.length]), name).toBe('signature_invalid')
  }
  expect(new Set(network.requests.map(({ url }) => url))).toEqual(new Set([`${issuer}/k`]))
})

test('T12 a key that is marked for JWT-SVIDs verifies them alone, and one marked `sig` never does', async () => {
  const signer = createRawSigner()
  const clock = createTestClock()
  const marked = (use: string) => ({ keys: [{ ...signer.jwk, kid: 'key-1', use }] })
  const access = createGuard(
    { audience: 'orders', issuers: [{ issuer, jwks: marked('jwt-svid') }], log: false },
    { clock },
  )
  const token = signer.jws({ alg: 'ES256', typ: 'at+jwt', kid: 'key-1' }, claimsAt(clock))
  expect(await codeFor(access, token)).toBe('key_unknown')
  const claims = { sub: 'spiffe://prod.example/checkout', aud: 'orders', exp: clock.now() / 1000 + 300 }
  const svid = signer.jws({ alg: 'ES256', kid: 'key-1' }, claims)
  const { network, guard, pass } = openKeyNetwork(spiffe('prod.example', 'https://issuer.test/bundle'))
  for (const use of ['sig', 'x509-svid', 'enc']) {
    network.document = marked(use)
    const answer = codeFor(guard, svid)
    await pass(1500)
    expect(await answer, use).toBe('key_unknown')
  }
  network.document = marked('jwt-svid')
  await pass({ seconds: 300 })
  expect(await codeFor(guard, svid)).toBe('allow')
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

test('T27 neither an answer that says nothing changed nor one that comes late brings a withdrawn key back', async () => {
  const { network, ask, pass } = openKeyNetwork()
  const second = createRawSigner()
  network.headers = { etag: '"1"' }
  expect(await ask()).toBe('allow')
  network.headers = { etag: '"2"' }
  network.document = { keys: [published('key-2', second)] }
  await pass({ seconds: 240 })
  network.answer = () => ({
    status: 304,
    headers: { etag: '"1"' },
    octets: Buffer.from(JSON.stringify(first)),
  })
  const first = { keys: [published()] }
  await pass({ seconds: 240 })
  expect(await ask()).toBe('key_unknown')
  expect(await ask('key-2', second)).toBe('allow')
})

test('T27 a bundle that goes back in its sequence brings no withdrawn key back', async () => {
  const { network, guard, clock, pass } = openKeyNetwork(spiffe('prod.example', 'https://issuer.test/bundle'))
  const old = createRawSigner()
  const bundle = (spiffe_sequence: number, signer = old) => ({
    spiffe_sequence,
    keys: [{ ...signer.jwk, use: 'jwt-svid', kid: 'key-1' }],
  })
  const claims = { sub: 'spiffe://prod.example/checkout', aud: 'orders', exp: clock.now() / 1000 + 3600 }
  const stolen = old.jws({ alg: 'ES256', kid: 'key-1' }, claims)
  network.document = bundle(1)
  expect(await codeFor(guard, stolen)).toBe('allow')
  network.document = bundle(2, createRawSigner())
  await pass({ seconds: 300 })
  expect(await codeFor(guard, stolen)).toBe('signature_invalid')
  network.document = bundle(1)
  await pass({ seconds: 300 })
  expect(await codeFor(guard, stolen)).toBe('signature_invalid')
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

test('T30 a key set that redirects is not followed, and a bearer token goes nowhere with it', async () => {
  const bearerFile = join(mkdtempSync(join(tmpdir(), 'bearer-')), 'token')
  writeFileSync(bearerFile, 'secret')
  const seen: (string | undefined)[] = []
  await using elsewhere = await openSite(() => ({
    '/k': (response, request) => {
      seen.push(request.headers.authorization)
      response.end('{}')
    },
  }))
  await using site = await openSite((origin) => ({
    [openId]: { issuer: origin, jwks_uri: `${origin}/k` },
    '/k': (response) => response.writeHead(302, { location: `${elsewhere.origin}/k` }).end(),
  }))
  const guard = createGuard({
    audience: 'orders',
    issuers: [{ issuer: site.origin, ca: site.ca, bearerFile }],
    log: false,
  })
  expect((await guard.ready()).issuers[0]).toMatchObject({ problem: 'expected status 200, got 302' })
  guard.close()
  expect([elsewhere.hits, seen]).toEqual([[], []])
})

test('T30 metadata that leads elsewhere is not given the bearer token', async () => {
  const bearerFile = join(mkdtempSync(join(tmpdir(), 'bearer-')), 'token')
  writeFileSync(bearerFile, 'secret')
  const seen: (string | undefined)[] = []
  await using elsewhere = await openSite(() => ({
    '/k': (response, request) => {
      seen.push(request.headers.authorization)
      response.end(JSON.stringify({ keys: [published()] }))
    },
  }))
  await using site = await openSite((origin) => ({
    [openId]: (response, request) => {
      seen.push(request.headers.authorization)
      response.end(JSON.stringify({ issuer: origin, jwks_uri: `${elsewhere.origin}/k` }))
    },
  }))
  const guard = createGuard({
    audience: 'orders',
    issuers: [{ issuer: site.origin, ca: site.ca, bearerFile }],
    log: false,
  })
  expect(await guard.ready()).toMatchObject({ ready: true })
  guard.close()
  expect(seen).toEqual(['Bearer secret', undefined])
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

test('T31 an unknown key is refused for now: once it is published its token is honoured, and in time', async () => {
  const { network, ask, pass, guard } = openKeyNetwork()
  await guard.ready()
  const second = createRawSigner()
  const early = ask('key-2', second)
  await pass(1500)
  expect(await early).toBe('key_unknown')
  network.document = { keys: [published(), published('key-2', second)] }
  const again = ask('key-2', second)
  await pass(1500)
  expect(await again).toBe('allow')
})

test('T31 an outage that ends is forgotten, however long it was', async () => {
  const { network, ask, pass, state } = openKeyNetwork({ maxStaleSeconds: 60 })
  expect(await ask()).toBe('allow')
  network.isDown = true
  for (let n = 0; n < 200; n += 1) await pass({ seconds: 60 })
  expect(await ask()).toBe('issuer_unavailable')
  network.isDown = false
  await pass({ seconds: 60 })
  expect(await state()).toMatchObject({ status: 'fresh' })
  expect(await ask()).toBe('allow')
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

  test('T32 ends with what an issuer said of an opaque token, wherever the clock goes', async () => {
    const clock = createTestClock()
    const exp = clock.now() / 1000 + 3600
    let isRevoked = false
    const guard = createGuard(
      {
        audience: 'orders',
        issuers: [
          {
            issuer,
            introspection: {
              endpoint: `${issuer}/introspect`,
              clientId: 'orders',
              authentication: { method: 'client_secret_basic', secret: 'a-secret-of-the-orders-service' },
            },
          },
        ],
        log: false,
      },
      // RFC 7662 §2.2 leaves `iat` out of what must be said.
      {
        clock,
        fetch: async () =>
          jsonDocument(isRevoked ? { active: false } : { active: true, sub: 'alice', aud: 'orders', exp }),
      },
    )
    const ask = async () => codeFor(guard, 'opaque')
    expect(await ask()).toBe('allow')
    isRevoked = true
    clock.advance({ seconds: -20 })
    expect(await ask()).toBe('allow') // clocks may differ by as much
    clock.advance({ seconds: -3600 })
    expect(await ask()).toBe('token_inactive')
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

  test('T32 is asked about anew after the process has slept', async () => {
    let slept = 0
    const { network, guard, token } = openKeyNetwork({}, (clock) => ({
      now: () => clock.now() + slept,
      schedule: (task, delayMs) => clock.schedule(task, delayMs),
    }))
    const [kept, socket] = [token(), {}]
    expect(await codeFor(guard, kept, authenticated(), socket)).toBe('allow')
    network.document = { keys: [published('key-2', createRawSigner())] }
    slept = 3_600_000
    expect(await codeFor(guard, kept, authenticated(), socket)).toBe('key_unknown')
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
    return jsonDocument({ keys: network.keys })
  }
  const options = {
    audience: 'orders',
    issuers: [{ issuer, jwksUri: `${issuer}/k`, maxLifetimeSeconds: 30 * 86_400 }] as const,
    log: false as const,
  }
  const guard: Guard = createGuard(options, { clock, fetch })
  const token = (changes: Readonly<Record<string, unknown>> = {}): string =>
    signer.jws({ alg: 'ES256', typ: 'at+jwt', kid: 'key-1' }, { ...claimsAt(clock), ...changes })
  return { guard, network, clock, token }
}
