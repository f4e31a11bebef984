// What is read of a connection, as Node shows one. Over TLS itself: certificate.test.ts and test/threats.
import { X509Certificate, createHash } from 'node:crypto'
import { createTestCa } from '@countersign/testing'
import { describe, expect, test } from 'vitest'
import { readPeerCertificate, readThumbprint } from '../../packages/core/src/evidence/peer-certificate.ts'
import { Refusal } from '../../packages/core/src/refusal.ts'

interface Shown {
  readonly raw: Buffer
  issuerCertificate?: Shown
}

const [leaf, first, second] = [Buffer.from('leaf'), Buffer.from('first'), Buffer.from('second')]
const connection = (certificate: object | null, more: object = {}): object => ({
  authorized: true,
  getPeerCertificate: () => certificate,
  ...more,
})

describe('a certificate', () => {
  test('is there with those that issued it, nearest first', () => {
    const shown: Shown = {
      raw: leaf,
      issuerCertificate: { raw: first, issuerCertificate: { raw: second } },
    }
    expect(readPeerCertificate(connection(shown))).toStrictEqual({
      leaf,
      read: undefined,
      chain: [first, second],
      tlsError: undefined,
      isResumed: false,
    })
  })

  test('is what Node has read of it, and nothing else that is shown in its place', async () => {
    const { der } = await (await createTestCa()).svid('/checkout')
    const real = new X509Certificate(der)
    const shows = (shown: object) => ({ ...connection({ raw: leaf }), getPeerX509Certificate: () => shown })
    expect(readPeerCertificate(shows(real))).toMatchObject({ leaf: real.raw, read: real })
    expect(readPeerCertificate(shows({ raw: leaf }))).toMatchObject({ leaf, read: undefined })
  })

  test('is asked for with its issuers, which Node leaves out otherwise', () => {
    const getPeerCertificate = (detailed?: boolean): Shown => ({
      raw: leaf,
      ...(detailed === true ? { issuerCertificate: { raw: first } } : {}),
    })
    expect(readPeerCertificate({ authorized: true, getPeerCertificate })).toMatchObject({ chain: [first] })
  })

  test('that signed itself is not behind itself, whether Node shows it once or twice', () => {
    const root: Shown = { raw: first }
    root.issuerCertificate = root
    expect(readPeerCertificate(connection(root))).toMatchObject({ leaf: first, chain: [] })
    expect(readPeerCertificate(connection({ raw: leaf, issuerCertificate: root }))).toMatchObject({
      chain: [first],
    })
    const copy: Shown = { raw: Buffer.from(leaf), issuerCertificate: { raw: second } }
    expect(readPeerCertificate(connection({ raw: leaf, issuerCertificate: copy }))).toMatchObject({
      chain: [],
    })
  })

  test('has ten others behind it at most', () => {
    let shown: Shown = { raw: Buffer.from('root') }
    for (let i = 20; i > 0; i -= 1) shown = { raw: Buffer.from(`${i}`), issuerCertificate: shown }
    expect(readPeerCertificate(connection({ raw: leaf, issuerCertificate: shown }))).toMatchObject({
      chain: Array.from({ length: 10 }, (_, i) => Buffer.from(`${i + 1}`)),
    })
  })

  test.each([
    ['what OpenSSL complains of', { authorizationError: 'CERT_REVOKED' }, 'CERT_REVOKED'],
    ['a complaint that is an error', { authorizationError: new Error('why') }, 'Error: why'],
    ['a complaint without a word', {}, 'UNKNOWN'],
    ['a complaint that is null', { authorizationError: null }, 'UNKNOWN'],
  ])('comes with %s', (_, more, tlsError) => {
    const shown = connection({ raw: leaf }, { authorized: false, ...more })
    expect(readPeerCertificate(shown)).toMatchObject({ tlsError })
  })

  test('comes without a complaint where OpenSSL accepted it', () => {
    const shown = connection({ raw: leaf }, { authorizationError: 'CERT_REVOKED' })
    expect(readPeerCertificate(shown)).toMatchObject({ tlsError: undefined })
  })

  test.each([
    [true, { isSessionReused: () => true }],
    [false, { isSessionReused: () => false }],
    [false, {}],
  ])('is of a session that was resumed: %s', (isResumed, more) => {
    expect(readPeerCertificate(connection({ raw: leaf }, more))).toMatchObject({ isResumed })
  })
})

test.each([
  ['without TLS', {}],
  ['without a certificate', connection({})],
  ['with a certificate for a property', { getPeerCertificate: { raw: leaf } }],
])('a connection %s has none, and no thumbprint', (_, socket) => {
  expect(readPeerCertificate(socket)).toBeUndefined()
  expect(readThumbprint(socket)).toBeUndefined()
})

test('what answers for a stream of HTTP/2 in place of its connection is no connection without a certificate', () => {
  expect(readPeerCertificate({ rstCode: 8, closed: true })).toBeInstanceOf(Refusal)
  for (const socket of [{ rstCode: 8 }, { closed: true }]) expect(readPeerCertificate(socket)).toBeUndefined()
})

test('a thumbprint is SHA-256 in base64url, and none where the connection has ended', () => {
  const expected = createHash('sha256').update(leaf).digest('base64url')
  expect(readThumbprint(connection({ raw: leaf }))).toBe(expected)
  expect(readThumbprint(connection(null))).toBeUndefined()
})
