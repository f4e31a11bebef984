import { execFile } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { authenticated, createGuard, type FetchDocument, type Guard } from '@countersign/core'
import { createTestClock, createTestIssuer, type TestClock, type TestIssuer } from '@countersign/testing'
import { afterEach, describe, expect, test, vi } from 'vitest'
import { codeFor, codeOf, requestWith } from './support/asking.ts'
import { claimsAt, issuer } from './support/house.ts'
import { oauth, openId, openSite, type Page } from './support/issuer-site.ts'
import { jsonDocument } from './support/network.ts'
import { createRawSigner } from './support/raw-signer.ts'

const signer = createRawSigner('ES256')
const jwks = { keys: [{ ...signer.jwk, kid: 'key-1' }] }
const header = { alg: 'ES256', typ: 'at+jwt', kid: 'key-1' }
const minute = 60
const hour = 60 * minute

afterEach(() => {
  vi.restoreAllMocks()
})

describe('discovery', () => {
  test('finds the keys where OpenID Connect says', async () => {
    await using site = await openSite((origin) => ({
      [openId]: { issuer: origin, jwks_uri: `${origin}/k` },
      '/k': jwks,
    }))
    expect(await firstAnswer(site)).toEqual({ code: 'allow', problem: undefined })
    expect(site.hits).toEqual([openId, '/k'])
  })

  test('falls back to RFC 8414 where OpenID Connect has no document', async () => {
    await using site = await openSite((origin) => ({
      [oauth]: { issuer: origin, jwks_uri: `${origin}/k` },
      '/k': jwks,
    }))
    expect(await firstAnswer(site)).toEqual({ code: 'allow', problem: undefined })
    expect(site.hits).toEqual([openId, oauth, '/k'])
  })

  test('of an issuer with a path appends for OpenID Connect and inserts for RFC 8414', async () => {
    await using site = await openSite((origin) => ({
      [`${oauth}/realms/shop`]: { issuer: `${origin}/realms/shop`, jwks_uri: `${origin}/k` },
      '/k': jwks,
    }))
    expect(await firstAnswer(site, '/realms/shop')).toMatchObject({ code: 'allow' })
    expect(site.hits).toEqual([`/realms/shop${openId}`, `${oauth}/realms/shop`, '/k'])
  })

  const status =
    (code: number, headers: Record<string, string> = {}): Page =>
    (response) =>
      response.writeHead(code, headers).end('{}')

  const failing: readonly (readonly [string, (origin: string) => Record<string, Page>, RegExp])[] = [
    [
      'names another issuer',
      (o) => ({ [openId]: { issuer: `${o}.evil`, jwks_uri: `${o}/k` } }),
      /another `issuer`/,
    ],
    [
      'names its issuer with a slash',
      (o) => ({ [openId]: { issuer: `${o}/`, jwks_uri: `${o}/k` } }),
      /another/,
    ],
    ['names no issuer', (o) => ({ [openId]: { jwks_uri: `${o}/k` } }), /another `issuer`/],
    [
      'names issuers in a list',
      (o) => ({ [openId]: { issuer: [o], jwks_uri: `${o}/k` } }),
      /another `issuer`/,
    ],
    ['has no `jwks_uri`', (o) => ({ [openId]: { issuer: o } }), /no `jwks_uri`/],
    ['has a relative `jwks_uri`', (o) => ({ [openId]: { issuer: o, jwks_uri: '/k' } }), /no `jwks_uri`/],
    ['has a list of `jwks_uri`', (o) => ({ [openId]: { issuer: o, jwks_uri: [`${o}/k`] } }), /no `jwks_uri`/],
    [
      'sends to plain http',
      (o) => ({ [openId]: { issuer: o, jwks_uri: `${o.replace('https', 'http')}/k` } }),
      /not https/,
    ],
    ['sends to a file', (o) => ({ [openId]: { issuer: o, jwks_uri: 'file:///etc/passwd' } }), /not https/],
    ['redirects', (o) => ({ [openId]: status(302, { location: `${o}/moved` }), '/moved': jwks }), /got 302/],
    ['is gone for good', () => ({ [openId]: status(410) }), /got 410/],
    ['fails', () => ({ [openId]: status(500) }), /got 500/],
    ['is empty', () => ({ [openId]: status(204) }), /got 204/],
    ['is an array', () => ({ [openId]: [] }), /not a JSON object/],
    ['is not JSON', () => ({ [openId]: (response) => response.end('<html>') }), /not a JSON object/],
    [
      'is not UTF-8',
      () => ({ [openId]: (r) => r.end(Buffer.from('{"a":"\u00ff"}', 'latin1')) }),
      /not a JSON/,
    ],
    [
      'is huge',
      () => ({ [openId]: (response) => response.end(`{"a":"${'x'.repeat(600_000)}"}`) }),
      /longer than/,
    ],
    ['breaks off', () => ({ [openId]: cutOff }), /aborted|closed|hang up/],
    [
      'leads to keys that redirect',
      (o) => ({ [openId]: metadata(o), '/k': status(301, { location: `${o}/moved` }), '/moved': jwks }),
      /got 301/,
    ],
    ['leads to keys that are none', (o) => ({ [openId]: metadata(o), '/k': { keys: 'none' } }), /JWK Set/],
    [
      'leads to an empty key set',
      (o) => ({ [openId]: metadata(o), '/k': { keys: [] } }),
      /at least one usable/,
    ],
    [
      'leads to private keys',
      (o) => ({ [openId]: metadata(o), '/k': { keys: [signer.privateKey.export({ format: 'jwk' })] } }),
      /private or symmetric/,
    ],
    ['leads to a missing key set', (o) => ({ [openId]: metadata(o) }), /got 404/],
  ]

  test.each(failing)(
    'that %s gives no keys, and the caller is told to try again',
    async (_, pages, problem) => {
      await using site = await openSite(pages)
      const answer = await firstAnswer(site)
      expect(answer).toEqual({ code: 'issuer_unavailable', problem: expect.stringMatching(problem) })
      expect(site.hits).not.toContain('/moved')
    },
  )

  test('does not speak to a server whose certificate another authority signed', async () => {
    await using site = await openSite((origin) => ({ [openId]: metadata(origin), '/k': jwks }))
    const guard = guardOf({ issuer: site.origin }, createTestClock())
    expect(await codeFor(guard, tokenOf(site.origin))).toBe('issuer_unavailable')
    expect(site.hits).toEqual([])
  })

  test.each([
    ['never answers', () => undefined],
    [
      'never finishes',
      (response: Parameters<Extract<Page, (...args: never) => void>>[0]) => void response.write('{'),
    ],
  ])('gives up on a server that %s', async (_, page: Extract<Page, (...args: never) => void>) => {
    const reached = Promise.withResolvers<void>()
    await using site = await openSite(() => ({
      [openId]: (response, request) => {
        page(response, request)
        reached.resolve()
      },
    }))
    // The platform's timer is the one thing replaced here: five seconds pass when the test says so.
    const expiry = new AbortController()
    const asked: number[] = []
    vi.spyOn(AbortSignal, 'timeout').mockImplementation((ms) => {
      asked.push(ms)
      return expiry.signal
    })
    const guard = guardOf({ issuer: site.origin, ca: site.ca }, createTestClock())
    const answer = codeFor(guard, tokenOf(site.origin))
    await reached.promise
    expiry.abort(new DOMException('timed out', 'TimeoutError'))
    expect(await answer).toBe('issuer_unavailable')
    // For the whole attempt, and for the one document.
    expect(asked).toEqual([12_000, 5000])
  })

  test('ends when the guard closes, and so does the request that waited', async () => {
    const reached = Promise.withResolvers<void>()
    await using site = await openSite(() => ({ [openId]: () => reached.resolve() }))
    const guard = guardOf({ issuer: site.origin, ca: site.ca }, createTestClock())
    const answer = codeFor(guard, tokenOf(site.origin))
    await reached.promise
    guard.close()
    expect(await answer).not.toBe('allow')
    expect(await codeFor(guard, tokenOf(site.origin))).toBe('guard_closed')
  })
})

describe('a listening issuer', () => {
  test('is asked once by a hundred requests that come first', async () => {
    const { clock, idp, guard } = await listening()
    const token = await idp.token('checkout')
    const codes = await Promise.all(Array.from({ length: 100 }, () => codeFor(guard, token)))
    expect(new Set(codes)).toEqual(new Set(['allow']))
    expect(idp.requests).toBe(1)
    clock.advance({ seconds: 1 })
    await idp.close()
  })

  test('that rotates is followed at the first token of the new key', async () => {
    const { clock, idp, guard } = await listening()
    const old = await idp.token('checkout')
    expect(await codeFor(guard, old)).toBe('allow')
    await idp.rotate()
    clock.advance(1500)
    expect(await codeFor(guard, await idp.token('checkout'))).toBe('allow')
    expect(await codeFor(guard, old)).toBe('allow') // still published
    expect(idp.requests).toBe(2)
    await idp.close()
  })

  test('that withdraws a key ends what was verified with it, also on an open connection', async () => {
    const { clock, idp, guard } = await listening()
    const socket = {}
    const old = await idp.token('checkout')
    expect(await codeFor(guard, old, authenticated(), socket)).toBe('allow')
    await idp.rotate()
    idp.withdrawOldKeys()
    clock.advance(1500)
    expect(await codeFor(guard, old, authenticated(), socket)).toBe('allow') // nobody has told us yet
    expect(await codeFor(guard, await idp.token('checkout'))).toBe('allow')
    expect(await codeFor(guard, old, authenticated(), socket)).toBe('key_unknown')
    expect(await codeFor(guard, old)).toBe('key_unknown')
    await idp.close()
  })

  test('that fails keeps its keys in service up to a day, then is unavailable, then recovers', async () => {
    const { clock, idp, guard } = await listening()
    expect(await codeFor(guard, await idp.token('checkout'))).toBe('allow')
    idp.outage(true)
    clock.advance({ seconds: 6 * minute })
    expect(await codeFor(guard, await idp.token('checkout'))).toBe('allow')
    clock.advance({ seconds: 20 * minute })
    expect(await codeFor(guard, await idp.token('checkout'))).toBe('allow')
    expect(await guard.ready()).toMatchObject({
      ready: true,
      issuers: [{ issuer: idp.issuer, status: 'stale', problem: 'expected status 200, got 503' }],
    })
    clock.advance({ seconds: 24 * hour })
    const decision = await guard.decide(requestWith(`Bearer ${await idp.token('checkout')}`), authenticated())
    expect(decision).toMatchObject({
      refusal: { code: 'issuer_unavailable', detail: { issuer: idp.issuer } },
      response: { status: 503, headers: { 'retry-after': expect.stringMatching(/^[1-9]\d*$/) } },
    })
    expect(decision.outcome === 'deny' && decision.response.headers['www-authenticate']).toBeUndefined()
    idp.outage(false)
    clock.advance(1500)
    expect(await codeFor(guard, await idp.token('checkout'))).toBe('allow')
    expect(await guard.ready()).toMatchObject({ issuers: [{ status: 'fresh', problem: undefined }] })
    await idp.close()
  })

  test('that is down at the start is asked again after the cool-down, not for every request', async () => {
    const { clock, idp, guard } = await listening()
    idp.outage(true)
    const token = await idp.token('checkout')
    expect(await guard.ready()).toMatchObject({ ready: false, issuers: [{ status: 'waiting' }] })
    for (let i = 0; i < 10; i += 1) expect(await codeFor(guard, token)).toBe('issuer_unavailable')
    idp.outage(false)
    expect(await codeFor(guard, token)).toBe('issuer_unavailable')
    expect(idp.requests).toBe(0) // discovery itself was refused, once
    clock.advance(1500)
    expect(await codeFor(guard, token)).toBe('allow')
    expect(idp.requests).toBe(1)
    expect(await guard.ready()).toMatchObject({ ready: true, issuers: [{ status: 'fresh' }] })
    await idp.close()
  })
})

test('a network that throws at once makes keys unavailable, and nothing is thrown at the application', async () => {
  let isBroken = true
  const clock = createTestClock()
  const fetch: FetchDocument = () => {
    if (isBroken) throw new TypeError('no network')
    return Promise.resolve(jsonDocument(jwks))
  }
  const guard = createGuard(
    { audience: 'orders', issuers: [{ issuer, jwksUri: `${issuer}/k` }], log: false },
    { clock, fetch },
  )
  expect(await codeFor(guard, tokenOf(issuer))).toBe('issuer_unavailable')
  expect((await guard.ready()).issuers[0]).toMatchObject({ status: 'waiting', problem: 'no network' })
  isBroken = false
  clock.advance(1500)
  expect(await codeFor(guard, tokenOf(issuer))).toBe('allow')
})

test('keys that are given are ready at once, and after close nothing is', async () => {
  const guard = createGuard({ audience: 'orders', issuers: [{ issuer, jwks }], log: false })
  const state = {
    issuer,
    status: 'fresh',
    keys: 1,
    fetchedAt: undefined,
    nextRefreshAt: undefined,
    problem: undefined,
  }
  expect(await guard.ready()).toEqual({ ready: true, issuers: [state], certificates: [], policy: [] })
  guard.close()
  expect(await guard.ready()).toMatchObject({ ready: false })
})

describe('no request is made', () => {
  const calls: string[] = []
  const fetch: FetchDocument = async (url) => {
    calls.push(url.href)
    throw new Error('expected no request')
  }
  const clock = createTestClock()
  const guard = createGuard({ audience: 'orders', issuers: [issuer], log: false }, { clock, fetch })

  test.each([
    ['an unknown issuer', { ...claimsAt(clock), iss: 'https://attacker.test' }, header, 'issuer_unknown'],
    ['an issuer with more behind it', { ...claimsAt(clock), iss: `${issuer}/x` }, header, 'issuer_unknown'],
    ['a token of another type', claimsAt(clock), { ...header, typ: 'JWT' }, 'token_type_mismatch'],
    [
      'an algorithm that is not allowed',
      claimsAt(clock),
      { ...header, alg: 'RS512' },
      'algorithm_not_allowed',
    ],
    ['no algorithm', claimsAt(clock), { ...header, alg: 'none' }, 'algorithm_not_allowed'],
    ['a critical header', claimsAt(clock), { ...header, crit: ['x'] }, 'token_critical_header'],
  ])('for %s', async (_, payload, head, code) => {
    expect(await codeFor(guard, signer.jws(head, payload))).toBe(code)
    expect(calls).toEqual([])
  })

  test('before the first token', () => {
    expect(calls).toEqual([])
  })

  test('to a place that a token names', async () => {
    const places = {
      jku: 'https://attacker.test/k',
      x5u: 'https://attacker.test/c',
      kid: 'https://attacker.test/id',
    }
    await codeFor(guard, signer.jws({ ...header, ...places }, claimsAt(clock)))
    expect(calls).toEqual([`${issuer}${openId}`])
  })
})

describe('a process', () => {
  test.each([
    ['ends by itself with an open guard that has fetched', 'await guard.ready()'],
    ['ends after close, though its issuer never answered', 'void guard.ready(); guard.close()'],
    ['ends after close while a request waits', 'void guard.decide(request, authenticated()); guard.close()'],
  ])('%s', { timeout: 15_000 }, async (_, action) => {
    await using site = await openSite((origin) =>
      action.startsWith('await') ? { [openId]: metadata(origin), '/k': jwks } : { [openId]: () => undefined },
    )
    const program = `
      import { authenticated, createGuard } from '@countersign/core'
      const ca = ${JSON.stringify(site.ca)}
      const guard = createGuard({ audience: 'orders', issuers: [{ issuer: '${site.origin}', ca }], log: false })
      const authorization = 'Bearer ${tokenOf(site.origin)}'
      const request = { headers: { authorization }, rawHeaders: [], socket: {} }
      ${action}
      console.log('done')
    `
    const { stdout } = await promisify(execFile)(
      process.execPath,
      ['--input-type=module', '--no-warnings', '-e', program],
      { cwd: fileURLToPath(new URL('..', import.meta.url)), timeout: 10_000, killSignal: 'SIGKILL' },
    )
    expect(stdout).toBe('done\n')
  })
})

async function listening(): Promise<{ clock: TestClock; idp: TestIssuer; guard: Guard }> {
  const clock = createTestClock()
  const idp = await createTestIssuer({ listen: true, clock })
  const guard = createGuard({ audience: 'orders', issuers: [idp], log: false }, { clock })
  return { clock, idp, guard }
}

async function firstAnswer(site: { origin: string; ca: string }, path = '') {
  const clock = createTestClock()
  const guard = guardOf({ issuer: `${site.origin}${path}`, ca: site.ca }, clock)
  const authorization = `Bearer ${tokenOf(`${site.origin}${path}`)}`
  const decision = await guard.decide(requestWith(authorization), authenticated())
  const { issuers } = await guard.ready()
  return { code: codeOf(decision), problem: issuers[0]?.problem }
}

function guardOf(options: { issuer: string; ca?: string; jwksUri?: string }, clock: TestClock): Guard {
  return createGuard({ audience: 'orders', issuers: [options], log: false }, { clock })
}

const tokenOf = (iss: string): string => signer.jws(header, claimsAt(createTestClock(), iss))

function metadata(origin: string): object {
  return { issuer: origin, jwks_uri: `${origin}/k` }
}

const cutOff: Page = (response) => {
  response.writeHead(200, { 'content-length': '100' })
  response.write('{')
  setImmediate(() => response.destroy())
}
