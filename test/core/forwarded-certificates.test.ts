// A proxy that ends TLS says who called it: who is believed, what is read, and what becomes of it.
import { hash } from 'node:crypto'
import {
  ConfigurationError,
  apache,
  authenticated,
  awsAlb,
  azureAppService,
  azureApplicationGateway,
  caddy,
  createGuard,
  envoy,
  googleLoadBalancer,
  haproxy,
  istioSidecar,
  nginx,
  rfc9440,
  traefik,
  type ForwardedOptions,
  type Guard,
  type GuardOptions,
  type TrustedProxy,
} from '@countersign/core'
import { createTestCa, createTestClock } from '@countersign/testing'
import { describe, expect, test } from 'vitest'
import { codeOf, connectionOf, refusalOf } from './support/asking.ts'
import { createHouse } from './support/house.ts'
import { pemOf } from './support/pem.ts'
import { connectionFrom, forwardedRequest, written } from './support/proxies.ts'

const clock = createTestClock()
const now = new Date(clock.now())
const ca = await createTestCa({ trustDomain: 'prod.example', now })
const intermediate = await ca.intermediate()
const checkout = await ca.svid('/ns/shop/sa/checkout')
const deep = await intermediate.svid('/ns/shop/sa/deep')
const gateway = await ca.svid('/ns/edge/sa/gateway')
const trustDomains = { 'prod.example': ca.bundle }
const from = { addresses: ['10.0.7.0/24'] } as const satisfies TrustedProxy

const guardFor = (forwarded: ForwardedOptions, more: Partial<GuardOptions> = {}): Guard =>
  createGuard(
    {
      certificates: { trustDomains, intermediates: intermediate.chain, forwarded },
      log: false,
      ...more,
    },
    { clock },
  )

type Headers = Parameters<typeof forwardedRequest>[0]
const answer = async (guard: Guard, headers: Headers, socket?: object, authorization?: string) => {
  const decision = await guard.decide(forwardedRequest(headers, socket, authorization), authenticated())
  return decision.outcome === 'allow' ? decision.caller?.id : codeOf(decision)
}

describe.each([
  ['rfc9440', rfc9440({ from }), written.rfc9440],
  ['nginx', nginx({ from }), written.nginx],
  ['apache', apache({ from }), written.apache],
  ['apache, percent-encoded', { ...apache({ from }), format: 'escaped-pem' } as const, written.nginx],
  ['haproxy', haproxy({ from }), written.haproxy],
  ['traefik', traefik({ from }), written.traefik],
  ['caddy', caddy({ from }), written.caddy],
  ['awsAlb, verify', awsAlb({ mode: 'verify', from }), written.albVerify],
  ['awsAlb, passthrough', awsAlb({ mode: 'passthrough', from }), written.albPassthrough],
  ['googleLoadBalancer', googleLoadBalancer({ from }), written.google],
  ['azureApplicationGateway', azureApplicationGateway({ from }), written.azureGateway],
  ['azureAppService', azureAppService({ from }), written.azureAppService],
])('%s', (_, forwarded, write) => {
  test('names the caller whose certificate the proxy forwards', async () => {
    expect(await answer(guardFor(forwarded), write(checkout.chain))).toBe(checkout.spiffeId)
    expect(await answer(guardFor(forwarded), write(deep.chain))).toBe(deep.spiffeId)
  })

  test('believes nobody else', async () => {
    const guard = guardFor(forwarded)
    for (const address of ['10.0.8.9', '::ffff:10.0.8.9', '::1', undefined, 'fe80::1%eth0']) {
      expect(await answer(guard, write(checkout.chain), connectionFrom(address))).toBe('credential_missing')
    }
    expect(await answer(guardFor({ ...forwarded, untrusted: 'refuse' }), write(checkout.chain), {})).toBe(
      'forwarded_certificate_untrusted',
    )
  })

  test('verifies the path, the time and the purpose as for connections', async () => {
    const guard = guardFor(forwarded)
    for (const [kind, code] of [
      ['expired', 'certificate_expired'],
      ['ca-as-leaf', 'svid_not_a_leaf'],
      ['two-uri-sans', 'svid_id_malformed'],
    ] as const) {
      const { chain } = await ca.broken(kind, '/ns/shop/sa/checkout')
      expect(await answer(guard, write(chain)), kind).toBe(code)
    }
    const stranger = await (
      await createTestCa({ trustDomain: 'prod.example', now })
    ).svid('/ns/shop/sa/checkout')
    expect(await answer(guard, write(stranger.chain))).toBe('certificate_untrusted')
  })

  test('refuses whatever could be somebody else’s word', async () => {
    const guard = guardFor(forwarded)
    const [first = ['', ''], ...rest] = write(checkout.chain)
    const [name, value] = first
    const cases: Readonly<Record<string, Headers>> = {
      'two lines': [first, first, ...rest],
      'one line that was joined from two': [[name, `${value}, ${value}`], ...rest],
      'an underscore beside it': [first, [name.replaceAll('-', '_'), value], ...rest],
      'another case with an underscore in its place': [
        [name.toUpperCase().replace('-', '_'), value],
        ...rest,
      ],
      'another format beside it': [first, ['x-apigateway-client-cert', value], ...rest],
    }
    for (const [kind, headers] of Object.entries(cases)) {
      expect(await answer(guard, headers), kind).toMatch(
        /^forwarded_certificate_(ambiguous|malformed|unverified)$/,
      )
    }
  })

  test('has no caller where the proxy forwards no certificate', async () => {
    expect(await answer(guardFor(forwarded), [])).toBe('credential_missing')
    expect(await answer(guardFor(forwarded), [[write(checkout.chain)[0]?.[0] ?? '', '']])).toBe(
      'credential_missing',
    )
  })

  test('takes the word of a proxy that has verified it, for its trust domains alone', async () => {
    const strangers = await createTestCa({ trustDomain: 'prod.example', now })
    const others = await createTestCa({ trustDomain: 'other.example', now })
    const guard = guardFor({ ...forwarded, verifiedByProxy: ['prod.example'] })
    const write2 = async (authority: typeof ca) => write((await authority.svid('/a')).chain)
    expect(await answer(guard, await write2(strangers))).toBe('spiffe://prod.example/a')
    expect(await answer(guard, await write2(others))).toBe('trust_domain_unknown')
    expect(await answer(guard, write((await ca.broken('expired', '/a')).chain))).toBe('certificate_expired')
    expect(await answer(guard, write((await ca.broken('two-uri-sans', '/a')).chain))).toBe(
      'svid_id_malformed',
    )
    expect(await answer(guard, write((await ca.broken('ca-as-leaf', '/a')).chain))).toBe('svid_not_a_leaf')
  })
})

describe('the header in which a proxy says whether it verified', () => {
  const [certificate = ['', ''] as const] = written.nginx(checkout.chain)
  test.each([
    ['absent', []],
    ['empty', [['ssl-client-verify', '']]],
    ['another', [['ssl-client-verify', 'success']]],
    ['FAILED', [['ssl-client-verify', 'FAILED:unable to verify the first certificate']]],
    ['NONE', [['ssl-client-verify', 'NONE']]],
    ['good and bad, joined', [['ssl-client-verify', 'SUCCESS, NONE']]],
  ] as const)('refuses a certificate where it is %s', async (_kind, verify) => {
    expect(await answer(guardFor(nginx({ from })), [certificate, ...verify])).toBe(
      'forwarded_certificate_unverified',
    )
  })

  test.each([
    [[['ssl-client-verify', 'NONE']], 'credential_missing'],
    [[['ssl-client-verify', 'FAILED:certificate has expired']], 'forwarded_certificate_unverified'],
    [[['ssl-client-verify', 'SUCCESS']], 'forwarded_certificate_unverified'],
  ] as const)('%j without a certificate is %s', async (headers, code) => {
    expect(await answer(guardFor(nginx({ from })), headers)).toBe(code)
  })

  test('of Google’s load balancer are three, and all of them count', async () => {
    const guard = guardFor(googleLoadBalancer({ from }))
    const good = written.google(checkout.chain)
    for (const [i, value] of [
      [0, 'false'],
      [1, 'false'],
      [2, 'client_cert_chain_exceeded_limit'],
    ] as const) {
      const headers = good.map((field, at) => (at === i ? ([field[0], value] as const) : field))
      expect(await answer(guard, headers)).toBe('forwarded_certificate_unverified')
      expect(
        await answer(
          guard,
          good.filter((_, at) => at !== i),
        ),
      ).toBe(i === 2 ? checkout.spiffeId : 'forwarded_certificate_unverified')
    }
    const none = [
      ['X-Client-Cert-Present', 'false'],
      ['X-Client-Cert-Chain-Verified', 'false'],
      ['X-Client-Cert-Error', 'client_cert_not_provided'],
    ] as const
    expect(await answer(guard, none)).toBe('credential_missing')
  })

  test('Apache’s word for nothing is no certificate', async () => {
    const headers = [
      ['SSL-Client-Cert', '(null)'],
      ['SSL-Client-Verify', 'NONE'],
    ] as const
    expect(await answer(guardFor(apache({ from })), headers)).toBe('credential_missing')
  })
})

describe('a chain', () => {
  const withoutKnown = (forwarded: ForwardedOptions): Guard =>
    createGuard({ certificates: { trustDomains, forwarded }, log: false }, { clock })

  test('that is forwarded completes the path', async () => {
    for (const [forwarded, write] of [
      [rfc9440({ from }), written.rfc9440],
      [haproxy({ from }), written.haproxy],
      [traefik({ from }), written.traefik],
      [awsAlb({ mode: 'passthrough', from }), written.albPassthrough],
      [googleLoadBalancer({ from }), written.google],
    ] as const) {
      expect(await answer(withoutKnown(forwarded), write(deep.chain))).toBe(deep.spiffeId)
      expect(await answer(withoutKnown(forwarded), write(deep.chain.slice(0, 1)))).toBe(
        'certificate_untrusted',
      )
    }
  })

  test('of RFC 9440 may come in several lines, and never alone', async () => {
    const [cert = ['', ''] as const, chain = ['', ''] as const] = written.rfc9440(deep.chain)
    const guard = withoutKnown(rfc9440({ from }))
    expect(await answer(guard, [cert, chain, chain])).toBe(deep.spiffeId)
    expect(await answer(guard, [chain])).toBe('forwarded_certificate_malformed')
    expect(await answer(guard, [cert, ['client_cert_chain', chain[1]]])).toBe(
      'forwarded_certificate_ambiguous',
    )
  })

  test('of HAProxy comes in one line', async () => {
    const [cert = ['', ''] as const, chain = ['', ''] as const] = written.haproxy(deep.chain)
    expect(await answer(withoutKnown(haproxy({ from })), [cert, chain, chain])).toBe(
      'forwarded_certificate_malformed',
    )
  })
})

describe('Envoy', () => {
  const self = 'spiffe://prod.example/ns/shop/sa/orders'
  const edge = 'spiffe://prod.example/ns/edge/sa/gateway'
  const digest = hash('sha256', checkout.der)
  const escaped = (...all: readonly Uint8Array[]) =>
    `"${encodeURIComponent(all.map((der) => pemOf(der)).join(''))}"`
  const xfcc = (value: string): Headers => [['x-forwarded-client-cert', value]]
  const element = (by: string, more: string) => `By=${by};Hash=${digest};${more}`

  test('forwards a certificate, which counts before its names', async () => {
    const guard = guardFor(envoy({ from }))
    const cert = `Cert=${escaped(checkout.der)}`
    expect(await answer(guard, xfcc(element(edge, `${cert};URI=${checkout.spiffeId}`)))).toBe(
      checkout.spiffeId,
    )
    expect(await answer(guard, xfcc(element(edge, cert)))).toBe(checkout.spiffeId)
    // As Envoy writes it of a certificate in which it finds no URI name.
    expect(await answer(guard, xfcc(element(edge, `${cert};URI=`)))).toBe(checkout.spiffeId)
    expect(
      await answer(guard, xfcc(`Hash=${hash('sha256', deep.der)};Chain=${escaped(...deep.chain)}`)),
    ).toBe(deep.spiffeId)
    expect(await answer(guard, xfcc(element(edge, `${cert};URI=spiffe://prod.example/admin`)))).toBe(
      'forwarded_certificate_mismatch',
    )
    expect(await answer(guard, xfcc(`Hash=${hash('sha256', deep.der)};${cert}`))).toBe(
      'forwarded_certificate_mismatch',
    )
    expect(await answer(guard, xfcc(`By=${edge};${cert}`))).toBe('forwarded_certificate_mismatch')
  })

  test('that names the client in words is believed if it is said to verify', async () => {
    const names = xfcc(element(edge, `URI=${checkout.spiffeId}`))
    expect(await answer(guardFor(envoy({ from })), names)).toBe('forwarded_certificate_unverified')
    const guard = guardFor(envoy({ from, verifiedByProxy: ['prod.example'] }))
    expect(await answer(guard, names)).toBe(checkout.spiffeId)
    for (const [more, code] of [
      ['URI=', 'svid_id_malformed'],
      ['Subject=""', 'svid_id_malformed'],
      ['URI=spiffe://prod.example/a;URI=spiffe://prod.example/b', 'svid_id_malformed'],
      ['URI=;URI=spiffe://prod.example/b', 'svid_id_malformed'],
      ['URI=https://prod.example/a', 'svid_id_malformed'],
      ['URI=spiffe://prod.example', 'svid_id_malformed'],
      ['URI=spiffe://prod.example/a/../b', 'svid_id_malformed'],
      ['URI=spiffe://other.example/a', 'trust_domain_unknown'],
    ] as const) {
      expect(await answer(guard, xfcc(element(edge, more))), more).toBe(code)
    }
  })

  test('writes one element, where its own name is not known', async () => {
    const guard = guardFor(envoy({ from, verifiedByProxy: ['prod.example'] }))
    const one = element(edge, `URI=${checkout.spiffeId}`)
    expect(await answer(guard, xfcc(`${one},${one}`))).toBe('forwarded_certificate_mismatch')
  })

  test('may append: the last element is its own, and those before it are the caller’s word', async () => {
    const guard = guardFor(envoy({ from, self, verifiedByProxy: ['prod.example'] }))
    const own = element(self, `URI=${checkout.spiffeId}`)
    expect(await answer(guard, xfcc(own))).toBe(checkout.spiffeId)
    expect(await answer(guard, xfcc(`${element(edge, 'URI=spiffe://prod.example/admin')},${own}`))).toBe(
      checkout.spiffeId,
    )
    for (const value of [
      element(edge, `URI=${checkout.spiffeId}`),
      `${own},${element(edge, 'URI=spiffe://prod.example/admin')}`,
      `${own},${own}`,
      `By=${self};${own}`,
      `Hash=${digest};URI=${checkout.spiffeId}`,
    ]) {
      expect(await answer(guard, xfcc(value)), value).toBe('forwarded_certificate_mismatch')
    }
  })

  test('may stand behind a gateway whose word counts: each must have talked to the next', async () => {
    const guard = guardFor(envoy({ from, self, relays: [edge], verifiedByProxy: ['prod.example'] }))
    const first = element(edge, `URI=${checkout.spiffeId}`)
    expect(await answer(guard, xfcc(`${first},${element(self, `URI=${edge}`)}`))).toBe(checkout.spiffeId)
    expect(
      await answer(guard, xfcc(`${element('x', 'URI=y')},${first},${element(self, `URI=${edge}`)}`)),
    ).toBe(checkout.spiffeId)
    for (const value of [
      element(self, `URI=${edge}`),
      first,
      // Somebody in the mesh, who brings an element of the gateway along.
      `${first},${element(self, 'URI=spiffe://prod.example/ns/shop/sa/evil')}`,
      `${element('spiffe://prod.example/other', 'URI=spiffe://prod.example/a')},${element(self, `URI=${edge}`)}`,
      `${first},${first},${element(self, `URI=${edge}`)}`,
    ]) {
      expect(await answer(guard, xfcc(value)), value).toBe('forwarded_certificate_mismatch')
    }
  })

  describe('as the sidecar of Istio', () => {
    const istio = istioSidecar({ trustDomain: 'prod.example', self })
    const guard = createGuard({ certificates: { forwarded: istio }, log: false }, { clock })
    const sidecar = connectionFrom('127.0.0.6')
    const value = `By=${self};Hash=${digest};Subject="";URI=${checkout.spiffeId}`

    test('names the caller, without any roots here', async () => {
      expect(await answer(guard, xfcc(value), sidecar)).toBe(checkout.spiffeId)
      expect(await answer(guard, xfcc(value), connectionFrom('::ffff:127.0.0.6'))).toBe(checkout.spiffeId)
      expect(await answer(guard, xfcc(value), connectionFrom('127.0.0.1'))).toBe('credential_missing')
      expect(await answer(guard, xfcc(value.replace(self, edge)), sidecar)).toBe(
        'forwarded_certificate_mismatch',
      )
    })

    test('asks what the mesh is set to where it names nobody', async () => {
      for (const socket of [sidecar, connectionFrom('10.1.2.3')]) {
        const { refusal } = await refusalOf(guard, forwardedRequest([], socket))
        expect(refusal.code).toBe('credential_missing')
        expect(refusal.detail.advice).toMatch(/PeerAuthentication STRICT.*ambient mode\?/)
      }
    })

    test('is believed for five minutes at a time', async () => {
      const decision = await guard.decide(forwardedRequest(xfcc(value), sidecar), authenticated())
      expect(decision).toMatchObject({ caller: { expiresAt: clock.now() + 300_000 } })
    })
  })
})

describe('a proxy', () => {
  const headers = written.rfc9440(checkout.chain)

  test('is known by its certificate, which is never the caller', async () => {
    const spiffeId = gateway.spiffeId
    const guard = guardFor(rfc9440({ from: { spiffeId } }))
    expect(await answer(guard, headers, connectionOf(gateway))).toBe(checkout.spiffeId)
    expect(await answer(guard, [], connectionOf(gateway))).toBe('credential_missing')
    // Anybody else of the mesh is the caller itself, and its headers are nothing.
    expect(await answer(guard, headers, connectionOf(deep))).toBe(deep.spiffeId)
    expect(await answer(guard, headers)).toBe('credential_missing')
    const expired = await ca.broken('expired', '/ns/edge/sa/gateway')
    expect(await answer(guard, headers, connectionOf(expired))).toBe('certificate_expired')
  })

  test('is no longer known when its certificate has ended', async () => {
    const later = createTestClock()
    const short = await ca.svid('/ns/edge/sa/gateway', { notAfter: new Date(later.now() + 60_000) })
    const guard = createGuard(
      {
        certificates: { trustDomains, forwarded: rfc9440({ from: { spiffeId: gateway.spiffeId } }) },
        log: false,
      },
      { clock: later },
    )
    const connection = connectionOf(short)
    expect(await answer(guard, headers, connection)).toBe(checkout.spiffeId)
    expect(await answer(guard, headers, connection)).toBe(checkout.spiffeId)
    later.advance(61_000)
    expect(await answer(guard, headers, connection)).toBe('certificate_expired')
  })

  test('is known by a secret in each request, whose value no log and no answer has', async () => {
    const [old, next] = [
      'k3yLmZ0Q8vTt1xWfN5uHc7rBp2dGs9aE4jYi6oXw',
      'Zq1Wx2Ec3Rv4Tb5Yn6Um7Ik8Ol9P0aSdFgHjKlQe',
    ]
    const guard = guardFor(rfc9440({ from: { secretHeader: 'X-Proxy-Secret', secrets: [old, next] } }))
    const socket = {}
    for (const secret of [old, next]) {
      expect(await answer(guard, [...headers, ['x-proxy-secret', secret]], socket)).toBe(checkout.spiffeId)
    }
    for (const more of [
      [],
      [['x-proxy-secret', '']],
      [['x-proxy-secret', old.slice(0, -1)]],
      [['x-proxy-secret', `${old}x`]],
      [['x-proxy-secret', old.toLowerCase()]],
      [['x_proxy_secret', old]],
      [
        ['x-proxy-secret', old],
        ['x-proxy-secret', old],
      ],
      [['x-proxy-secret', `${old}, ${old}`]],
    ] as const) {
      expect(await answer(guard, [...headers, ...more], socket), JSON.stringify(more)).toBe(
        'credential_missing',
      )
    }
  })

  test.each([
    ['10.0.7.9', true],
    ['::ffff:10.0.7.9', true],
    ['::ffff:a00:709', true],
    ['fd00:7::9', true],
    ['127.0.0.6', true],
    ['10.0.6.255', false],
    ['10.0.8.0', false],
    ['::10.0.7.9', false],
    ['fd00:8::9', false],
    ['fd00:7::9%eth0', false],
    ['127.0.0.1', false],
    ['', false],
    ['10.0.7', false],
    ['nonsense', false],
  ])('at %s is known: %s', async (address, isKnown) => {
    const guard = guardFor(rfc9440({ from: { addresses: ['10.0.7.0/24', 'fd00:7::/64', '127.0.0.6'] } }))
    expect(await answer(guard, headers, connectionFrom(address))).toBe(
      isKnown ? checkout.spiffeId : 'credential_missing',
    )
  })

  test('on a unix socket is known by its path alone: no address proves nothing', async () => {
    const guard = guardFor(rfc9440({ from: { unixSocket: '/run/orders.sock' } }))
    const server = (address: unknown) => ({ server: { address: () => address } })
    expect(await answer(guard, headers, server('/run/orders.sock'))).toBe(checkout.spiffeId)
    for (const socket of [
      {},
      server('/run/other.sock'),
      server(null),
      server({ port: 1 }),
      { server: {} },
      { server: null },
      { ...server('/run/orders.sock'), remoteAddress: '10.0.7.9' },
    ]) {
      expect(await answer(guard, headers, socket)).toBe('credential_missing')
    }
  })
})

describe('what is remembered', () => {
  test('of a proxy’s connection is never the caller before', async () => {
    const guard = guardFor(rfc9440({ from }))
    const socket = connectionFrom('10.0.7.9')
    for (let i = 0; i < 3; i += 1) {
      expect(await answer(guard, written.rfc9440(checkout.chain), socket)).toBe(checkout.spiffeId)
      expect(await answer(guard, written.rfc9440(deep.chain), socket)).toBe(deep.spiffeId)
      expect(await answer(guard, [], socket)).toBe('credential_missing')
    }
  })

  test('answers at once the second time, and ends with the certificate', async () => {
    const later = createTestClock()
    const guard = createGuard(
      { certificates: { trustDomains, forwarded: rfc9440({ from }) }, log: false },
      { clock: later },
    )
    const headers = written.rfc9440((await ca.svid('/a', { notAfter: new Date(later.now() + 60_000) })).chain)
    const socket = connectionFrom('10.0.7.9')
    await guard.decide(forwardedRequest(headers, socket), authenticated())
    for (const connection of [socket, connectionFrom('10.0.7.10')]) {
      expect(guard.decide(forwardedRequest(headers, connection), authenticated())).toMatchObject({
        outcome: 'allow',
      })
    }
    later.advance(61_000)
    expect(await answer(guard, headers, socket)).toBe('certificate_expired')
  })
})

describe('tokens beside a forwarded certificate', () => {
  const house = createHouse({
    clock,
    issuerOptions: { workloadClaim: 'spiffe_id', trustDomains: ['prod.example'] },
    guardOptions: { certificates: { trustDomains, forwarded: rfc9440({ from }) } },
  })
  const { guard } = house
  const tokenOf = (claims: Readonly<Record<string, unknown>>) => `Bearer ${house.token(claims)}`

  test('must name the same workload', async () => {
    const headers = written.rfc9440(checkout.chain)
    expect(await answer(guard, headers, undefined, tokenOf({ spiffe_id: checkout.spiffeId }))).toBe(
      checkout.spiffeId,
    )
    expect(await answer(guard, headers, undefined, tokenOf({ spiffe_id: deep.spiffeId }))).toBe(
      'identity_mismatch',
    )
  })

  test('may be bound to it, and not to the proxy’s', async () => {
    const bound = (der: Uint8Array) =>
      tokenOf({ spiffe_id: checkout.spiffeId, cnf: { 'x5t#S256': hash('sha256', der, 'base64url') } })
    const socket = { ...connectionFrom('10.0.7.9'), ...connectionOf(gateway) }
    const headers = written.rfc9440(checkout.chain)
    expect(await answer(guard, headers, socket, bound(checkout.der))).toBe(checkout.spiffeId)
    expect(await answer(guard, headers, socket, bound(gateway.der))).toBe('certificate_binding_mismatch')
    expect(await answer(guard, [], socket, bound(checkout.der))).toBe('certificate_binding_missing')
  })

  test('may be bound to one of which a proxy tells the digest alone', async () => {
    const forwarded = envoy({ from, verifiedByProxy: ['prod.example'] })
    const inWords = createHouse({
      clock,
      issuerOptions: { workloadClaim: 'spiffe_id', trustDomains: ['prod.example'] },
      guardOptions: { certificates: { trustDomains, forwarded } },
    })
    const ask = (der: Uint8Array) => {
      const cnf = { 'x5t#S256': hash('sha256', der, 'base64url') }
      const token = inWords.token({ spiffe_id: checkout.spiffeId, cnf })
      const value = `Hash=${hash('sha256', checkout.der)};URI=${checkout.spiffeId}`
      return answer(inWords.guard, [['x-forwarded-client-cert', value]], undefined, `Bearer ${token}`)
    }
    expect(await ask(checkout.der)).toBe(checkout.spiffeId)
    expect(await ask(deep.der)).toBe('certificate_binding_mismatch')
  })
})

describe('options', () => {
  const wrong = (certificates: unknown): string => {
    try {
      createGuard({ certificates, log: false } as GuardOptions) // what TypeScript would not let a user write
    } catch (error) {
      if (error instanceof ConfigurationError) return error.message
      throw error
    }
    return 'accepted'
  }
  const secret = 'k3yLmZ0Q8vTt1xWfN5uHc7rBp2dGs9aE4jYi6oXw'

  test.each([
    [{ format: 'guess' }, "`certificates.forwarded.format`: expected one of 'xfcc', 'rfc9440'"],
    [{ from: undefined }, '`certificates.forwarded.from`: expected one of { spiffeId }'],
    [{ from: {} }, 'none of these, or more than one'],
    [{ from: { addresses: ['10.0.0.1'], unixSocket: '/a' } }, 'none of these, or more than one'],
    [{ from: { secretHeader: 'x-a' } }, 'none of these, or more than one'],
    [{ from: { addresses: [] } }, '`certificates.forwarded.from.addresses`: expected at least one'],
    [{ from: { addresses: ['0.0.0.0/0'] } }, 'a range of /0 would believe strangers'],
    [{ from: { addresses: ['::/0'] } }, 'a range of /0 would believe strangers'],
    [{ from: { addresses: ['10.0.0.0/33'] } }, 'expected an IP address, or a range'],
    [{ from: { addresses: ['10.0.0.0/08'] } }, 'expected an IP address, or a range'],
    [{ from: { addresses: ['10.0.0.0/24/1'] } }, 'expected an IP address, or a range'],
    [
      { from: { addresses: ['proxy.internal'] } },
      '`certificates.forwarded.from.addresses[0]`: expected an IP address',
    ],
    [{ from: { addresses: ['fe80::1%eth0'] } }, 'expected an IP address, or a range'],
    [{ from: { addresses: ['::ffff:10.0.0.1'] } }, 'write the IPv4 address'],
    [
      { from: { spiffeId: 'spiffe://other.example/a' } },
      'add `other.example` to `certificates.trustDomains`',
    ],
    [{ from: { spiffeId: 'spiffe://prod.example' } }, 'expected a SPIFFE ID such as'],
    [{ from: { spiffeId: 'spiffe://prod.example/*' } }, 'expected a SPIFFE ID such as'],
    [{ from: { unixSocket: '' } }, '`certificates.forwarded.from.unixSocket`: expected the path'],
    [{ from: { secretHeader: 'x_secret', secrets: [secret] } }, 'expected the name of a header'],
    [
      { from: { secretHeader: 'x-secret', secrets: ['short'] } },
      'secrets[0]`: expected at least 32 random characters',
    ],
    [
      { from: { secretHeader: 'x-secret', secrets: ['a'.repeat(40)] } },
      'expected at least 32 random characters',
    ],
    [{ from: { secretHeader: 'x-secret', secrets: [secret, `${secret} ,`] } }, 'secrets[1]`'],
    [{ from: { secretHeader: 'Client-Cert', secrets: [secret] } }, 'the secret needs a header of its own'],
    [{ header: 'client_cert' }, '`certificates.forwarded.header`: expected the name of a header'],
    [{ header: 'client-cert-chain' }, 'is named for two purposes'],
    [{ verification: [{ header: 'x-ok', verified: '1', none: '1' }] }, 'expected two values that differ'],
    [{ verification: [{ header: 'x-ok', verifed: '1' }] }, 'there is no such option'],
    [{ format: 'base64-list' }, 'this format has the chain beside the certificate'],
    [{ self: 'spiffe://prod.example/a' }, '`certificates.forwarded.self`: there is no such option'],
    [{ untrusted: 'keep' }, "expected one of 'delete', 'refuse'"],
    [{ sidecarOf: 'linkerd' }, "expected one of 'istio'"],
    [{ verifiedByProxy: [] }, '`certificates.forwarded.verifiedByProxy`: expected trust domains'],
    [{ verifiedByProxy: ['spiffe://prod.example'] }, 'expected trust domains'],
  ])('%j: %s', (changes, message) => {
    const said = wrong({ trustDomains, forwarded: { ...rfc9440({ from }), ...changes } })
    expect(said).toContain(message)
    expect(said).not.toContain(secret)
  })

  test.each([
    [{ relays: ['spiffe://prod.example/a'] }, '`certificates.forwarded.self`: relays are told'],
    [{ self: 'gateway' }, '`certificates.forwarded.self`: expected a SPIFFE ID'],
    [
      { self: 'spiffe://prod.example/a', relays: ['b'] },
      '`certificates.forwarded.relays[0]`: expected a SPIFFE ID',
    ],
    [{ self: 'spiffe://prod.example/a', relays: ['spiffe://prod.example/a'] }, 'it is named twice'],
    [{ header: 'x' }, '`certificates.forwarded.header`: there is no such option'],
  ])('of Envoy: %j: %s', (changes, message) => {
    expect(wrong({ trustDomains, forwarded: { ...envoy({ from }), ...changes } })).toContain(message)
  })

  test('ask for roots, unless the proxy has verified everything', () => {
    expect(wrong({ forwarded: rfc9440({ from }) })).toContain(
      '`certificates.trustDomains`: forwarded certificates are verified here',
    )
    expect(wrong({ forwarded: rfc9440({ from, verifiedByProxy: ['prod.example'] }) })).toBe('accepted')
    expect(wrong({})).toContain('certificates.trustDomains')
  })

  test('of presets say what is missing', () => {
    expect(() => awsAlb({ mode: 'open' as 'verify', from })).toThrow(
      /`awsAlb.mode`: expected 'verify' or 'passthrough'/,
    )
    expect(() => awsAlb({ mode: 'passthrough', from, verifiedByProxy: ['prod.example'] })).toThrow(
      /verifies nothing/,
    )
    expect(() => istioSidecar({ trustDomain: 'prod.example' } as Parameters<typeof istioSidecar>[0])).toThrow(
      /`istioSidecar.self`/,
    )
  })
})
