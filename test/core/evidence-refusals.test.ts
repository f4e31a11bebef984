// What an operator is told of a credential that cannot be read from a request, word by word: what was expected, what came, and
// what to do. Never what came itself: it may be a secret.
import { hash } from 'node:crypto'
import { createTestCa } from '@countersign/testing'
import { describe, expect, test } from 'vitest'
import { parseAuthorization, readAuthorization } from '../../packages/core/src/evidence/authorization.ts'
import { readProof } from '../../packages/core/src/evidence/dpop.ts'
import {
  certificateHeaders,
  type CertificateEncoding,
  type CertificateHeaders,
} from '../../packages/core/src/evidence/forwarded/certificate-headers.ts'
import { rivalOf } from '../../packages/core/src/evidence/forwarded/read-field.ts'
import { xfccHeader, type XfccHops } from '../../packages/core/src/evidence/forwarded/xfcc-hops.ts'
import { readPeerCertificate } from '../../packages/core/src/evidence/peer-certificate.ts'
import { Refusal } from '../../packages/core/src/refusal.ts'
import { requestWith } from './support/asking.ts'
import { pemOf } from './support/pem.ts'

type Fields = readonly (readonly [name: string, value: string])[]
type Told = Readonly<Record<string, string>>

const told = (refusal: unknown) => {
  if (!(refusal instanceof Refusal)) throw new Error('expected a refusal')
  return { code: refusal.code, ...refusal.detail }
}

describe('of an Authorization field', () => {
  test.each([
    ['Basic dXNlcjpwYXNz', 'Basic'],
    ['DIGEST a', 'DIGEST'],
    ['Negotiate a', 'Negotiate'],
    ['token a', 'token'],
    ['Signature a', 'Signature'],
    ['GNAP a', 'GNAP'],
    ['k3yLmZ0Q8vTt1xWfN5uHc7rBp2dGs9aE', 'another scheme'],
    ['xBearer a', 'another scheme'],
    ['Bearer\ta', 'another scheme'],
  ])('of another scheme: %j', (value, actual) => {
    expect(told(parseAuthorization(value))).toEqual({
      code: 'authorization_scheme_unsupported',
      expected: 'Bearer or DPoP',
      actual,
    })
  })

  test.each(['', ' ', 'Bearer', 'DPoP   '])('without a token: %j', (value) => {
    expect(told(parseAuthorization(value))).toEqual({
      code: 'authorization_malformed',
      expected: 'Bearer <token>',
      actual: 'no token',
    })
  })

  test('that is there twice', () => {
    const rawHeaders = ['Authorization', 'Bearer a', 'authorization', 'Bearer b']
    expect(told(readAuthorization({ ...requestWith('Bearer a'), rawHeaders }))).toEqual({
      code: 'credential_duplicated',
      expected: 'one Authorization field',
      actual: 'several',
      advice: 'find the hop that adds a second Authorization field instead of replacing the first',
    })
  })

  test('with a token that is longer than any', () => {
    expect(told(parseAuthorization(`Bearer ${'a'.repeat(8193)}`))).toEqual({
      code: 'token_oversized',
      expected: 'at most 8192 characters',
      actual: '8193',
    })
  })
})

test('of a token in the query', () => {
  expect(told(readAuthorization({ ...requestWith(), url: '/?access_token=a' }))).toEqual({
    code: 'token_in_query',
    expected: 'a token in the Authorization field only',
    actual: '`access_token` in the query',
    advice: 'have the caller send `Authorization: Bearer <token>`, and take the token in the URL for leaked',
  })
})

test('of a DPoP field', () => {
  const read = (dpop: string) => told(readProof({ ...requestWith(), headers: { dpop } }))
  expect(read('a.b.c, d.e.f')).toEqual({
    code: 'dpop_proof_duplicated',
    expected: 'one DPoP field',
    actual: 'several',
    advice: 'send one proof for each request, and find the hop that repeats the field or adds its own',
  })
  expect(read('a'.repeat(8193))).toEqual({
    code: 'token_oversized',
    expected: 'a DPoP proof of at most 8192 characters',
    actual: '8193',
  })
})

test('of a connection that ended', () => {
  expect(told(readPeerCertificate({ getPeerCertificate: () => null }))).toEqual({
    code: 'certificate_malformed',
    expected: 'a connection that is open',
    actual: 'one that ended before its certificate was read',
  })
})

const ca = await createTestCa()
const checkout = await ca.svid('/checkout')
const base64 = Buffer.from(checkout.der).toString('base64')
const escaped = encodeURIComponent(pemOf(checkout.der))

const compare = {
  advice: 'compare the configuration of the proxy with the preset that is named in `certificates.forwarded`',
}
const cleanUp = {
  advice:
    'have the proxy delete whatever its clients send under this name, in every spelling, before it sets its own',
}

describe('of a certificate in a header of its own', () => {
  const formatOf = (encoding: CertificateEncoding, more: Partial<CertificateHeaders> = {}) =>
    certificateHeaders({
      encoding,
      header: 'x-cert',
      chainHeader: 'x-chain',
      verification: [],
      ...more,
    })

  // Strictly: what came is left out, not undefined.
  test.each<[CertificateEncoding, string]>([
    ['rfc9440', 'one byte sequence `:<base64>:` (RFC 9440)'],
    ['escaped-pem', 'PEM of certificates, percent-encoded'],
    ['folded-pem', 'PEM of certificates with spaces for line ends'],
    ['base64-der', 'one certificate, DER in base64'],
    ['base64-list', 'at most 10 certificates, DER in base64, joined by commas'],
  ])('that is not %s', (encoding, expected) => {
    expect(told(formatOf(encoding).read([['x-cert', '!']]))).toStrictEqual({
      code: 'forwarded_certificate_malformed',
      expected,
      ...compare,
    })
  })

  test.each<[CertificateEncoding, string, string]>([
    ['rfc9440', `:${base64}:`, 'a list of at most 10 byte sequences `:<base64>:` (RFC 9440)'],
    ['base64-der', base64, 'at most 10 certificates, DER one behind the other in base64'],
  ])('beside a chain that is not %s', (encoding, value, expected) => {
    const fields: Fields = [
      ['x-cert', value],
      ['x-chain', '!'],
    ]
    expect(told(formatOf(encoding).read(fields))).toStrictEqual({
      code: 'forwarded_certificate_malformed',
      expected,
      ...compare,
    })
  })

  test.each<[string, CertificateEncoding, Fields, string, string]>([
    [
      'of which there is only a chain',
      'base64-der',
      [['x-chain', base64]],
      'a chain beside a certificate',
      'a chain alone',
    ],
    [
      'that has its chain with it already',
      'base64-list',
      [
        ['x-cert', base64],
        ['x-chain', base64],
      ],
      'a chain beside a certificate',
      'a chain alone',
    ],
    [
      'whose chain comes twice',
      'base64-der',
      [
        ['x-cert', base64],
        ['x-chain', base64],
        ['x-chain', base64],
      ],
      'one header with the chain',
      'several',
    ],
  ])('%s', (_, encoding, fields, expected, actual) => {
    expect(told(formatOf(encoding).read(fields))).toStrictEqual({
      code: 'forwarded_certificate_malformed',
      expected,
      actual,
      ...compare,
    })
  })

  test.each<[string, Fields, string, string]>([
    [
      'that comes twice',
      [
        ['x-cert', base64],
        ['x-cert', base64],
        ['x-cert', base64],
      ],
      'one header `x-cert`',
      '3 of it',
    ],
    ['in another spelling', [['X_Cert', base64]], '`x-cert` in this spelling', 'another spelling of it'],
  ])('%s', (_, fields, expected, actual) => {
    expect(told(formatOf('base64-der').read(fields))).toEqual({
      code: 'forwarded_certificate_ambiguous',
      expected,
      actual,
      ...cleanUp,
    })
  })

  test('beside another format', () => {
    expect(told(rivalOf([['Client_Cert', 'a']], ['x-cert']))).toEqual({
      code: 'forwarded_certificate_ambiguous',
      expected: 'a certificate in one format',
      actual: '`client-cert` as well',
      ...cleanUp,
    })
  })

  const verification = [
    { header: 'x-verify', verified: 'SUCCESS', none: 'NONE' },
    { header: 'x-error', verified: '', none: 'client_cert_not_provided' },
  ]
  test.each<[string, Fields, string]>([
    ['that was not verified', [['x-cert', base64]], '`x-verify: SUCCESS`'],
    [
      'in which something was found',
      [
        ['x-cert', base64],
        ['x-verify', 'SUCCESS'],
        ['x-error', 'expired'],
      ],
      '`x-error` empty or absent',
    ],
    ['that is not shown', [['x-verify', 'FAILED']], '`x-verify: NONE`'],
  ])('%s', (_, fields, expected) => {
    expect(told(formatOf('base64-der', { verification }).read(fields))).toEqual({
      code: 'forwarded_certificate_unverified',
      expected,
      actual: 'another value, or none',
      advice:
        'see in the log of the proxy why it did not verify the certificate, and have it set this header for every request',
    })
  })

  test('of which two headers say whether it was verified', () => {
    const fields: Fields = [
      ['x-cert', base64],
      ['x-verify', 'SUCCESS'],
      ['x-verify', 'NONE'],
    ]
    expect(told(formatOf('base64-der', { verification }).read(fields))).toMatchObject({
      code: 'forwarded_certificate_ambiguous',
      expected: 'one header `x-verify`',
    })
  })
})

describe('of an XFCC field', () => {
  const read = (value: string, hops: Partial<XfccHops> = {}): Told =>
    told(xfccHeader({ self: undefined, relays: [], ...hops }).read([['x-forwarded-client-cert', value]]))
  const digest = hash('sha256', checkout.der)
  const [self, edge] = ['spiffe://test.example/orders', 'spiffe://test.example/gateway']

  test.each([
    ['By', 'elements of `Key=value` pairs, as Envoy writes them'],
    ['Hash=1', 'a Hash of 64 hexadecimal digits'],
    ['Cert="a"', 'Cert and Chain in percent-encoded PEM, with the same certificate first'],
  ])('that is none: %s', (value, expected) => {
    expect(read(value)).toStrictEqual({ code: 'forwarded_certificate_malformed', expected, ...compare })
  })

  test('that says one thing twice', () => {
    expect(read('Subject="a";Subject="b"')).toEqual({
      code: 'forwarded_certificate_malformed',
      expected: 'at most one Hash, Cert, Chain and Subject in an element',
      actual: 'one of them twice',
      ...compare,
    })
  })

  const by = (proxy: string, uri: string): string => `By=${proxy};Hash=${digest};URI=${uri}`
  test.each<[string, string, Partial<XfccHops>, string, string]>([
    ['of two elements', `${by(self, 'a')},${by(self, 'a')}`, {}, 'one element', '2'],
    ['of too few proxies', by(self, 'a'), { self, relays: [edge] }, '2 elements', '1'],
    [
      'with two elements of one proxy',
      `${by(self, 'a')},${by(self, 'a')}`,
      { self },
      `one element by "${self}"`,
      '2',
    ],
    ['of another proxy', by(edge, 'a'), { self }, `By="${self}"`, `"${edge}"`],
    ['of a proxy with two names', `By=a;${by(self, 'a')}`, { self }, `By="${self}"`, '2 of it'],
    ['of a proxy without a name', 'URI=a', { self }, `By="${self}"`, '0 of it'],
    [
      'that came past the relay',
      `${by(edge, 'a')},${by(self, 'b')}`,
      { self, relays: [edge] },
      `URI="${edge}"`,
      '"b"',
    ],
    [
      'that came from two',
      `${by(edge, 'a')},${by(self, 'b')};URI=c`,
      { self, relays: [edge] },
      `URI="${edge}"`,
      '2 of it',
    ],
    ['without a digest', 'URI=spiffe://test.example/a', {}, 'Hash of the certificate', 'none'],
    [
      'with the digest of another certificate',
      `Hash=${'0'.repeat(64)};Cert="${escaped}"`,
      {},
      'Cert with the digest in Hash',
      'another one',
    ],
  ])('%s', (_, value, hops, expected, actual) => {
    expect(read(value, hops)).toEqual({
      code: 'forwarded_certificate_mismatch',
      expected,
      actual,
      advice:
        'name the proxies that a request comes through in `certificates.forwarded`: `self` is the last one, `relays` those before it',
    })
  })

  test.each([
    ['no URI name', `Hash=${digest}`, 'none'],
    ['an empty URI name', `Hash=${digest};URI=`, 'none'],
    ['two URI names', `Hash=${digest};URI=a;URI=b`, '2'],
    ['two URI names beside a certificate', `Hash=${digest};Cert="${escaped}";URI=a;URI=b;URI=c`, '3'],
  ])('of a client with %s', (_, value, actual) => {
    expect(read(value)).toEqual({ code: 'svid_id_malformed', expected: 'exactly one URI name', actual })
  })
})
