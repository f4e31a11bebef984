// Real handshakes over loopback: what OpenSSL says about correct and broken chains.
import { once } from 'node:events'
import { connect, createServer, type TLSSocket } from 'node:tls'
import {
  brokenCertificateKinds,
  brokenIntermediateKinds,
  createTestCa,
  type BrokenCertificateKind,
  type BrokenIntermediateKind,
  type TestCa,
  type TestCertificate,
} from '@countersign/testing'
import { expect, test } from 'vitest'

test.each(['ec', 'rsa'] as const)('an SVID with %s keys proves itself to a TLS server', async (keys) => {
  const ca = await createTestCa({ keys })
  expect(await handshake(ca, await ca.svid('/checkout'))).toEqual({
    authorized: true,
    error: null,
    names: 'URI:spiffe://test.example/checkout',
  })
})

test('an SVID below two intermediates proves itself with the root alone', async () => {
  const ca = await createTestCa()
  const issuing = await (await ca.intermediate()).intermediate()
  expect(await handshake(ca, await issuing.svid('/checkout'))).toMatchObject({ authorized: true })
})

test('an SVID of another CA does not, even when that CA has the same name', async () => {
  const [ca, imposter] = [await createTestCa(), await createTestCa()]
  expect(await handshake(ca, await imposter.svid('/checkout'))).toMatchObject({ authorized: false })
})

const opensslErrors: Record<BrokenIntermediateKind, string> = {
  'not-a-ca': 'INVALID_PURPOSE',
  'no-cert-sign': 'UNSPECIFIED',
  'path-length-exceeded': 'PATH_LENGTH_EXCEEDED',
  expired: 'CERT_HAS_EXPIRED',
  'name-constraints-violated': 'UNSPECIFIED',
}

test.each(brokenIntermediateKinds)(
  'OpenSSL refuses a correct SVID below an intermediate that is %s',
  async (kind) => {
    const ca = await createTestCa()
    const svid = await (await ca.brokenIntermediate(kind)).svid('/checkout')
    expect(await handshake(ca, svid)).toMatchObject({ authorized: false, error: opensslErrors[kind] })
  },
)

test('OpenSSL accepts the same SVID where the name constraint allows its trust domain', async () => {
  const ca = await createTestCa({ trustDomain: 'elsewhere.example' })
  const svid = await (await ca.brokenIntermediate('name-constraints-violated')).svid('/checkout')
  expect(await handshake(ca, svid)).toMatchObject({ authorized: true })
})

const opensslVerdicts: Record<BrokenCertificateKind, string | null> = {
  expired: 'CERT_HAS_EXPIRED',
  'not-yet-valid': 'CERT_NOT_YET_VALID',
  'server-auth-only': 'INVALID_PURPOSE',
  'unknown-critical-extension': 'UNSPECIFIED',
  'self-signed': 'DEPTH_ZERO_SELF_SIGNED_CERT',
  // A service that stops at `socket.authorized` lets these in.
  'two-uri-sans': null,
  'no-san': null,
  'cn-only': null,
  'ca-as-leaf': null,
  'cert-sign-usage': null,
  'no-digital-signature': null,
  'no-key-usage': null,
  'root-path-id': null,
  'upper-case-trust-domain': null,
  'foreign-trust-domain': null,
  'weak-key': null,
  'sha1-signature': null,
}

test.each(brokenCertificateKinds)(
  'OpenSSL judges a client certificate that is %s no more strictly than known',
  async (kind) => {
    const ca = await createTestCa()
    const error = opensslVerdicts[kind]
    const verdict = await handshake(ca, await ca.broken(kind, '/checkout'))
    expect(verdict).toMatchObject({ authorized: error === null, error })
  },
)

/** What a server that trusts `ca` alone learns of a client with this certificate. */
async function handshake(ca: TestCa, client: TestCertificate): Promise<Record<string, unknown>> {
  const { cert, key } = await ca.serverCertificate(['localhost'])
  const { promise: secured, resolve } = Promise.withResolvers<TLSSocket>()
  // The lowest security level, or no client could present a weak key or signature in the first place.
  const ciphers = 'DEFAULT@SECLEVEL=0'
  const trust = { ca: ca.bundle, requestCert: true, rejectUnauthorized: false, ciphers }
  const server = createServer({ cert, key, ...trust }, resolve).listen(0, '127.0.0.1')
  await once(server, 'listening')
  const address = server.address()
  if (address === null || typeof address === 'string') throw new Error('expected the server to have a port')
  const { port } = address
  const identity = { cert: client.cert, key: client.key, ciphers }
  const socket = connect({ host: '127.0.0.1', port, servername: 'localhost', ca: ca.bundle, ...identity })
  await once(socket, 'secureConnect')
  const peer = await secured
  const result = {
    authorized: peer.authorized,
    error: peer.authorizationError ?? null,
    names: peer.getPeerX509Certificate()?.subjectAltName,
  }
  socket.destroy()
  server.close()
  await once(server, 'close')
  return result
}
