// What a proxy's word is worth, for how long, and what is told where it is worth nothing.
import { hash } from 'node:crypto'
import { BlockList } from 'node:net'
import {
  authenticated,
  createGuard,
  envoy,
  rfc9440,
  type ForwardedOptions,
  type Guard,
  type GuardOptions,
  type TrustedProxy,
} from '@countersign/core'
import { createTestCa, createTestClock, type TestClock } from '@countersign/testing'
import { describe, expect, test } from 'vitest'
import { xfccHeader } from '../../packages/core/src/evidence/forwarded/xfcc-hops.ts'
import { ForwardedTrust } from '../../packages/core/src/identity/forwarded/forwarded-trust.ts'
import { TrustedProxies, type ProxyRule } from '../../packages/core/src/identity/forwarded/trusted-proxies.ts'
import { codeOf, refusalOf } from './support/asking.ts'
import { pemOf } from './support/pem.ts'
import { connectionFrom, forwardedRequest, written } from './support/proxies.ts'

const start = createTestClock().now()
const ca = await createTestCa({ trustDomain: 'prod.example', now: new Date(start) })
const checkout = await ca.svid('/checkout')
const trustDomains = { 'prod.example': ca.bundle }
const from = { addresses: ['10.0.7.0/24'] } as const satisfies TrustedProxy
const verifiedByProxy = ['prod.example', 'lab.example'] as const

const guardFor = (
  forwarded: ForwardedOptions,
  clock: TestClock = createTestClock(),
  certificates: Partial<GuardOptions['certificates']> = {},
): Guard => createGuard({ certificates: { trustDomains, forwarded, ...certificates }, log: false }, { clock })

type Headers = Parameters<typeof forwardedRequest>[0]
const ask = async (guard: Guard, headers: Headers, socket?: object) => {
  const decision = await guard.decide(forwardedRequest(headers, socket), authenticated())
  return decision.outcome === 'allow' ? decision.caller : codeOf(decision)
}
const told = async (guard: Guard, headers: Headers, socket?: object) => {
  const { refusal } = await refusalOf(guard, forwardedRequest(headers, socket))
  return { code: refusal.code, ...refusal.detail }
}
const xfcc = (value: string): Headers => [['x-forwarded-client-cert', value]]
const named = (uri: string): Headers => xfcc(`Hash=${hash('sha256', checkout.der)};URI=${uri}`)
const shown = (der: Uint8Array, uri: string): Headers =>
  xfcc(`Hash=${hash('sha256', der)};Cert="${encodeURIComponent(pemOf(der))}";URI=${uri}`)

describe('the word of a proxy that has verified its client', () => {
  test('counts for five minutes, on whichever connection it is said again', async () => {
    const clock = createTestClock()
    for (const [forwarded, headers] of [
      [envoy({ from, verifiedByProxy }), named(checkout.spiffeId)],
      [rfc9440({ from, verifiedByProxy }), written.rfc9440(checkout.chain)],
    ] as const) {
      const guard = guardFor(forwarded, clock)
      const since = clock.now()
      expect(await ask(guard, headers)).toMatchObject({ expiresAt: since + 300_000 })
      clock.advance(300_000)
      expect(await ask(guard, headers)).toMatchObject({ expiresAt: since + 300_000 })
      clock.advance(1)
      expect(await ask(guard, headers)).toMatchObject({ expiresAt: since + 600_001 })
    }
  })

  test('counts no longer than the certificate, from its first moment to its last', async () => {
    const clock = createTestClock()
    const [notBefore, notAfter] = [new Date(start + 60_000), new Date(start + 120_000)]
    const { chain, spiffeId } = await ca.svid('/short', { notBefore, notAfter })
    const guard = () => guardFor(rfc9440({ from, verifiedByProxy }), clock)
    const answers = async () => await ask(guard(), written.rfc9440(chain))
    clock.set(new Date(notBefore.getTime() - 1))
    expect(await answers()).toBe('certificate_not_yet_valid')
    clock.set(notBefore)
    expect(await answers()).toMatchObject({ id: spiffeId, expiresAt: notAfter.getTime() })
    clock.set(notAfter)
    expect(await answers()).toMatchObject({ id: spiffeId, expiresAt: notAfter.getTime() })
    clock.advance(1)
    expect(await answers()).toBe('certificate_expired')
  })

  test('about somebody else is not taken for what it said before', async () => {
    const guard = guardFor(envoy({ from, verifiedByProxy }))
    for (const uri of ['spiffe://prod.example/a', 'spiffe://prod.example/b', 'spiffe://prod.example/a']) {
      expect(await ask(guard, named(uri))).toMatchObject({ id: uri })
    }
  })

  test('that is refused stays refused', async () => {
    const guard = guardFor(envoy({ from, verifiedByProxy }))
    for (let i = 0; i < 2; i += 1) {
      expect(await told(guard, named('spiffe://other.example/a'))).toEqual({
        code: 'trust_domain_unknown',
        expected: '"prod.example" or "lab.example"',
        actual: '"other.example"',
        advice:
          'name the trust domain in `certificates.forwarded.verifiedByProxy` if the proxy may vouch for it',
      })
    }
  })

  test('is worth nothing beside a certificate that says otherwise', async () => {
    const guard = guardFor(rfc9440({ from, verifiedByProxy }))
    const inTime = { expected: 'a certificate in time' }
    const cases = {
      expired: { code: 'certificate_expired', ...inTime },
      'not-yet-valid': { code: 'certificate_not_yet_valid', ...inTime },
      'ca-as-leaf': { code: 'svid_not_a_leaf', expected: 'cA false', actual: 'cA true' },
      'no-san': { code: 'svid_id_malformed', expected: 'exactly one URI name' },
      'two-uri-sans': { code: 'svid_id_malformed', expected: 'exactly one URI name' },
    } as const
    for (const [kind, expected] of Object.entries(cases)) {
      const { chain } = await ca.broken(kind as keyof typeof cases, '/a') // its own keys
      expect(await told(guard, written.rfc9440(chain)), kind).toEqual(expected)
    }
    expect(await ask(guard, [['Client-Cert', ':QQ==:']])).toBe('certificate_malformed')
  })

  test('is not enough where it was not said to be', async () => {
    expect(await told(guardFor(envoy({ from })), named(checkout.spiffeId))).toEqual({
      code: 'forwarded_certificate_unverified',
      expected: 'the certificate itself, to be verified here',
      actual: 'a name alone',
      advice:
        'have the proxy forward the certificate (Envoy: `cert: true, chain: true`), or write `verifiedByProxy` if its word is enough',
    })
  })
})

describe('a name beside the certificate that a proxy forwards', async () => {
  const corp = await createTestCa({ name: 'Corp', now: new Date(start) })
  const dns = (value: string) => ({ type: 'dns' as const, value })
  const url = (value: string) => ({ type: 'url' as const, value })
  const authorities = { corp: { roots: corp.bundle, identity: 'dns' } } as const
  const guard = guardFor(envoy({ from }), undefined, { authorities })
  const portal = await corp.svid('/portal', { names: [dns('portal.corp'), url('https://portal.corp/')] })

  test('is not the caller’s, where an authority names it otherwise', async () => {
    const id = 'x509:corp#dns=portal.corp'
    for (const uri of ['https://portal.corp/', 'http://a/?spiffe://prod.example/a', '']) {
      expect(await ask(guard, shown(portal.der, uri)), uri).toMatchObject({ id })
    }
  })

  test('must not be the ID of a workload that it is not', async () => {
    const victim = 'spiffe://prod.example/admin'
    const refusal = { code: 'forwarded_certificate_mismatch' }
    expect(await told(guard, shown(checkout.der, victim))).toEqual({
      ...refusal,
      expected: `"${checkout.spiffeId}", as the certificate says`,
      actual: `"${victim}"`,
    })
    expect(await told(guard, shown(checkout.der, 'https://portal.corp/'))).toMatchObject(refusal)
    for (const uri of [victim, 'SPIFFE://prod.example/admin', 'spiffe:']) {
      expect(await told(guard, shown(portal.der, uri)), uri).toMatchObject(refusal)
    }
  })
})

describe('a credential that is missing', () => {
  const advice =
    'have the proxy ask its clients for certificates and forward them as the preset says; or have the caller send `Authorization: Bearer <token>`'

  test('is told by the way that the request came', async () => {
    const guard = guardFor(rfc9440({ from }))
    const missing = { code: 'credential_missing', expected: 'a credential', advice }
    expect(await told(guard, [])).toEqual({
      ...missing,
      actual: 'none, through a trusted proxy that forwards no certificate',
    })
    expect(await told(guard, [], connectionFrom('10.0.8.1'))).toEqual({
      ...missing,
      actual: 'none, from somebody whom `certificates.forwarded.from` does not name',
    })
  })

  test('is not asked for where a stranger forwards one, if that is refused', async () => {
    const guard = guardFor(rfc9440({ from, untrusted: 'refuse' }))
    expect(await told(guard, written.rfc9440(checkout.chain), connectionFrom('10.0.8.1'))).toEqual({
      code: 'forwarded_certificate_untrusted',
      expected: 'certificate headers from whom `certificates.forwarded.from` names',
      actual: 'from somebody else',
      advice: 'if this was the proxy, correct `from`; if not, somebody tries to pass for a caller',
    })
  })
})

describe('a proxy that is known by its address', () => {
  const headers = written.rfc9440(checkout.chain)

  test('stays known when its connection has gone and shows none any more', async () => {
    const guard = guardFor(rfc9440({ from }))
    const socket: { remoteAddress: string | undefined } = { remoteAddress: '10.0.7.9' }
    expect(await ask(guard, headers, socket)).toMatchObject({ id: checkout.spiffeId })
    socket.remoteAddress = undefined
    expect(await ask(guard, headers, socket)).toMatchObject({ id: checkout.spiffeId })
  })

  test('is not known for having asked before', async () => {
    const guard = guardFor(rfc9440({ from }))
    const socket = connectionFrom('10.0.8.1')
    for (let i = 0; i < 3; i += 1) expect(await ask(guard, headers, socket)).toBe('credential_missing')
  })

  test('is not asked for a certificate of its own', async () => {
    const guard = guardFor(rfc9440({ from }))
    const getPeerCertificate = (): never => {
      throw new Error('nobody needs it')
    }
    const socket = { ...connectionFrom('10.0.7.9'), getPeerCertificate }
    expect(await ask(guard, headers, socket)).toMatchObject({ id: checkout.spiffeId })
  })

  test('is told by an address, or by a path, and by nothing else that stands there', async () => {
    const unixSocket = '/run/orders.sock'
    for (const socket of [
      { remoteAddress: 5 },
      { remoteAddress: ['10.0.7.9'] },
      { server: { address: unixSocket } },
    ]) {
      expect(await ask(guardFor(rfc9440({ from })), headers, socket)).toBe('credential_missing')
      expect(await ask(guardFor(rfc9440({ from: { unixSocket } })), headers, socket)).toBe(
        'credential_missing',
      )
    }
  })
})

test('no handler sees the headers of the format, nor the secret that a proxy is known by', () => {
  const headersOf = (rule: ProxyRule): readonly string[] =>
    new ForwardedTrust({
      proxies: new TrustedProxies(rule),
      format: xfccHeader({ self: undefined, relays: [] }),
      verify: () => {
        throw new Error('nobody asks')
      },
      refusesStrangers: false,
      adviceWhereAbsent: undefined,
    }).headers
  expect(headersOf({ kind: 'addresses', addresses: new BlockList() })).toEqual(['x-forwarded-client-cert'])
  expect(headersOf({ kind: 'secret', header: 'x-secret', secrets: [] })).toEqual([
    'x-forwarded-client-cert',
    'x-secret',
  ])
})
