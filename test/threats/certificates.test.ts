import { Agent, createServer as createHttpsServer } from 'node:https'
import { once } from 'node:events'
import type { IncomingMessage } from 'node:http'
import type { AddressInfo } from 'node:net'
import { connect, type ConnectionOptions } from 'node:tls'
import { authenticated, callerIs, callerOptional, createGuard, type Guard } from '@countersign/core'
import { Refusal, validatePath } from '@countersign/core/certificate'
import { countersign, createTlsServer, requires } from '@countersign/express'
import {
  brokenCertificateKinds,
  createTestCa,
  createTestClock,
  createTestIssuer,
  type CertificateOptions,
} from '@countersign/testing'
import type { Request } from 'express'
import { afterAll, describe, expect, test } from 'vitest'
import { codeOf, connectionOf, requestWith } from '../core/support/asking.ts'
import { at, authority, extensions, integer, leaf as leafOf } from '../core/support/der-certificate.ts'
import { crl } from '../core/support/der-crl.ts'
import { openTls, type TlsHouse } from '../core/support/tls.ts'
import { expressVersions, serve } from './support/served.ts'

const ca = await createTestCa({ trustDomain: 'prod.example' })
const guard = createGuard({ certificates: { trustDomains: { 'prod.example': ca.bundle } }, log: false })
const houses: TlsHouse[] = []
const opened = async (...args: Parameters<typeof openTls>): Promise<TlsHouse> => {
  const house = await openTls(...args)
  houses.push(house)
  return house
}
afterAll(async () => {
  await Promise.all(houses.map((house) => house.close()))
})

const url = (value: string) => ({ type: 'url' as const, value })
const dns = (value: string) => ({ type: 'dns' as const, value })
const victim = 'spiffe://prod.example/ns/shop/sa/admin'

test.each([
  ['a URI that holds another behind a comma', [url(`spiffe://prod.example/x, URI:${victim}`)]],
  ['a URI that holds another behind a line break', [url(`spiffe://prod.example/x\nURI:${victim}`)]],
  ['a URI that ends in a NUL', [url(`${victim}\0.example`)]],
  ['a quoted URI', [url(`"${victim}"`)]],
  ['a DNS name that reads like a URI', [dns(`x, URI:${victim}`)]],
  ['a DNS name that is a URI', [dns(victim)]],
  ['a second URI', [url('spiffe://prod.example/x'), url(victim)]],
  ['the same URI twice', [url(victim), url(victim)]],
])('T38 %s names nobody', async (_, names) => {
  const house = await opened(guard, callerIs(victim))
  expect(await house.call(await ca.svid('/x', { names }))).toMatchObject({ code: 'svid_id_malformed' })
})

test('T38 a subject that holds a name within a name says nothing', async () => {
  const house = await opened(guard, callerIs(victim))
  for (const commonName of [
    victim,
    `x, CN=admin, URI:${victim}`,
    `x\nsubjectAltName=URI:${victim}`,
    'x/CN=admin',
  ]) {
    expect(await house.call(await ca.svid('/x', { commonName }))).toMatchObject({
      code: 'caller_not_allowed',
    })
  }
})

const corp = await createTestCa({ name: 'Corp' })
const bySubject = createGuard({
  certificates: { authorities: { corp: { roots: corp.bundle, identity: { subject: 'commonName' } } } },
  log: false,
})
const byDns = createGuard({
  certificates: { authorities: { corp: { roots: corp.bundle, identity: 'dns' } } },
  log: false,
})

test('T38 a subject that is a name by configuration is read from its octets, and is one name', async () => {
  const house = await opened(bySubject)
  const call = async (commonName: string) => house.call(await corp.svid('/x', { names: [], commonName }))
  expect(await call('checkout')).toMatchObject({ caller: 'x509:corp#commonName=checkout' })
  for (const text of ['x, CN=admin', 'x\nCN=admin', 'x+CN=admin', 'x\\2cCN=admin', 'x#commonName=admin']) {
    expect(await call(text), text).toMatchObject({ code: 'certificate_identity_malformed' })
  }
})

describe.each(expressVersions)('%s', (_version, express) => {
  const names = [
    'Client-Cert',
    'CLIENT-CERT',
    'client_cert',
    'Client_Cert',
    'Client-Cert-Chain',
    'X-Forwarded-Client-Cert',
    'x-forwarded-client_cert',
    'X_FORWARDED_CLIENT_CERT',
    'X-Forwarded-Tls-Client-Cert',
    'X-SSL-Client-Verify',
    'x_ssl_client_s_dn',
    'SSL_CLIENT_CERT',
    'ssl-client-subject-dn',
    'X-Amzn-Mtls-Clientcert-Leaf',
    'X-ARR-ClientCert',
    'X-Client-Cert-Spiffe',
  ]

  async function echo(...headers: string[]): Promise<{ status: number; body: string }> {
    const app = express()
    app.use(countersign({ audience: 'orders', issuers: ['https://issuer.test'], log: false }))
    const show = (request: Request): string =>
      JSON.stringify([request.headers, request.headersDistinct, request.rawHeaders])
    app.get('/', callerOptional_, (request, response) => void response.send(show(request)))
    await using served = await serve(app)
    const answer = await served.get('/', ...headers)
    return answer
  }
  const callerOptional_ = requires(callerOptional('shows what the application can read'))

  test.each(names)('T41 %s reaches no handler, once, twice or beside others', async (name) => {
    for (const headers of [
      [`${name}: evil-identity`],
      [`${name}: evil-identity`, 'X-Kept: yes', `${name.toLowerCase()}: evil-identity`],
      [`${name.replaceAll('-', '_')}: evil-identity`, `${name.replaceAll('_', '-')}: evil-identity`],
      [`${name}:evil-identity`, `${name}:\tevil-identity`],
    ]) {
      const { status, body } = await echo(...headers, 'X-Last: kept')
      expect(status).toBe(200)
      expect(body).not.toContain('evil-identity')
      expect(body).toContain('"x-last":"kept"')
    }
  })

  test.each([
    ['white space before the colon', 'Client-Cert : evil-identity'],
    ['a tab before the colon', 'Client-Cert\t: evil-identity'],
    ['a NUL in its name', 'Client-Cert\0: evil-identity'],
    ['a folded value', 'Client-Cert:\r\n evil-identity'],
    ['a line break of one octet', 'X-A: b\rClient-Cert: evil-identity'],
  ])('T41 a header with %s reaches no handler either', async (_, header) => {
    const { status, body } = await echo(header)
    expect([200, 400]).toContain(status)
    expect(body).not.toContain('evil-identity')
  })

  test('T39 identity headers reach no handler, where no proxy is trusted', async () => {
    const { body } = await echo(...names.map((name, i) => `${name}: evil-${i}`))
    expect(body).not.toContain('evil-')
  })

  test('T41 an Authorization that is spelled differently is counted, or is none', async () => {
    const app = express()
    app.use(countersign({ audience: 'orders', issuers: ['https://issuer.test'], log: false }))
    app.get('/', requires(authenticated()), (_request, response) => void response.send('SECRET'))
    await using served = await serve(app)
    expect((await served.get('/', 'AUTHORIZATION: Bearer a.b.c', 'authorization: Bearer a.b.c')).status).toBe(
      400,
    )
    expect((await served.get('/', 'Authorization_: Bearer a.b.c')).status).toBe(401)
    expect((await served.get('/', 'Authorization : Bearer a.b.c')).status).toBe(400)
  })

  test('T42 a connection without a certificate, resumed or not, has no caller at the server of the adapter', async () => {
    const app = express()
    app.use(countersign(guard))
    app.get(
      '/',
      requires(authenticated()),
      (request, response) => void response.send(`SECRET for ${request.caller.id}`),
    )
    const { cert, key } = await ca.serverCertificate(['localhost'])
    const server = createTlsServer(app, { cert, key, guard }).listen(0, '127.0.0.1')
    await once(server, 'listening')
    const address = server.address()
    const port = typeof address === 'object' ? address?.port : undefined
    for (const maxVersion of ['TLSv1.2', 'TLSv1.3'] as const) {
      let session: Buffer | undefined
      for (const isResumed of [false, true]) {
        const options: ConnectionOptions = {
          host: 'localhost',
          family: 4,
          port,
          ca: ca.bundle,
          maxVersion,
        } as ConnectionOptions
        const socket = connect(session === undefined ? options : { ...options, session })
        socket.on('session', (ticket) => {
          session = ticket
        })
        await once(socket, 'secureConnect')
        expect(socket.isSessionReused(), `${maxVersion} ${isResumed}`).toBe(isResumed)
        socket.write('GET / HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n')
        const text = Buffer.concat(await socket.toArray()).toString()
        expect(text).toMatch(/^HTTP\/1\.1 403 /)
        expect(text).not.toContain('SECRET')
      }
    }
    server.close()
  })
})

test.each(['TLSv1.2', 'TLSv1.3'] as const)(
  'T42 an empty certificate on a resumed session of %s is no certificate',
  async (maxVersion) => {
    const house = await opened(guard)
    const options = {
      host: 'localhost',
      family: 4,
      port: house.port,
      ca: house.ca,
      maxVersion,
    } as ConnectionOptions
    const socket = connect(options)
    const ticket = once(socket, 'session')
    socket.write('GET / HTTP/1.1\r\nHost: localhost\r\n\r\n')
    const [session] = await ticket
    socket.destroy()
    expect(await house.call({ session, maxVersion })).toMatchObject({
      isResumed: true,
      hasCertificate: false,
      code: 'credential_missing',
    })
  },
)

test('T42 a connection that ended is not one without a certificate: hanging up hides no contradiction', async () => {
  const clock = createTestClock(new Date())
  const idp = await createTestIssuer({
    clock,
    represents: 'workload',
    workloadClaim: 'spiffe_id',
    trustDomains: ['prod.example'],
  })
  const both = createGuard(
    {
      audience: 'orders',
      issuers: [idp],
      certificates: { trustDomains: { 'prod.example': ca.bundle } },
      log: false,
    },
    { clock },
  )
  const mine = await ca.svid('/ns/shop/sa/checkout')
  const stolen = await idp.token('admin', { claims: { spiffe_id: victim } })
  const { cert, key } = await ca.serverCertificate(['localhost'])
  for (const hangsUp of [false, true]) {
    const { promise, resolve } = Promise.withResolvers<string>()
    const decideLate = async (request: IncomingMessage, client: { destroy(): void }): Promise<void> => {
      if (hangsUp) {
        client.destroy()
        await once(request.socket, 'close')
      }
      resolve(codeOf(await both.decide(request, authenticated())))
    }
    const server = createHttpsServer({ cert, key, ca: ca.bundle, requestCert: true }, (request) => {
      void decideLate(request, client)
    }).listen(0, '127.0.0.1')
    await once(server, 'listening')
    const { port } = server.address() as AddressInfo // it listens on a port
    const client = connect({
      port,
      host: 'localhost',
      family: 4,
      ca: ca.bundle,
      cert: mine.cert,
      key: mine.key,
    } as ConnectionOptions)
    client.write(`GET / HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer ${stolen}\r\n\r\n`)
    expect(await promise, String(hangsUp)).toBe(hangsUp ? 'certificate_malformed' : 'identity_mismatch')
    client.destroy()
    server.close()
  }
})

test('T42 what the socket says of itself is never enough', async () => {
  const sockets = [
    { authorized: true, encrypted: true },
    { authorized: true, getPeerCertificate: () => ({}) },
    {
      authorized: true,
      getPeerCertificate: () => ({ subject: { CN: victim }, subjectaltname: `URI:${victim}` }),
    },
  ]
  for (const socket of sockets) {
    expect(codeOf(await guard.decide(requestWith(undefined, socket), authenticated()))).toBe(
      'credential_missing',
    )
  }
})

test.each([
  ['the common name alone', { names: [], commonName: victim }],
  ['the common name beside a DNS name', { names: [dns('x.prod.example')], commonName: victim }],
  ['a DNS name alone', { names: [dns('admin.prod.example')] }],
  ['a wildcard for a segment', { names: [url('spiffe://prod.example/ns/shop/sa/*')] }],
  ['a wildcard for everything', { names: [url('spiffe://prod.example/*')] }],
  ['a wildcard for the trust domain', { names: [url('spiffe://*/ns/shop/sa/admin')] }],
  ['a URI of another scheme', { names: [url('https://prod.example/ns/shop/sa/admin')] }],
  ['a URN', { names: [url('urn:spiffe:prod.example:admin')] }],
] satisfies [string, CertificateOptions][])('T44 %s is nobody’s identity', async (_, options) => {
  const house = await opened(guard)
  expect(await house.call(await ca.svid('/x', options as CertificateOptions))).toMatchObject({
    code: 'svid_id_malformed',
  })
})

test('T44 a common name is nobody’s identity beside any other name, nor instead of a missing one', async () => {
  const subject = await opened(bySubject)
  const dnsHouse = await opened(byDns)
  for (const names of [[dns('x.corp.example')], [url('https://x.corp.example/')]]) {
    const beside = await corp.svid('/x', { names, commonName: 'admin' })
    expect(await subject.call(beside)).toMatchObject({ code: 'certificate_identity_malformed' })
  }
  const instead = await corp.svid('/x', { names: [], commonName: 'admin.corp.example' })
  expect(await dnsHouse.call(instead)).toMatchObject({ code: 'certificate_identity_malformed' })
})

test.each([
  ['a wildcard', [dns('*.corp.example')]],
  ['two names', [dns('x.corp.example'), dns('admin.corp.example')]],
])('T44 %s of hosts is nobody’s identity', async (_, names) => {
  const house = await opened(byDns)
  expect(await house.call(await corp.svid('/x', { names }))).toMatchObject({
    code: 'certificate_identity_malformed',
  })
})

test('T44 another name does not stand in for a SPIFFE ID that is not to be trusted', async () => {
  const house = await opened(
    createGuard({
      certificates: {
        trustDomains: { 'prod.example': ca.bundle },
        authorities: { corp: { roots: corp.bundle, identity: 'dns' } },
      },
      log: false,
    }),
  )
  const names = [url(victim), dns('x.corp.example')]
  expect(await house.call(await corp.svid('/x', { names }))).toMatchObject({ code: 'certificate_untrusted' })
})

test.each([
  ['a CA', { basicConstraints: { ca: true } }, 'certificate_not_a_leaf'],
  ['a CA by its keyUsage', { keyUsages: ['digitalSignature', 'keyCertSign'] }, 'certificate_not_a_leaf'],
  ['one for servers', { purposes: ['serverAuth'] }, 'certificate_purpose_mismatch'],
  ['one for any use', { purposes: ['any'] }, 'certificate_purpose_mismatch'],
] satisfies [string, CertificateOptions, string][])(
  'T45 %s is no leaf for a client of another authority either',
  async (_, options, code) => {
    const house = await opened(byDns)
    const names = [dns('x.corp.example')]
    const leaf = await corp.svid('/x', { names, ...(options as CertificateOptions) })
    expect(await house.call(leaf)).toMatchObject({ code })
  },
)

test.each([
  ['a leaf that signs another one', { basicConstraints: { ca: false }, keyUsages: ['digitalSignature'] }],
  ['a workload that was made an authority', { names: [url('spiffe://prod.example/ns/shop/sa/checkout')] }],
] satisfies [string, CertificateOptions][])('T45 %s issues nothing', async (_, options) => {
  const upstart = await ca.intermediate(options)
  // Configured, since not every Node shows what a connection sent besides its leaf.
  const certificates = { trustDomains: { 'prod.example': ca.bundle }, intermediates: upstart.chain }
  const house = await opened(createGuard({ certificates, log: false }))
  expect(await house.call(await upstart.svid('/ns/shop/sa/admin'))).toMatchObject({
    code: 'certificate_issuer_not_authorized',
  })
})

test.each([
  ['a CA', { basicConstraints: { ca: true } }, 'svid_not_a_leaf'],
  ['a CA by its keyUsage', { keyUsages: ['digitalSignature', 'keyCertSign'] }, 'svid_not_a_leaf'],
  ['one that may sign CRLs', { keyUsages: ['digitalSignature', 'cRLSign'] }, 'svid_not_a_leaf'],
  ['one for servers', { purposes: ['serverAuth'] }, 'certificate_purpose_mismatch'],
  ['one for key agreement', { keyUsages: ['keyAgreement'] }, 'certificate_purpose_mismatch'],
] satisfies [string, CertificateOptions, string][])(
  'T45 %s is no leaf for a client',
  async (_, options, code) => {
    const house = await opened(guard)
    expect(await house.call(await ca.svid('/x', options as CertificateOptions))).toMatchObject({ code })
  },
)

test('T45 a leaf that expires on a connection that is kept alive is refused from then on', async () => {
  const clock = createTestClock(new Date())
  const own = createGuard(
    { certificates: { trustDomains: { 'prod.example': ca.bundle } }, log: false },
    { clock },
  )
  const house = await opened(own)
  const svid = await ca.svid('/x', { notAfter: new Date(clock.now() + 120_000) })
  const agent = new Agent({ keepAlive: true, maxSockets: 1 })
  const ask = async () => (await house.call({ cert: svid.cert, key: svid.key, agent })).code
  expect([await ask(), await ask()]).toEqual(['allow', 'allow'])
  clock.advance(121_000)
  expect([await ask(), await ask()]).toEqual(['certificate_expired', 'certificate_expired'])
  agent.destroy()
})

test('T45 a token beside a certificate that is refused does not make up for it', async () => {
  const idp = await createTestIssuer({ represents: 'user' })
  const both: Guard = createGuard({
    audience: 'orders',
    issuers: [idp],
    certificates: { trustDomains: { 'prod.example': ca.bundle } },
    log: false,
  })
  const authorization = `Bearer ${await idp.token('web')}`
  for (const kind of brokenCertificateKinds) {
    const socket = connectionOf(await ca.broken(kind, '/x'))
    const decision = await both.decide(requestWith(authorization, socket), authenticated())
    expect(codeOf(decision), kind).toMatch(/^(certificate|svid|trust_domain)_/)
  }
})

test('T45 a CA that was revoked, or that is named like another one, issues nothing and unrevokes nobody', () => {
  const root = authority()
  const forCrls = [extensions.authority(), extensions.keyUsage(0x02)]
  const issuing = authority({ parts: { serialNumber: integer(3) } }, root)
  const upstart = authority({ commonName: 'Upstart', parts: { serialNumber: integer(4) } }, root)
  const namesake = authority({ commonName: 'Intermediate', extensions: forCrls }, upstart)
  const answer = (certificate: Uint8Array, crls: readonly Uint8Array[]): string => {
    const path = validatePath({
      leaf: certificate,
      intermediates: [namesake.der, issuing.der, upstart.der],
      trustAnchors: [root.der],
      at,
      purpose: 'clientAuth',
      crls,
    })
    return path instanceof Refusal ? path.code : 'accepted'
  }
  const stolen = leafOf(issuing, { parts: { serialNumber: integer(7) } })
  const ofRoot = crl(root, { revoked: [4] })
  const [revoking, stale] = [crl(issuing, { revoked: [7] }), crl(issuing, { until: '260531235959Z' })]
  expect(answer(stolen, [ofRoot, crl(issuing)])).toBe('accepted')
  expect(answer(stolen, [ofRoot, revoking, crl(namesake, { number: 99 })])).toBe('certificate_revoked')
  // Nor does keeping the newest list away, or showing one of yesterday.
  expect(answer(stolen, [ofRoot, crl(namesake, { number: 99 })])).toBe('revocation_unavailable')
  expect(answer(stolen, [ofRoot, stale])).toBe('revocation_unavailable')
  expect(answer(stolen, [ofRoot, stale, revoking])).toBe('certificate_revoked')
  expect(answer(leafOf(upstart), [ofRoot, crl(upstart)])).toBe('certificate_revoked')
})
