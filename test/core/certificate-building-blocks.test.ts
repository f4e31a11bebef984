// The public face of certificates: how it is asked, and what it answers.
import { X509Certificate } from 'node:crypto'
import * as face from '@countersign/core/certificate'
import {
  ConfigurationError,
  parseSpiffeBundle,
  parseSpiffeId,
  Refusal,
  validatePath,
  verifyX509Svid,
  type PathOptions,
  type VerifiedPath,
  type VerifiedX509Svid,
  type X509SvidOptions,
} from '@countersign/core/certificate'
import { verifyJwtSvid } from '@countersign/core/token'
import { describe, expect, expectTypeOf, test } from 'vitest'
import { parseCertificate } from '../../packages/core/src/identity/certificate/parsed-certificate.ts'
import { verifySvid } from '../../packages/core/src/identity/certificate/verify-svid.ts'
import { createRawSigner } from './support/raw-signer.ts'
import {
  at,
  authority,
  clientAuth,
  extension,
  extensions,
  leaf,
  name,
  names,
  sequence,
  serverAuth,
  type LeafOptions,
} from './support/der-certificate.ts'

const root = authority()
const issuing = authority({}, root)
const good: PathOptions = { leaf: leaf(root), trustAnchors: [root.der], at, purpose: 'clientAuth' }
const pemOf = (certificate: Uint8Array): string => new X509Certificate(certificate).toString()

/** A host of so many characters, in labels of 63 at most. */
const hostOf = (length: number): string => `${'a'.repeat(63)}.`.repeat(3) + 'b'.repeat(length - 192)

const codeOf = (answer: object): string => (answer instanceof Refusal ? answer.code : 'verified')
const path = (changes: object): string => codeOf(validatePath({ ...good, ...changes }))

function mistakeIn(ask: () => unknown): string {
  try {
    ask()
  } catch (error) {
    if (error instanceof ConfigurationError) return error.option
    throw error
  }
  return 'none'
}

test('the face has these names', () => {
  expect(Object.keys(face).toSorted()).toEqual([
    'ConfigurationError',
    'Refusal',
    'parseClientCert',
    'parseClientCertChain',
    'parseSpiffeBundle',
    'parseSpiffeId',
    'parseXfcc',
    'validatePath',
    'verifyX509Svid',
  ])
  expect(parseSpiffeId('spiffe://prod.example/a')).toMatchObject({ trustDomain: 'prod.example', path: '/a' })
})

describe('a path', () => {
  test('is asked about with DER or PEM, one certificate in a text or several', () => {
    const below = leaf(issuing)
    expect(path({})).toBe('verified')
    expect(path({ leaf: pemOf(leaf(root)), trustAnchors: [pemOf(root.der)] })).toBe('verified')
    const bundle = `# ours\n${pemOf(authority().der)}\r\n${pemOf(root.der)}`
    expect(path({ leaf: below, intermediates: [pemOf(issuing.der)], trustAnchors: [bundle] })).toBe(
      'verified',
    )
    expect(path({ leaf: new Uint8Array(below), intermediates: [new Uint8Array(issuing.der)] })).toBe(
      'verified',
    )
  })

  test('of what cannot be read is a refusal, wherever a peer sent it', () => {
    for (const source of [
      '',
      'no PEM',
      Buffer.alloc(0),
      leaf(root).subarray(1),
      pemOf(root.der) + pemOf(root.der),
    ]) {
      expect(path({ leaf: source })).toBe('certificate_malformed')
    }
    expect(path({ intermediates: ['junk'] })).toBe('certificate_malformed')
    expect(path({ intermediates: [issuing.der, Buffer.from('junk')] })).toBe('certificate_malformed')
    const many = Array.from({ length: 257 }, () => issuing.der)
    expect(path({ intermediates: many })).toBe('certificate_malformed')
    expect(path({ intermediates: many.slice(1) })).toBe('verified')
  })

  test('passes over anchors that cannot be read', () => {
    expect(path({ trustAnchors: ['junk', root.der] })).toBe('verified')
    expect(path({ trustAnchors: ['junk'] })).toBe('certificate_untrusted')
    expect(path({ trustAnchors: [] })).toBe('certificate_untrusted')
  })

  test.each([
    ['leaf', { leaf: undefined }],
    ['leaf', { leaf: { raw: root.der } }],
    ['leaf', { leaf: [1, 2, 3] }],
    ['intermediates', { intermediates: pemOf(root.der) }],
    ['intermediates[0]', { intermediates: [undefined] }],
    ['trustAnchors', { trustAnchors: undefined }],
    ['trustAnchors', { trustAnchors: root.der }],
    ['trustAnchors[1]', { trustAnchors: [root.der, 7] }],
    ['at', { at: undefined }],
    ['at', { at: '2026-06-01' }],
    ['at', { at: new Date('never') }],
    ['at', { at: Infinity }],
    ['at', { at: Math.floor(at.getTime() / 1000) }],
    ['purpose', { purpose: undefined }],
    ['purpose', { purpose: 'any' }],
    ['purpose', { purpose: 'toString' }],
    ['crl', { crl: 'unheard of' }],
    ['crls', { crls: undefined }],
    ['crls', { crls: 'X509 CRL' }],
    ['crls', { crls: Buffer.alloc(0) }],
    ['crls[1]', { crls: ['', 7] }],
    ['limits', { limits: 8 }],
    ['limits.maxDepth', { limits: { maxDepth: 3 } }],
    ['limits.maxIntermediates', { limits: { maxIntermediates: -1 } }],
    ['limits.maxIntermediates', { limits: { maxIntermediates: 256 } }],
    ['limits.maxSignatureChecks', { limits: { maxSignatureChecks: 0 } }],
    ['limits.maxSignatureChecks', { limits: { maxSignatureChecks: undefined } }],
    ['limits.maxCandidates', { limits: { maxCandidates: 1.5 } }],
    ['expectedName', { expectedName: undefined }],
    ['expectedName', { expectedName: {} }],
    ['expectedName', { expectedName: { dns: 'a.example', ip: '192.0.2.1' } }],
    ['expectedName', { expectedName: { dns: '' } }],
    ['expectedName', { expectedName: { ip: 1 } }],
    ['expectedName.host', { expectedName: { host: 'a.example' } }],
  ])('with a wrong `%s` is a mistake of whoever asks: %j', (option, changes) => {
    expect(mistakeIn(() => path(changes))).toBe(option)
  })

  test('of a long time ago can be asked about by a date', () => {
    expect(path({ at: new Date(0) })).toBe('certificate_not_yet_valid')
  })

  test('has a type that only this function makes', () => {
    expectTypeOf(validatePath).returns.toEqualTypeOf<VerifiedPath | Refusal>()
    // @ts-expect-error a purpose has to be given
    expect(mistakeIn(() => validatePath({ leaf: '', trustAnchors: [], at }))).toBe('purpose')
    // @ts-expect-error a verified path cannot be written
    const forged: VerifiedPath = {
      certificates: [],
      notBefore: 0,
      notAfter: 0,
      names: { uris: [], dnsNames: [], emailAddresses: [] },
    }
    expect(forged).toBeDefined()
  })
})

describe('an expected name', () => {
  const called = (...own: readonly Uint8Array[]): LeafOptions => ({ names: own })
  const answer = (options: LeafOptions, expectedName: object): string =>
    path({ leaf: leaf(root, options), expectedName })
  const [met, mismatch] = ['verified', 'certificate_name_mismatch']

  test.each([
    ['a.example', 'a.example', met],
    ['A.Example', 'a.eXample', met],
    ['a.example', 'b.a.example', mismatch],
    ['b.a.example', 'a.example', mismatch],
    ['*.example.org', 'a.example.org', met],
    ['*.example.org', 'A.EXAMPLE.ORG', met],
    ['*.example.org', 'example.org', mismatch],
    ['*.example.org', 'b.a.example.org', mismatch],
    ['*.example.org', '.example.org', mismatch],
    ['*.example.org', '*.example.org', mismatch],
    ['*.org', 'example.org', mismatch],
    ['*', 'example', mismatch],
    ['a*.example.org', 'ab.example.org', mismatch],
    ['*a.example.org', 'ba.example.org', mismatch],
    ['a.*.org', 'a.example.org', mismatch],
    ['a.example.', 'a.example.', mismatch],
    ['a_b.example', 'a_b.example', mismatch],
    ['192.0.2.1', '192.0.2.1', mismatch],
    ['3a.example', '3a.example', met],
    [hostOf(253), hostOf(253), met],
    [hostOf(254), hostOf(254), mismatch],
  ])('for the DNS name %s, expected %s: %s', (own, expected, code) => {
    expect(answer(called(names.dns(own)), { dns: expected })).toBe(code)
  })

  test.each([
    [[192, 0, 2, 1], '192.0.2.1', met],
    [[192, 0, 2, 1], '192.0.2.2', mismatch],
    [[192, 0, 2, 1], '192.0.2.01', mismatch],
    [[192, 0, 2, 1], '::ffff:192.0.2.1', mismatch],
    [[...Array<number>(10).fill(0), 255, 255, 192, 0, 2, 1], '::ffff:192.0.2.1', met],
    [[...Array<number>(15).fill(0), 1], '::1', met],
    [[...Array<number>(15).fill(0), 1], '0:0:0:0:0:0:0:1', met],
    [[0x20, 1, 0xd, 0xb8, 0, 0, 0, 0, 0, 1, 0, 0, 0, 0, 0, 1], '2001:DB8::1:0:0:1', met],
    [[0x20, 1, 0xd, 0xb8, 0, 1, 0, 2, 0, 3, 0, 4, 0, 5, 0, 6], '2001:db8:1:2:3:4:5:6', met],
    [[0xfe, 0x80, ...Array<number>(13).fill(0), 1], 'fe80::1%eth0', mismatch],
    [[...Array<number>(16).fill(0)], '::', met],
    [[192, 0, 2, 1], 'localhost', mismatch],
  ])('for the IP address %j, expected %s: %s', (own, expected, code) => {
    expect(answer(called(names.ip(...own)), { ip: expected })).toBe(code)
  })

  test.each([
    ['ann@a.example', 'ann@a.example', met],
    ['ann@a.example', 'ann@A.EXAMPLE', met],
    ['ann@a.example', 'Ann@a.example', mismatch],
    ['ann@a.example', 'bob@a.example', mismatch],
    ['ann@a.example', 'ann@b.example', mismatch],
    ['ann', 'ann', mismatch],
    ['ann', 'ann@a.example', mismatch],
    ['ann@a.example', 'ann', mismatch],
  ])('for the e-mail address %s, expected %s: %s', (own, expected, code) => {
    expect(answer(called(names.email(own)), { email: expected })).toBe(code)
  })

  test('is looked for among alternative names of its own kind, and nowhere else', () => {
    const all = called(names.dns('b.example'), names.dns('a.example'), names.email('ann@a.example'))
    expect(answer(all, { dns: 'a.example' })).toBe(met)
    expect(answer(all, { email: 'ann@a.example' })).toBe(met)
    expect(answer(called(names.uri('a.example')), { dns: 'a.example' })).toBe(mismatch)
    expect(answer(called(names.dns('192.0.2.1')), { ip: '192.0.2.1' })).toBe(mismatch)
    expect(answer(called(names.dns('ann@a.example')), { email: 'ann@a.example' })).toBe(mismatch)
    expect(answer(called(names.uri('ann@a.example')), { email: 'ann@a.example' })).toBe(mismatch)
    const commonName = { parts: { subject: name('a.example') } }
    expect(answer({ ...commonName, names: [names.dns('b.example')] }, { dns: 'a.example' })).toBe(mismatch)
    expect(answer({ ...commonName, extensions: [] }, { dns: 'a.example' })).toBe(mismatch)
  })

  test('does not make good what is wrong otherwise', () => {
    expect(path({ expectedName: { dns: 'a.example' }, trustAnchors: [] })).toBe('certificate_untrusted')
  })
})

describe('an X.509-SVID', () => {
  const bundles = { 'prod.example': [root.der], 'lab.example': [authority().der] }
  const svid: X509SvidOptions = { leaf: leaf(root), bundles, at, purpose: 'clientAuth' }
  const verdict = (changes: object): string => codeOf(verifyX509Svid({ ...svid, ...changes }))
  const named = (...own: readonly Uint8Array[]): Buffer => leaf(root, { names: own })

  test('names its workload, and says while it may be relied on', () => {
    const verified = verifyX509Svid(svid)
    expect(verified).toEqual({
      spiffeId: 'spiffe://prod.example/checkout',
      trustDomain: 'prod.example',
      notBefore: Date.parse('2025-01-01T00:00:00Z'),
      notAfter: Date.parse('2030-01-01T00:00:00Z'),
    })
    expect(Object.isFrozen(verified)).toBe(true)
    expectTypeOf(verifyX509Svid).returns.toEqualTypeOf<VerifiedX509Svid | Refusal>()
  })

  const ofA = extensions.alternativeNames(names.uri('spiffe://prod.example/a'))
  const extended = (...list: readonly Uint8Array[]): Buffer => leaf(root, { extensions: list })
  const idExpected = 'spiffe://<trust domain>/<path>'

  test.each([
    [
      'two URI names',
      named(names.uri('spiffe://prod.example/a'), names.uri('https://b.example/')),
      'svid_id_malformed',
      ['exactly one URI name', '2'],
    ],
    ['no URI name', named(names.dns('a.prod.example')), 'svid_id_malformed', ['exactly one URI name', '0']],
    [
      'names that cannot be read',
      extended(extensions.keyUsage(0x80), extension('2.5.29.17', true, sequence())),
      'svid_id_malformed',
      ['exactly one URI name', 'names that cannot be read'],
    ],
    [
      'a trust domain for its name',
      named(names.uri('spiffe://prod.example')),
      'svid_id_malformed',
      [idExpected, '"spiffe://prod.example"'],
    ],
    [
      'another URI',
      named(names.uri('https://prod.example/a')),
      'svid_id_malformed',
      [idExpected, '"https://prod.example/a"'],
    ],
    [
      'a trust domain that nobody knows',
      named(names.uri('spiffe://other.example/a')),
      'trust_domain_unknown',
      ['"prod.example" or "lab.example"', '"other.example"'],
    ],
    [
      'the name of another trust domain',
      named(names.uri('spiffe://lab.example/a')),
      'certificate_untrusted',
      ['a path to a trust anchor', 'none found'],
    ],
    ['a CA for a leaf', extended(extensions.authority(), ofA), 'svid_not_a_leaf', ['cA false', 'cA true']],
    [
      'the right to sign certificates',
      extended(extensions.keyUsage(0x84), ofA),
      'svid_not_a_leaf',
      ['no keyCertSign and no cRLSign', 'one of them'],
    ],
    [
      'the right to sign revocation lists',
      extended(extensions.keyUsage(0x82), ofA),
      'svid_not_a_leaf',
      ['no keyCertSign and no cRLSign', 'one of them'],
    ],
    [
      'no keyUsage',
      extended(ofA),
      'certificate_purpose_mismatch',
      ['keyUsage with digitalSignature', 'none'],
    ],
    [
      'another keyUsage',
      extended(extensions.keyUsage(0x08), ofA),
      'certificate_purpose_mismatch',
      ['keyUsage with digitalSignature', 'none'],
    ],
  ])('with %s is refused', (_, certificate, code, [expected, actual]) => {
    expect(verifyX509Svid({ ...svid, leaf: certificate })).toMatchObject({
      code,
      detail: { expected, actual },
    })
  })

  test('of a trust domain that nobody knows comes with advice', () => {
    const stray = named(names.uri('spiffe://other.example/a'))
    expect(verifyX509Svid({ ...svid, leaf: stray })).toMatchObject({
      detail: {
        advice:
          'add the trust domain and its bundle to `certificates.trustDomains` if it may call this service',
      },
    })
  })

  test('of a trust domain whose bundle is not there now is refused for that reason', () => {
    const unavailable = new Refusal('bundle_unavailable')
    const parsed = parseCertificate(leaf(root))
    if (parsed instanceof Refusal) throw new Error('a leaf')
    const presented = { leaf: parsed, intermediates: [], nowMs: at.getTime() }
    const bundlesNow = new Map([['prod.example', unavailable]])
    expect(verifySvid(presented, bundlesNow, 'clientAuth')).toBe(unavailable)
  })

  test('is for the purpose that is asked about', () => {
    const of = (...usages: readonly string[]): Buffer =>
      leaf(root, {
        extensions: [
          extensions.keyUsage(0x80),
          extensions.extKeyUsage(...usages),
          extensions.alternativeNames(names.uri('spiffe://prod.example/a')),
        ],
      })
    expect(verdict({ leaf: of(clientAuth) })).toBe('verified')
    expect(verdict({ leaf: of(serverAuth) })).toBe('certificate_purpose_mismatch')
    expect(verdict({ leaf: of(serverAuth), purpose: 'serverAuth' })).toBe('verified')
    expect(verdict({ leaf: of(clientAuth), purpose: 'serverAuth' })).toBe('certificate_purpose_mismatch')
  })

  test('is issued by authorities that are no workloads', () => {
    const below = (uri: string) => {
      const between = authority({ also: [extensions.alternativeNames(names.uri(uri))] }, root)
      return verdict({ leaf: leaf(between), intermediates: [between.der] })
    }
    expect(below('spiffe://prod.example')).toBe('verified')
    expect(below('https://ca.example/about')).toBe('verified')
    expect(below('spiffe://prod.example/ns/shop')).toBe('certificate_issuer_not_authorized')
    const workload = authority(
      { also: [extensions.alternativeNames(names.uri('spiffe://prod.example/shop'))] },
      root,
    )
    expect(verifyX509Svid({ ...svid, leaf: leaf(workload), intermediates: [workload.der] })).toMatchObject({
      detail: { expected: 'an issuer that is no workload', actual: '"spiffe://prod.example/shop"' },
    })
  })

  test('is held to the name constraints of its trust domain', () => {
    const strict = authority({ also: [extensions.nameConstraints([names.uri('prod.example')])] })
    const own = { 'prod.example': [strict.der], 'lab.example': [strict.der] }
    expect(verdict({ leaf: leaf(strict), bundles: own })).toBe('verified')
    const stray = leaf(strict, { names: [names.uri('spiffe://lab.example/a')] })
    expect(verdict({ leaf: stray, bundles: own })).toBe('certificate_name_not_permitted')
  })

  test.each([
    ['bundles', { bundles: undefined }],
    ['bundles', { bundles: new Map() }],
    ["bundles['spiffe://prod.example']", { bundles: { 'spiffe://prod.example': [] } }],
    ["bundles['prod.example']", { bundles: { 'prod.example': root.der } }],
    ['purpose', { purpose: undefined }],
    ['at', { at: undefined }],
    ['trustAnchors', { trustAnchors: [] }],
  ])('with a wrong `%s` is a mistake of whoever asks', (option, changes) => {
    expect(mistakeIn(() => verdict(changes))).toBe(option)
  })
})

describe('a SPIFFE bundle', async () => {
  const signer = createRawSigner('ES256')
  const x509 = { kty: 'EC', use: 'x509-svid', x5c: [root.der.toString('base64')] }
  const jwt = { ...signer.jwk, kid: 'one', use: 'jwt-svid' }
  const read = (bundle: object) => parseSpiffeBundle(JSON.stringify(bundle))

  test('gives its authorities, its sequence and its hint', () => {
    const bundle = read({
      keys: [jwt, x509, { kty: 'EC' }],
      spiffe_sequence: 12,
      spiffe_refresh_hint: 300,
      x: 1,
    })
    expect(bundle.x509Authorities.map((each) => Buffer.from(each))).toEqual([root.der])
    expect(bundle).toMatchObject({ jwtAuthorities: { keys: [jwt] }, sequence: 12n, refreshHintSeconds: 300 })
    expect(Object.isFrozen(bundle) && Object.isFrozen(bundle.jwtAuthorities.keys[0])).toBe(true)
    expect(read({ keys: [] })).toEqual({
      x509Authorities: [],
      jwtAuthorities: { keys: [] },
      sequence: undefined,
      refreshHintSeconds: undefined,
    })
  })

  test('is what SVIDs of both kinds are verified against', async () => {
    const bundle = read({ keys: [x509, jwt] })
    const asked = { leaf: leaf(root), at, purpose: 'clientAuth' as const }
    expect(codeOf(verifyX509Svid({ ...asked, bundles: { 'prod.example': bundle } }))).toBe('verified')
    const none = { 'prod.example': read({ keys: [] }) }
    expect(codeOf(verifyX509Svid({ ...asked, bundles: none }))).toBe('certificate_untrusted')
    const token = signer.jws(
      { alg: 'ES256', kid: 'one' },
      Buffer.from(
        JSON.stringify({ sub: 'spiffe://prod.example/a', aud: 'orders', exp: at.getTime() / 1000 + 60 }),
      ),
    )
    const verified = await verifyJwtSvid(token, {
      bundles: { 'prod.example': bundle.jwtAuthorities },
      audience: 'orders',
      now: at,
    })
    expect(codeOf(verified)).toBe('verified')
  })

  test('counts the first certificate of each key that is meant for X.509', () => {
    const other = authority().der.toString('base64')
    const first = { ...x509, x5c: [...x509.x5c, other] }
    const authorities = (...keys: readonly object[]): number => read({ keys }).x509Authorities.length
    expect(authorities(first)).toBe(1)
    expect(
      authorities({ ...x509, use: 'sig' }, { ...x509, use: undefined }, { kty: 'EC', use: 'x509-svid' }),
    ).toBe(0)
  })

  test.each([
    ['no text', undefined],
    ['no JSON', 'keys'],
    ['no object', '[]'],
    ['no keys', '{}'],
    ['keys named twice', '{"keys":[],"keys":[]}'],
    ['a certificate that is no text', JSON.stringify({ keys: [{ ...x509, x5c: [7] }] })],
    ['no certificate in its list', JSON.stringify({ keys: [{ ...x509, x5c: [] }] })],
    [
      'certificates outside of a list',
      JSON.stringify({ keys: [{ ...x509, x5c: root.der.toString('base64') }] }),
    ],
    ['a certificate in another base64', JSON.stringify({ keys: [{ ...x509, x5c: ['_-8='] }] })],
    ['a certificate that is none', JSON.stringify({ keys: [{ ...x509, x5c: ['AAAA'] }] })],
    ['a key without a name', JSON.stringify({ keys: [{ ...jwt, kid: undefined }] })],
    ['a private key', JSON.stringify({ keys: [{ ...jwt, d: 'AAAA' }] })],
    ['a sequence that is none', '{"keys":[],"spiffe_sequence":1.5}'],
  ])('with %s is none', (_, text) => {
    expect(mistakeIn(() => parseSpiffeBundle(text as string))).toBe('bundle')
  })
})
