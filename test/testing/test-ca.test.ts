import { X509Certificate, createPrivateKey } from 'node:crypto'
import { createTestCa } from '@countersign/testing'
import { expect, test } from 'vitest'
import { describeCertificate, issuedAt } from './describe-certificate.ts'

test('names the trust domain `test.example` by default', async () => {
  const ca = await createTestCa()
  expect(ca.trustDomain).toBe('test.example')
  expect((await ca.svid('/orders')).spiffeId).toBe('spiffe://test.example/orders')
})

test('is a CA that may sign certificates and CRLs', async () => {
  const ca = await createTestCa()
  expect(describeCertificate(ca.bundle)).toMatchObject({
    ca: true,
    keyUsages: ['keyCertSign', 'cRLSign'],
    names: [],
    critical: ['basicConstraints', 'keyUsage'],
  })
  expect(ca.chain).toBe('')
})

test('issues an SVID that says all an SVID must say, and no more', async () => {
  const ca = await createTestCa({ trustDomain: 'prod.example', now: issuedAt })
  const svid = await ca.svid('/ns/shop/sa/checkout')
  expect(svid.spiffeId).toBe('spiffe://prod.example/ns/shop/sa/checkout')
  expect(describeCertificate(svid.der)).toEqual({
    subject: 'CN=Test workload',
    names: ['url:spiffe://prod.example/ns/shop/sa/checkout'],
    ca: false,
    keyUsages: ['digitalSignature'],
    purposes: ['serverAuth', 'clientAuth'],
    critical: ['basicConstraints', 'keyUsage'],
    unknownExtensions: [],
    key: 'ec prime256v1',
    signature: { name: 'ECDSA', hash: { name: 'SHA-256' } },
    isSignedByItself: false,
    isValid: true,
  })
  expect(isIssuedBy(svid.der, ca.bundle)).toBe(true)
})

test('gives the private key that belongs to the certificate', async () => {
  for (const keys of ['ec', 'rsa'] as const) {
    const svid = await (await createTestCa({ keys })).svid('/orders')
    expect(svid.key).toMatch(/^-----BEGIN PRIVATE KEY-----/)
    expect(new X509Certificate(svid.der).checkPrivateKey(createPrivateKey(svid.key))).toBe(true)
    expect(describeCertificate(svid.der).key).toBe(keys === 'ec' ? 'ec prime256v1' : 'rsa 2048')
  }
})

test('gives positive serial numbers of at most 20 octets', async () => {
  const ca = await createTestCa()
  for (let round = 0; round < 20; round += 1) {
    const { serialNumber } = new X509Certificate((await ca.svid('/orders')).der)
    expect(serialNumber).toMatch(/^[0-9A-F]{1,40}$/)
    expect(BigInt(`0x${serialNumber}`)).toBeGreaterThan(0n)
  }
})

test('puts the intermediates under the leaf, up to and without the root', async () => {
  const root = await createTestCa()
  const upper = await root.intermediate()
  const lower = await upper.intermediate()
  const svid = await lower.svid('/orders')
  expect(lower.bundle).toBe(root.bundle)
  expect(svid.chain).toHaveLength(3)
  expect(svid.chain[0]).toEqual(svid.der)
  expect(svid.cert).toBe(`${pem(svid.der)}${lower.chain}`)
  expect(lower.chain).toBe(svid.chain.slice(1).map(pem).join(''))

  const path = [...svid.chain, root.bundle]
  for (const [index, issuer] of path.slice(1).entries()) {
    expect(isIssuedBy(path[index] ?? '', issuer)).toBe(true)
  }
  const subjects = path.map((certificate) => new X509Certificate(certificate).subject)
  expect(new Set(subjects).size).toBe(4)
})

test('issues at `now`, from a minute before to an hour after', async () => {
  const ca = await createTestCa({ now: issuedAt })
  const expected = ['May  1 11:59:00 2031 GMT', 'May  1 13:00:00 2031 GMT']
  expect(validity(ca.bundle)).toEqual(expected)
  expect(validity((await ca.svid('/orders')).der)).toEqual(expected)
  const later = await ca.svid('/orders', { now: new Date('2031-05-01T12:30:00Z') })
  expect(validity(later.der)).toEqual(['May  1 12:29:00 2031 GMT', 'May  1 13:30:00 2031 GMT'])
})

test('takes `notBefore` and `notAfter` as they are, beyond 2049 too', async () => {
  const [notBefore, notAfter] = [new Date('2020-02-29T00:00:00Z'), new Date('2051-01-01T00:00:00Z')]
  const expected = ['Feb 29 00:00:00 2020 GMT', 'Jan  1 00:00:00 2051 GMT']
  const ca = await createTestCa({ notBefore, notAfter })
  expect(validity(ca.bundle)).toEqual(expected)
  expect(validity((await ca.svid('/orders', { notBefore, notAfter })).der)).toEqual(expected)
})

test('lets a test change anything an SVID says', async () => {
  const ca = await createTestCa()
  const hidden = 'spiffe://test.example/a, URI:spiffe://test.example/b'
  const svid = await ca.svid('/orders', { names: [{ type: 'url', value: hidden }], purposes: ['any'] })
  expect(svid.spiffeId).toBe(hidden)
  expect(describeCertificate(svid.der)).toMatchObject({ names: [`url:${hidden}`], purposes: ['any'] })
})

test('issues a server certificate for hosts, and for a workload where asked', async () => {
  const ca = await createTestCa()
  const server = describeCertificate((await ca.serverCertificate()).der)
  expect(server.names).toEqual(['dns:localhost', 'ip:127.0.0.1', 'ip:::1'])
  expect(server.purposes).toEqual(['serverAuth'])

  const svid = describeCertificate(
    (await ca.serverCertificate(['orders.test'], { spiffePath: '/orders' })).der,
  )
  expect(svid.names).toEqual(['dns:orders.test', 'url:spiffe://test.example/orders'])
  expect(svid.purposes).toEqual(['serverAuth', 'clientAuth'])
})

test.each([
  '',
  'orders',
  '/',
  '/orders/',
  '//orders',
  '/a//b',
  '/.',
  '/a/../b',
  '/a/..',
  '/a b',
  '/%61',
  '/ä',
])('refuses `%s` as the path of an SVID', async (path) => {
  const ca = await createTestCa()
  await expect(ca.svid(path)).rejects.toThrow(
    `expected a SPIFFE path such as \`/ns/shop/sa/checkout\`, got \`${path}\``,
  )
})

test.each(['/...', '/.hidden', '/a.b_c-D/1'])('accepts `%s` as the path of an SVID', async (path) => {
  expect((await (await createTestCa()).svid(path)).spiffeId).toBe(`spiffe://test.example${path}`)
})

test.each(['', 'Test.example', 'a/b', 'a:443', 'a'.repeat(256)])(
  'refuses `%s` as a trust domain',
  async (trustDomain) => {
    await expect(createTestCa({ trustDomain })).rejects.toThrow('`trustDomain`: expected lower-case letters')
  },
)

function isIssuedBy(certificate: Uint8Array | string, issuer: Uint8Array | string): boolean {
  const [child, parent] = [new X509Certificate(certificate), new X509Certificate(issuer)]
  return child.checkIssued(parent) && child.verify(parent.publicKey)
}

function validity(certificate: Uint8Array | string): string[] {
  const { validFrom, validTo } = new X509Certificate(certificate)
  return [validFrom, validTo]
}

function pem(der: Uint8Array): string {
  return new X509Certificate(der).toString()
}
