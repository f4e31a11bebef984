import { X509Certificate } from 'node:crypto'
import {
  brokenCertificateKinds,
  createTestCa,
  type BrokenCertificateKind,
  type TestCa,
} from '@countersign/testing'
import { expect, test } from 'vitest'
import { describeCertificate, issuedAt, type CertificateDescription } from './describe-certificate.ts'

const id = 'spiffe://test.example/orders'

/** What each kind changes in a correct SVID: this and nothing else. */
const differences: Record<BrokenCertificateKind, Partial<CertificateDescription>> = {
  expired: { isValid: false },
  'not-yet-valid': { isValid: false },
  'two-uri-sans': { names: [`url:${id}`, 'url:spiffe://test.example/another'] },
  'no-san': { names: [] },
  'cn-only': { names: [], subject: `CN=${id}` },
  'ca-as-leaf': { ca: true },
  'cert-sign-usage': { keyUsages: ['digitalSignature', 'keyCertSign'] },
  'no-digital-signature': { keyUsages: ['keyAgreement'] },
  'no-key-usage': { keyUsages: undefined, critical: ['basicConstraints'] },
  'server-auth-only': { purposes: ['serverAuth'] },
  'unknown-critical-extension': {
    unknownExtensions: ['1.3.6.1.4.1.55555.1'],
    critical: ['basicConstraints', 'keyUsage', '1.3.6.1.4.1.55555.1'],
  },
  'root-path-id': { names: ['url:spiffe://test.example'] },
  'upper-case-trust-domain': { names: ['url:spiffe://TEST.EXAMPLE/orders'] },
  'foreign-trust-domain': { names: ['url:spiffe://foreign.example/orders'] },
  'weak-key': { key: 'rsa 1024' },
  'sha1-signature': { signature: { name: 'ECDSA', hash: { name: 'SHA-1' } } },
  'self-signed': { isSignedByItself: true },
}

test.each(brokenCertificateKinds)(
  'makes a certificate that is %s, and nothing else is wrong with it',
  async (kind) => {
    const ca = await createTestCa({ now: issuedAt })
    const correct = describeCertificate((await ca.svid('/orders')).der)
    const broken = await ca.broken(kind, '/orders')
    expect(describeCertificate(broken.der)).toEqual({ ...correct, ...differences[kind] })
    expect(differences[kind]).not.toEqual({})
    expect(isSignedBy(ca, broken.der)).toBe(kind !== 'self-signed')
  },
)

test('says which SPIFFE ID the certificate claims, or should have claimed', async () => {
  const ca = await createTestCa()
  expect((await ca.broken('two-uri-sans', '/orders')).spiffeId).toBe(id)
  expect((await ca.broken('cn-only', '/orders')).spiffeId).toBe(id)
  expect((await ca.broken('root-path-id', '/orders')).spiffeId).toBe('spiffe://test.example')
})

test('is expired or not yet valid against the CA’s own `now`', async () => {
  const ca = await createTestCa({ now: issuedAt })
  expect(new X509Certificate((await ca.broken('expired', '/orders')).der).validTo).toBe(
    'May  1 11:00:00 2031 GMT',
  )
  const early = new X509Certificate((await ca.broken('not-yet-valid', '/orders')).der)
  expect(early.validFrom).toBe('May  1 12:30:00 2031 GMT')
})

test('breaks RSA certificates just as well', async () => {
  const ca = await createTestCa({ keys: 'rsa' })
  expect(describeCertificate((await ca.broken('sha1-signature', '/orders')).der)).toMatchObject({
    key: 'rsa 2048',
    signature: { name: 'RSASSA-PKCS1-v1_5', hash: { name: 'SHA-1' } },
  })
})

test('sends the intermediates with a broken leaf, except under a self-signed one', async () => {
  const intermediate = await (await createTestCa()).intermediate()
  expect((await intermediate.broken('expired', '/orders')).chain).toHaveLength(2)
  expect((await intermediate.broken('self-signed', '/orders')).chain).toHaveLength(1)
})

function isSignedBy(ca: TestCa, der: Uint8Array): boolean {
  return new X509Certificate(der).verify(new X509Certificate(ca.bundle).publicKey)
}
