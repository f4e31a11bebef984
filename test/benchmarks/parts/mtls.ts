import type { TLSSocket } from 'node:tls'
import { createTestCa, type TestSvid } from '@countersign/testing'
import type { Plan } from '../measure.ts'
import type { Table } from '../report.ts'
import type { MtlsServerSetup } from '../servers/mtls-server.ts'
import { startServer, type StartedServer } from '../servers/start-server.ts'
import { openConnection, request } from '../tls-load.ts'
import { compareTurns } from '../turns.ts'

/** What knowing a caller by its certificate costs a server beside mutual TLS itself, with chains of three P-256 certificates. */
export async function mtls({ rounds, times }: Plan): Promise<readonly Table[]> {
  const root = await createTestCa()
  const issuing = await root.intermediate()
  const { cert, key } = await root.serverCertificate()
  const clients: TestSvid[] = []
  for (let i = 0; i < times / 10; i += 1) clients.push(await issuing.svid(`/client/${i}`))
  const known = clients.slice(0, 1)

  const running: StartedServer[] = []
  const start = async (kind: MtlsServerSetup['kind'], maxEntries?: number): Promise<StartedServer> => {
    const trust = { roots: root.bundle, intermediates: issuing.chain, trustDomain: root.trustDomain }
    const server = await startServer('mtls-server.ts', { kind, cert, key, ...trust, maxEntries })
    running.push(server)
    return server
  }
  try {
    const [bare, ours, forgetful, x509, described] = await Promise.all([
      start('bare'),
      start('countersign'),
      // Room for fewer than there are, so that each is verified anew.
      start('countersign', Math.ceil(clients.length / 10)),
      start('x509'),
      start('peerCertificate'),
    ])
    const compareServers = (servers: Readonly<Record<string, StartedServer>>, costOf: Cost) => {
      const measured = Object.entries({ baseline: bare, 'bare mTLS itself': bare, ...servers })
      return compareTurns(
        measured.map(([name, server]) => ({ name, cost: () => costOf(server) })),
        Math.ceil(rounds / 2),
      )
    }
    const onNew = (certificates: readonly TestSvid[]): Cost =>
      onNewConnections(root.bundle, certificates, clients.length)
    const naive = { 'getPeerX509Certificate() on each request': x509 }
    return [
      {
        part: 'mtls',
        title: 'mTLS, requests on kept-alive connections',
        unit: 'server CPU of a request over bare mTLS',
        rows: await compareServers(
          { Countersign: ours, ...naive, 'getPeerCertificate(true) on each request': described },
          onKeptConnections(root.bundle, known, times * 4),
        ),
      },
      {
        part: 'mtls',
        title: 'mTLS, new connections by a certificate that was seen before',
        unit: handshake,
        rows: await compareServers({ Countersign: ours, ...naive }, onNew(known)),
      },
      {
        part: 'mtls',
        title: 'mTLS, new connections by certificates that were never seen',
        unit: handshake,
        rows: await compareServers({ Countersign: forgetful, ...naive }, onNew(clients)),
      },
    ]
  } finally {
    for (const server of running) server.close()
  }
}

const handshake = 'server CPU of a full handshake and one request over bare mTLS'

/** Microseconds of CPU that some load costs a server. */
type Cost = (server: StartedServer) => Promise<number>

const portOf = ({ ports: [port = 0] }: StartedServer): number => port

const onKeptConnections =
  (roots: string, clients: readonly TestSvid[], times: number): Cost =>
  async (server) => {
    const sockets: TLSSocket[] = []
    for (let i = 0; i < lanes; i += 1) {
      const socket = await openConnection(portOf(server), roots, clients[i % clients.length])
      await request(socket)
      sockets.push(socket)
    }
    const before = await server.cpu()
    await Promise.all(
      sockets.map(async (socket) => {
        for (let i = 0; i < times / lanes; i += 1) await request(socket)
      }),
    )
    const after = await server.cpu()
    for (const socket of sockets) socket.destroy()
    return after - before
  }

const onNewConnections =
  (roots: string, clients: readonly TestSvid[], times: number): Cost =>
  async (server) => {
    const before = await server.cpu()
    for (let i = 0; i < times; i += 1) {
      const socket = await openConnection(portOf(server), roots, clients[i % clients.length])
      await request(socket)
      socket.destroy()
    }
    return (await server.cpu()) - before
  }

const lanes = 16
