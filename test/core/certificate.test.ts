import { Agent } from 'node:https'
import { webcrypto } from 'node:crypto'
import { authenticated, callerOptional, createGuard, type Guard, type GuardOptions } from '@countersign/core'
import {
  brokenCertificateKinds,
  brokenIntermediateKinds,
  createTestCa,
  createTestClock,
  createTestIssuer,
  type BrokenCertificateKind,
  type BrokenIntermediateKind,
  type CertificateOptions,
  type TestCa,
  type TestSvid,
} from '@countersign/testing'
import {
  BasicConstraintsExtension,
  KeyUsageFlags,
  KeyUsagesExtension,
  SubjectAlternativeNameExtension,
  X509CertificateGenerator,
  X509CrlGenerator,
} from '@peculiar/x509'
import { afterAll, describe, expect, test } from 'vitest'
import type { PeerCertificate } from '../../packages/core/src/evidence/peer-certificate.ts'
import type { CertificateTrust } from '../../packages/core/src/identity/peer/certificate-trust.ts'
import { Refusal } from '../../packages/core/src/refusal.ts'
import { trustIn } from './support/certificate-trust.ts'
import { codeOf, present, requestWith } from './support/asking.ts'
import { derOf } from './support/spiffe-bundle.ts'
import { openTls, sessionOf, type TlsHouse } from './support/tls.ts'

// Handshakes happen in real time, whatever the guard's clock shows, so these certificates are of the real present.
const ca = await createTestCa({ trustDomain: 'prod.example' })
const checkout = await ca.svid('/ns/shop/sa/checkout')

const houses: TlsHouse[] = []
afterAll(async () => {
  await Promise.all(houses.map((house) => house.close()))
})

describe('over TLS, a certificate', async () => {
  const guard = guardOf({ 'prod.example': ca.bundle })
  const house = await opened(guard)
  const codes: Record<BrokenCertificateKind, string> = {
    expired: 'certificate_expired',
    'not-yet-valid': 'certificate_not_yet_valid',
    'two-uri-sans': 'svid_id_malformed',
    'no-san': 'svid_id_malformed',
    'cn-only': 'svid_id_malformed',
    'ca-as-leaf': 'svid_not_a_leaf',
    'cert-sign-usage': 'svid_not_a_leaf',
    'no-digital-signature': 'certificate_purpose_mismatch',
    'no-key-usage': 'certificate_purpose_mismatch',
    'server-auth-only': 'certificate_purpose_mismatch',
    'unknown-critical-extension': 'certificate_extension_unsupported',
    'root-path-id': 'svid_id_malformed',
    'upper-case-trust-domain': 'svid_id_malformed',
    'foreign-trust-domain': 'trust_domain_unknown',
    'weak-key': 'certificate_algorithm_weak',
    'sha1-signature': 'certificate_algorithm_weak',
    'self-signed': 'certificate_untrusted',
  }

  test('that is correct names its caller', async () => {
    expect(await house.call(checkout)).toMatchObject({
      code: 'allow',
      caller: 'spiffe://prod.example/ns/shop/sa/checkout',
    })
  })

  test('that is absent is a missing credential', async () => {
    expect(await house.call()).toMatchObject({ code: 'credential_missing', hasCertificate: false })
  })

  test.each(brokenCertificateKinds)('that is %s is refused for that reason', async (kind) => {
    const broken = await ca.broken(kind, '/checkout')
    expect(await house.call(broken)).toMatchObject({ code: codes[kind] })
  })

  test.each(brokenCertificateKinds)('that is %s does not make its sender nobody', async (kind) => {
    const lenient = await opened(guard, callerOptional('public prices, private discounts'))
    expect(await lenient.call(await ca.broken(kind, '/checkout'))).toMatchObject({ code: codes[kind] })
  })

  test('that is broken is not made good by a token beside it', async () => {
    const idp = await createTestIssuer({ represents: 'user' })
    const both = createGuard({
      audience: 'orders',
      issuers: [idp],
      certificates: { trustDomains: { 'prod.example': ca.bundle } },
      log: false,
    })
    const { authorization } = await idp.headersFor('checkout')
    const mixed = await opened(both)
    expect(await mixed.call({ authorization })).toMatchObject({ code: 'allow' })
    const expired = await ca.broken('expired', '/checkout')
    expect(await mixed.call({ ...expired, authorization })).toMatchObject({ code: 'certificate_expired' })
  })

  test('that OpenSSL refuses for a reason of its own is refused, even where its path is good', async () => {
    const strict = await opened(guard, authenticated(), { crl: await crlOfStranger() })
    expect(await strict.call(checkout)).toMatchObject({
      code: 'certificate_rejected_by_tls',
      authorized: false,
    })
  })

  test('is refused with 403 and no challenge where the guard takes no tokens', async () => {
    const decision = await guard.decide(requestWith(), authenticated())
    expect(decision).toMatchObject({ refusal: { code: 'credential_missing' }, response: { status: 403 } })
    expect(decision.outcome === 'deny' && decision.response.headers['www-authenticate']).toBeUndefined()
  })

  test('of a connection without TLS does not exist, whatever the socket says', async () => {
    const socket = { authorized: true, encrypted: true, getPeerX509Certificate: () => checkout.der }
    expect(codeOf(await guard.decide(requestWith(undefined, socket), authenticated()))).toBe(
      'credential_missing',
    )
  })
})

describe('an intermediate', async () => {
  const codes: Record<BrokenIntermediateKind, string> = {
    'not-a-ca': 'certificate_issuer_not_authorized',
    'no-cert-sign': 'certificate_issuer_not_authorized',
    'path-length-exceeded': 'certificate_issuer_not_authorized',
    expired: 'certificate_expired',
    'name-constraints-violated': 'certificate_name_not_permitted',
  }

  test.each(brokenIntermediateKinds)('that is %s makes its SVIDs refused', async (kind) => {
    const issuing = await ca.brokenIntermediate(kind)
    expect(verdict(await issuing.svid('/checkout'))).toBe(codes[kind])
  })

  test.each(brokenIntermediateKinds)('that is %s is no better for being configured', async (kind) => {
    const issuing = await ca.brokenIntermediate(kind)
    const guard = guardOf({ 'prod.example': ca.bundle }, issuing.chain)
    const house = await opened(guard)
    expect(await house.call(await issuing.svid('/checkout'))).toMatchObject({ code: codes[kind] })
  })

  test('completes a path, two of them as well', async () => {
    const issuing = await ca.intermediate()
    const below = await issuing.intermediate()
    expect(verdict(await issuing.svid('/checkout'))).toBe('spiffe://prod.example/checkout')
    expect(verdict(await below.svid('/checkout'))).toBe('spiffe://prod.example/checkout')
    // Once for all connections, for as long as its root serves.
    const [verify, now] = [verifierOf({ 'prod.example': ca }), Date.now()]
    const peer = peerOf(await below.svid('/checkout'))
    expect(verify(peer, now)).toBe(verify(peer, now))
  })

  test('that is not shown and not configured leaves the path open', async () => {
    const issuing = await ca.intermediate()
    const { der } = await issuing.svid('/checkout')
    expect(verdictOf({ leaf: der, chain: [], tlsError: undefined })).toBe('certificate_untrusted')
  })

  test('that is configured completes what the connection does not show', async () => {
    const issuing = await ca.intermediate()
    const svid = await issuing.svid('/checkout')
    const leafOnly = {
      cert: `${svid.cert.split('-----END CERTIFICATE-----')[0]}-----END CERTIFICATE-----\n`,
      key: svid.key,
    }
    const with_ = await opened(guardOf({ 'prod.example': ca.bundle }, issuing.chain))
    expect(await with_.call(leafOnly)).toMatchObject({ code: 'allow' })
    const without = await opened(guardOf({ 'prod.example': ca.bundle }))
    expect(await without.call(leafOnly)).toMatchObject({ code: 'certificate_untrusted' })
  })

  test('that is configured is trusted for nothing', async () => {
    const stranger = await createTestCa({ trustDomain: 'prod.example', name: 'Stranger' })
    const guard = guardOf(
      { 'prod.example': ca.bundle },
      `${stranger.bundle}${(await stranger.intermediate()).chain}`,
    )
    expect(await (await opened(guard)).call(await stranger.svid('/checkout'))).toMatchObject({
      code: 'certificate_untrusted',
    })
  })

  test.each([
    ['for servers only', { purposes: ['serverAuth'] }, 'certificate_issuer_not_authorized'],
    ['for any purpose', { purposes: ['any'] }, 'allow'],
    ['for clients', { purposes: ['clientAuth'] }, 'allow'],
    ['without keyUsage', { keyUsages: [] }, 'allow'],
    ['with a weak key', { keys: 'rsa-1024' }, 'certificate_algorithm_weak'],
    [
      'with an unknown critical extension',
      { extensions: [{ oid: '1.2.3.4', critical: true, value: Uint8Array.of(5, 0) }] },
      'certificate_extension_unsupported',
    ],
    [
      'with an unknown extension that is not critical',
      { extensions: [{ oid: '1.2.3.4', critical: false, value: Uint8Array.of(5, 0) }] },
      'allow',
    ],
  ] satisfies [string, CertificateOptions, string][])('%s counts accordingly', async (_, options, code) => {
    const issuing = await ca.intermediate(options)
    const answer = verdict(await issuing.svid('/checkout'))
    expect(answer.startsWith('spiffe:') ? 'allow' : answer).toBe(code)
  })

  test('limits the SVIDs below it to its own time', async () => {
    const now = Date.now()
    const notAfter = new Date(Math.floor(now / 1000) * 1000 + 600_000)
    const svid = await (await ca.intermediate({ notAfter })).svid('/checkout')
    const verified = verifierOf({ 'prod.example': ca })(peerOf(svid), now)
    expect(verified).toMatchObject({ expiresAt: notAfter.getTime() })
  })

  test('beyond the depth that is looked at is not found, and nothing runs away', async () => {
    let deep: TestCa = ca
    for (let i = 0; i < 9; i += 1) deep = await deep.intermediate()
    expect(verdict(await deep.svid('/checkout'))).toBe('certificate_untrusted')
  })

  test('of the same name as a hundred strangers is looked for within bounds', async () => {
    const strangers = await Promise.all(
      Array.from(
        { length: 9 },
        async () => await (await createTestCa({ trustDomain: 'prod.example' })).intermediate(),
      ),
    )
    const issuing = await ca.intermediate()
    const svid = await issuing.svid('/checkout')
    const pool = (await Promise.all(strangers.map((each) => each.svid('/x')))).flatMap(({ chain }) =>
      chain.slice(1),
    )
    const answer = verdictOf({
      leaf: svid.der,
      chain: [...pool, ...svid.chain.slice(1)],
      tlsError: undefined,
    })
    expect(answer).toBe('spiffe://prod.example/checkout')
  })
})

describe('two trust domains', async () => {
  const lab = await createTestCa({ trustDomain: 'lab.example' })
  const guard = guardOf({ 'prod.example': ca.bundle, 'lab.example': lab.bundle })
  const house = await opened(guard)

  test('each vouch for their own workloads', async () => {
    expect(await house.call(checkout)).toMatchObject({ caller: checkout.spiffeId })
    expect(await house.call(await lab.svid('/tester'))).toMatchObject({
      caller: 'spiffe://lab.example/tester',
    })
  })

  test('never vouch for each other, though OpenSSL trusts the roots of both', async () => {
    const names = [{ type: 'url' as const, value: 'spiffe://prod.example/ns/shop/sa/checkout' }]
    const forged = await lab.svid('/tester', { names })
    expect(await house.call(forged)).toMatchObject({ code: 'certificate_untrusted', authorized: true })
  })

  test('never vouch for each other through an intermediate, even of the same name', async () => {
    const names = [{ type: 'url' as const, value: 'spiffe://prod.example/checkout' }]
    const forged = await (await lab.intermediate()).svid('/tester', { names })
    expect(verdict(forged, { 'prod.example': ca, 'lab.example': lab })).toBe('certificate_untrusted')
    const namesake = await createTestCa({ trustDomain: 'prod.example' })
    expect(verdict(await namesake.svid('/checkout'))).toBe('certificate_untrusted')
  })
})

describe('a connection that stays open', () => {
  test('loses its caller the moment the certificate has expired', async () => {
    const clock = createTestClock(new Date())
    const notAfter = new Date(Math.floor(Date.now() / 1000) * 1000 + 600_000)
    const svid = await ca.svid('/checkout', { notAfter })
    const house = await opened(guardOf({ 'prod.example': ca.bundle }, undefined, clock))
    const agent = new Agent({ keepAlive: true, maxSockets: 1 })
    const call = async () => (await house.call({ cert: svid.cert, key: svid.key, agent })).code
    expect(await call()).toBe('allow')
    clock.set(notAfter)
    expect(await call()).toBe('allow') // the last moment is part of it (RFC 5280 §4.1.2.5)
    clock.advance(1)
    expect(await call()).toBe('certificate_expired')
    expect(await call()).toBe('certificate_expired')
    agent.destroy()
  })

  test('has a caller as soon as the certificate is valid', async () => {
    const clock = createTestClock(new Date())
    const notBefore = new Date(Math.floor(Date.now() / 1000) * 1000 + 600_000)
    const svid = await ca.svid('/checkout', { notBefore })
    const house = await opened(guardOf({ 'prod.example': ca.bundle }, undefined, clock))
    const agent = new Agent({ keepAlive: true, maxSockets: 1 })
    const call = async () => (await house.call({ cert: svid.cert, key: svid.key, agent })).code
    expect(await call()).toBe('certificate_not_yet_valid')
    clock.set(notBefore)
    expect(await call()).toBe('allow')
    agent.destroy()
  })
})

describe.each(['TLSv1.2', 'TLSv1.3'] as const)('a resumed session of %s', (maxVersion) => {
  test('still names its caller, and only until the certificate expires', async () => {
    const clock = createTestClock(new Date())
    const house = await opened(guardOf({ 'prod.example': ca.bundle }, undefined, clock))
    const client = { cert: checkout.cert, key: checkout.key, maxVersion }
    const session = await sessionOf(house, client)
    expect(await house.call({ ...client, session })).toMatchObject({
      isResumed: true,
      code: 'allow',
      caller: checkout.spiffeId,
    })
    clock.advance({ seconds: 3601 })
    expect(await house.call({ ...client, session })).toMatchObject({ code: 'certificate_expired' })
  })

  test('of a broken certificate stays refused', async () => {
    const house = await opened(guardOf({ 'prod.example': ca.bundle }))
    const broken = await ca.broken('ca-as-leaf', '/checkout')
    const client = { cert: broken.cert, key: broken.key, maxVersion }
    const session = await sessionOf(house, client)
    expect(await house.call({ ...client, session })).toMatchObject({
      isResumed: true,
      code: 'svid_not_a_leaf',
    })
  })

  test('that had no certificate has none, whatever OpenSSL says of it', async () => {
    const house = await opened(guardOf({ 'prod.example': ca.bundle }))
    const session = await sessionOf(house, { maxVersion })
    expect(await house.call({ session, maxVersion })).toMatchObject({
      isResumed: true,
      hasCertificate: false,
      code: 'credential_missing',
    })
  })

  test('does not lend its caller to a guard of another trust domain', async () => {
    const lab = await createTestCa({ trustDomain: 'lab.example' })
    const ticketKeys = Buffer.alloc(48, 7) // shared by two servers, as behind a balancer
    const first = await opened(guardOf({ 'prod.example': ca.bundle }), authenticated(), { ticketKeys })
    const second = await opened(guardOf({ 'lab.example': lab.bundle }), authenticated(), { ticketKeys })
    const client = { cert: checkout.cert, key: checkout.key, maxVersion }
    const session = await sessionOf(first, client)
    expect((await second.call({ ...client, session })).code).toBe('trust_domain_unknown')
  })

  test('below an intermediate still names its caller', async () => {
    const issuing = await ca.intermediate()
    const house = await opened(guardOf({ 'prod.example': ca.bundle }, issuing.chain))
    const svid = await issuing.svid('/checkout')
    const client = { cert: svid.cert, key: svid.key, maxVersion }
    const session = await sessionOf(house, client)
    expect(await house.call({ ...client, session })).toMatchObject({ isResumed: true, code: 'allow' })
  })
})

describe('octets that are', () => {
  const whole = Buffer.from(checkout.der)

  test.each([
    ['no certificate', Buffer.from('no certificate')],
    ['empty', Buffer.alloc(0)],
    ['cut short', whole.subarray(0, -1)],
    ['followed by others', Buffer.concat([whole, Buffer.from([0])])],
    ['followed by a second certificate', Buffer.concat([whole, whole])],
    ['huge', Buffer.concat([whole, Buffer.alloc(16 * 1024)])],
  ])('%s are refused as malformed, as a leaf and beside one', (_, octets) => {
    expect(verdictOf({ leaf: octets, chain: [], tlsError: undefined })).toBe('certificate_malformed')
    expect(verdictOf({ leaf: whole, chain: [octets], tlsError: undefined })).toBe('certificate_malformed')
  })

  test('a certificate with any bit flipped are never accepted', () => {
    const verify = verifierOf({ 'prod.example': ca })
    for (let at = 0; at < whole.length; at += 1) {
      const changed = Buffer.from(whole)
      changed[at] = (changed[at] ?? 0) ^ (1 << (at % 8))
      const answer = verify({ leaf: changed, chain: [], tlsError: undefined }, Date.now())
      expect(answer, `octet ${at}`).toBeInstanceOf(Refusal)
    }
  })

  test('a certificate that says one thing twice are refused', async () => {
    const basicConstraints = { oid: '2.5.29.19', critical: true, value: Uint8Array.of(0x30, 0x00) }
    const twice = await ca.svid('/checkout', { extensions: [basicConstraints] })
    expect(verdict(twice)).toBe('certificate_malformed')
  })
})

describe('what a certificate is for', () => {
  test.each([
    ['for clients alone', { purposes: ['clientAuth'] }, 'allow'],
    ['without extended key usage', { purposes: [] }, 'allow'],
    ['for any purpose, but not for clients by name', { purposes: ['any'] }, 'certificate_purpose_mismatch'],
    ['that may sign CRLs', { keyUsages: ['digitalSignature', 'cRLSign'] }, 'svid_not_a_leaf'],
    ['of RSA 2048', { keys: 'rsa' }, 'allow'],
    [
      'with name constraints, critical or not',
      { extensions: [{ oid: '2.5.29.30', critical: false, value: Uint8Array.of(0x30, 0x00) }] },
      'certificate_extension_unsupported',
    ],
    [
      'with other names beside its one URI',
      {
        names: [
          { type: 'dns', value: 'orders.internal' },
          { type: 'url', value: 'spiffe://prod.example/checkout' },
          { type: 'ip', value: '127.0.0.1' },
        ],
      },
      'allow',
    ],
    [
      'with names, but no URI',
      { names: [{ type: 'dns', value: 'checkout.prod.example' }] },
      'svid_id_malformed',
    ],
    [
      'with a URI that is no SPIFFE ID',
      { names: [{ type: 'url', value: 'https://prod.example/checkout' }] },
      'svid_id_malformed',
    ],
    [
      'with a URI that holds a separator',
      { names: [{ type: 'url', value: 'spiffe://prod.example/a, URI:spiffe://prod.example/b' }] },
      'svid_id_malformed',
    ],
  ] satisfies [string, CertificateOptions, string][])('%s', async (_, options, code) => {
    const answer = verdict(await ca.svid('/checkout', options))
    expect(answer.startsWith('spiffe:') ? 'allow' : answer).toBe(code)
  })
})

describe('the roots of a trust domain', () => {
  const x5c = [derOf(ca.bundle).toString('base64')]
  const json = JSON.stringify({ keys: [{ kty: 'EC', use: 'x509-svid', x5c }], spiffe_sequence: 1 })

  test('may be a SPIFFE bundle', async () => {
    const house = await opened(guardOf({ 'prod.example': json }))
    expect(await house.call(checkout)).toMatchObject({ code: 'allow' })
  })

  test.each([
    ['without X.509 keys', '{"keys":[]}', /found none/],
    ['with a key that is no certificate', json.replace(x5c[0] ?? '', 'AAAA'), /holds no certificate/],
    ['that is cut off', json.slice(0, -1), /JSON object/],
    ['of PEM that holds no certificate', 'no\n-----BEGIN NOTHING-----', /found none/],
    [
      'of PEM that is no certificate',
      '-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----',
      /certificate 1 cannot be read: expected certificates in strict DER/,
    ],
  ])('%s are a mistake that is told when the guard is made', (_, bundle, message) => {
    expect(() => guardOf({ 'prod.example': bundle })).toThrow(message)
  })
})

test('a root that has expired vouches for nobody any more', async () => {
  const now = new Date('2030-01-01T00:00:00Z')
  const old = await createTestCa({
    trustDomain: 'prod.example',
    now,
    notAfter: new Date(now.getTime() + 1000),
  })
  const svid = await old.svid('/checkout')
  expect(verdictOf(peerOf(svid), { 'prod.example': old }, now.getTime())).toBe(svid.spiffeId)
  expect(verdictOf(peerOf(svid), { 'prod.example': old }, now.getTime() + 1001)).toBe('certificate_expired')
})

test.each([
  ['the root', 'CN=Root', 'spiffe://prod.example/checkout'],
  ['another issuer than the key that signed it', 'CN=Somebody else', 'certificate_untrusted'],
])('a leaf that names %s as its issuer', async (_, issuer, answer) => {
  const algorithm = { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' }
  const keys = await webcrypto.subtle.generateKey(algorithm, true, ['sign', 'verify'])
  const dates = { notBefore: new Date(Date.now() - 60_000), notAfter: new Date(Date.now() + 3_600_000) }
  const shared = {
    ...dates,
    publicKey: keys.publicKey,
    signingKey: keys.privateKey,
    signingAlgorithm: algorithm,
  }
  const root = await X509CertificateGenerator.create({
    ...shared,
    subject: 'CN=Root',
    issuer: 'CN=Root',
    extensions: [new BasicConstraintsExtension(true, undefined, true)],
  })
  const leaf = await X509CertificateGenerator.create({
    ...shared,
    subject: 'CN=Leaf',
    issuer,
    extensions: [
      new KeyUsagesExtension(KeyUsageFlags.digitalSignature, true),
      new SubjectAlternativeNameExtension([{ type: 'url', value: 'spiffe://prod.example/checkout' }]),
    ],
  })
  const peer = { leaf: new Uint8Array(leaf.rawData), chain: [], tlsError: undefined }
  const verified = trustIn({ trustDomains: { 'prod.example': root.toString('pem') } }).verify(
    peer,
    Date.now(),
  )
  expect(nameOf(verified)).toBe(answer)
})

async function opened(
  guard: Guard,
  placement?: Parameters<typeof openTls>[1],
  options = {},
): Promise<TlsHouse> {
  const house = await openTls(guard, placement, options)
  houses.push(house)
  return house
}

function guardOf(
  trustDomains: Record<string, string>,
  intermediates?: string,
  clock?: ReturnType<typeof createTestClock>,
): Guard {
  const certificates = { trustDomains, ...(intermediates === undefined ? {} : { intermediates }) }
  const options: GuardOptions = { certificates, log: false }
  return clock === undefined ? createGuard(options) : createGuard(options, { clock })
}

const peerOf = (svid: TestSvid): PeerCertificate => ({
  leaf: svid.der,
  chain: svid.chain.slice(1),
  tlsError: undefined,
})

function verifierOf(roots: Readonly<Record<string, TestCa>>) {
  const trust = trustIn({
    trustDomains: Object.fromEntries(Object.entries(roots).map(([domain, { bundle }]) => [domain, bundle])),
  })
  return (peer: PeerCertificate, nowMs: number) => trust.verify(peer, nowMs)
}

/** The SPIFFE ID that a peer is verified to have, or the code of the refusal. */
function verdictOf(
  peer: PeerCertificate,
  roots: Record<string, TestCa> = { 'prod.example': ca },
  now = Date.now(),
): string {
  return nameOf(verifierOf(roots)(peer, now))
}

function nameOf(verified: ReturnType<CertificateTrust['verify']>): string {
  if (verified instanceof Promise) return 'expected an answer at once'
  return verified instanceof Refusal ? verified.code : verified.id
}

const verdict = (svid: TestSvid, roots?: Record<string, TestCa>): string => verdictOf(peerOf(svid), roots)

/** With a CRL of another authority, OpenSSL complains that it has none of this one. */
async function crlOfStranger(): Promise<string> {
  const algorithm = { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' }
  const keys = await webcrypto.subtle.generateKey(algorithm, true, ['sign', 'verify'])
  const crl = await X509CrlGenerator.create({
    issuer: 'CN=Stranger',
    thisUpdate: new Date(),
    nextUpdate: new Date(Date.now() + 3_600_000),
    signingAlgorithm: algorithm,
    signingKey: present(keys).privateKey,
    entries: [],
  })
  return `-----BEGIN X509 CRL-----\n${crl.toString('base64')}\n-----END X509 CRL-----\n`
}
