import { createServer } from 'node:https'
import { createSecureContext, type Server } from 'node:tls'
import {
  authenticated,
  createGuard,
  createTlsServer,
  countersign,
  requires,
  tlsOptions,
  type Guard,
} from '@countersign/express'
import { createTestCa, createTestClock, type TestCa, type TestSvid } from '@countersign/testing'
import express from 'express'
import { afterAll, describe, expect, test } from 'vitest'
import { askTwice, type ResumingClient } from '../core/support/resuming.ts'
import { listening } from '../core/support/serving.ts'

const ca = await createTestCa({ trustDomain: 'prod.example' })
const lab = await createTestCa({ trustDomain: 'lab.example' })
const issuing = await ca.intermediate()
const checkout = await ca.svid('/checkout')
const below = await issuing.svid('/below')
const { cert, key } = await ca.serverCertificate(['localhost', 'a.test', 'b.test', '127.0.0.1'])
// Shared by servers, as in a cluster or behind a balancer.
const ticketKeys = Buffer.alloc(48, 7)

const servers: Server[] = []
afterAll(() => servers.forEach((server) => server.close()))

/** An Express application behind a guard of its own, which has seen no handshake. */
async function serve(guard: Guard): Promise<number> {
  const app = express()
  app.use(countersign(guard))
  app.get('/', requires(authenticated()), (request, response) => void response.send(request.caller.id))
  const server = createTlsServer(app, { cert, key, guard })
  server.setTicketKeys(ticketKeys)
  servers.push(server)
  return listening(server)
}

const guardOf = (authority: TestCa, intermediates?: string, clock = createTestClock(new Date())): Guard =>
  createGuard(
    {
      certificates: {
        trustDomains: { [authority.trustDomain]: authority.bundle },
        ...(intermediates === undefined ? {} : { intermediates }),
      },
      log: false,
    },
    { clock },
  )

const names = [undefined, 'localhost']
const versions = ['TLSv1.2', 'TLSv1.3'] as const

describe.each(versions.flatMap((maxVersion) => names.map((servername) => ({ maxVersion, servername }))))(
  'a session of $maxVersion, server name $servername,',
  ({ maxVersion, servername }) => {
    const clientOf = (port: number, svid?: TestSvid, session?: Buffer): ResumingClient => ({
      port,
      ca: ca.bundle,
      maxVersion,
      ...(svid === undefined ? {} : { cert: svid.cert, key: svid.key }),
      ...(servername === undefined ? {} : { servername }),
      ...(session === undefined ? {} : { session }),
    })
    const ask = async (...client: Parameters<typeof clientOf>) => askTwice(clientOf(...client))

    test('T42 without a certificate names nobody when it is resumed, whichever certificate comes with it', async () => {
      const port = await serve(guardOf(ca))
      const { session } = await ask(port)
      for (const svid of [undefined, checkout]) {
        expect(await ask(port, svid, session)).toMatchObject({ isResumed: true, status: 403, answers: 2 })
      }
    })

    test('T42 names its caller when it is resumed, and nobody any more when the certificate has expired', async () => {
      const clock = createTestClock(new Date())
      const port = await serve(guardOf(ca, undefined, clock))
      const { session } = await ask(port, checkout)
      expect(await ask(port, undefined, session)).toMatchObject({
        isResumed: true,
        status: 200,
        body: checkout.spiffeId,
      })
      clock.advance({ seconds: 3601 })
      expect(await ask(port, checkout, session)).toMatchObject({ isResumed: true, status: 403 })
    })

    test('T42 whose path nobody has seen is refused, and its connection closed', async () => {
      const { session } = await ask(await serve(guardOf(ca)), below)
      const elsewhere = await serve(guardOf(ca))
      expect(await ask(elsewhere, below, session)).toMatchObject({ isResumed: true, status: 403, answers: 1 })
      const completed = await serve(guardOf(ca, issuing.chain))
      expect(await ask(completed, below, session)).toMatchObject({
        isResumed: true,
        status: 200,
        body: below.spiffeId,
        answers: 2,
      })
    })

    test('T42 of a trust domain that this server does not know names nobody', async () => {
      const { session } = await ask(await serve(guardOf(ca)), checkout)
      expect(await ask(await serve(guardOf(lab)), checkout, session)).toMatchObject({ status: 403 })
    })
  },
)

// Virtual hosts of the user's own, each with a trust of its own, chosen by name: the worst that can be done.
async function serveHosts(): Promise<number> {
  const hosts = { 'a.test': guardOf(ca), 'b.test': guardOf(lab) }
  const contexts = {
    'a.test': createSecureContext({ cert, key, ca: ca.bundle }),
    'b.test': createSecureContext({ cert, key, ca: lab.bundle }),
  }
  const isHost = (name: string | undefined): name is keyof typeof hosts => name !== undefined && name in hosts
  const server = createServer(
    {
      ...tlsOptions({ cert, key, guard: hosts['a.test'] }),
      SNICallback: (name, done) => done(null, isHost(name) ? contexts[name] : undefined),
    },
    async (request, response) => {
      const { host } = request.headers
      if (!isHost(host)) throw new Error(`expected a host of this server, got ${host}`)
      const decision = await hosts[host].decide(request, authenticated())
      response.end(decision.outcome === 'allow' ? decision.caller?.id : decision.refusal.code)
    },
  )
  servers.push(server)
  return listening(server)
}

test.each(versions)(
  'T42 a session of %s that began under one server name names nobody wrongly under another',
  async (maxVersion) => {
    const { cert: own, key: ownKey } = checkout
    const client = { port: await serveHosts(), ca: ca.bundle, maxVersion, cert: own, key: ownKey }
    const begun = await askTwice({ ...client, servername: 'a.test', host: 'a.test' })
    expect(begun.body).toBe(checkout.spiffeId)
    const { session } = begun
    for (const servername of ['a.test', 'b.test']) {
      const there = await askTwice({ ...client, servername, session, host: 'b.test' })
      expect(there.body, servername).toBe('trust_domain_unknown')
      // Whether the session is resumed is Node's choice, and differs; who it is does not.
      const here = await askTwice({ ...client, servername, session, host: 'a.test' })
      expect([checkout.spiffeId, 'certificate_untrusted'], servername).toContain(here.body)
    }
  },
)

test.each(versions)(
  'T43 over %s, the server name of one host opens no other: what the handshake accepted for the one is nobody to the other',
  async (maxVersion) => {
    const inLab = await lab.svid('/checkout')
    const client = { port: await serveHosts(), ca: ca.bundle, maxVersion }
    const ask = async (servername: string, host: string, svid?: TestSvid): Promise<string> => {
      const shown = svid === undefined ? {} : { cert: svid.cert, key: svid.key }
      return (await askTwice({ ...client, ...shown, servername, host })).body
    }
    expect(await ask('b.test', 'b.test', inLab)).toBe(inLab.spiffeId)
    expect(await ask('b.test', 'a.test', inLab)).toBe('trust_domain_unknown')
    expect(await ask('a.test', 'b.test', checkout)).toBe('trust_domain_unknown')
    expect(await ask('b.test', 'a.test')).toBe('credential_missing')
    // Nor does a name shut anybody out who is the host's own.
    expect(await ask('b.test', 'a.test', checkout)).toBe(checkout.spiffeId)
  },
)
