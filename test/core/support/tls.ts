// A guard behind a real TLS server, and clients that call it over real connections.
import { once } from 'node:events'
import { request as httpsRequest, type Agent, createServer, type ServerOptions } from 'node:https'
import { connect, type TLSSocket } from 'node:tls'
import { authenticated, type Guard, type Placement } from '@countersign/core'
import { createTestCa } from '@countersign/testing'
import { codeOf } from './asking.ts'

/** What a server found out about one request. */
export interface Answer {
  /** `allow`, or the code of the refusal. */
  readonly code: string
  readonly caller: string | undefined
  readonly isResumed: boolean
  readonly hasCertificate: boolean
  /** What OpenSSL made of it. */
  readonly authorized: boolean
}

export interface Client {
  readonly cert?: string
  readonly key?: string
  readonly agent?: Agent
  readonly authorization?: string
  readonly session?: Buffer
  readonly maxVersion?: 'TLSv1.2' | 'TLSv1.3'
}

export interface TlsHouse {
  readonly port: number
  /** PEM of the authority behind the server's own certificate. */
  readonly ca: string
  call(client?: Client): Promise<Answer>
  close(): Promise<void>
}

const serverCa = await createTestCa({ name: 'CA of the test server' })
const identity = await serverCa.serverCertificate(['localhost'])

/** Lets the short keys and old hashes of hostile certificates through the handshake, so that a guard sees them. */
const anyCipher = 'DEFAULT@SECLEVEL=0'

export async function openTls(
  guard: Guard,
  placement: Placement = authenticated(),
  options: ServerOptions = {},
): Promise<TlsHouse> {
  const trust = { ca: [...guard.clientAuthorities], requestCert: true, rejectUnauthorized: false }
  const server = createServer(
    { cert: identity.cert, key: identity.key, ciphers: anyCipher, ...trust, ...options },
    async (request, response) => {
      const decision = await guard.decide(request, placement)
      const socket = request.socket as TLSSocket // an HTTPS server has no others
      const answer: Answer = {
        code: codeOf(decision),
        caller: decision.outcome === 'allow' ? decision.caller?.id : undefined,
        isResumed: socket.isSessionReused(),
        hasCertificate: socket.getPeerX509Certificate() !== undefined,
        authorized: socket.authorized,
      }
      response.end(JSON.stringify(answer))
    },
  )
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const address = server.address()
  if (address === null || typeof address === 'string') throw new Error('expected the server to have a port')
  const { port } = address
  return {
    port,
    ca: serverCa.bundle,
    call: (client = {}) => call(port, client),
    async close() {
      server.close()
      server.closeAllConnections()
      await once(server, 'close')
    },
  }
}

async function call(port: number, { authorization, agent, ...tls }: Client): Promise<Answer> {
  const sent = httpsRequest({
    host: 'localhost',
    family: 4,
    port,
    ca: serverCa.bundle,
    ciphers: anyCipher,
    agent: agent ?? false,
    headers: authorization === undefined ? {} : { authorization },
    ...tls,
  })
  sent.end()
  const [response] = await once(sent, 'response')
  const chunks: Buffer[] = []
  for await (const chunk of response) chunks.push(chunk)
  return JSON.parse(Buffer.concat(chunks).toString()) as Answer // written by the server above
}

/** A session that a later connection can resume. */
export async function sessionOf(
  house: TlsHouse,
  client: { cert?: string; key?: string; maxVersion: 'TLSv1.2' | 'TLSv1.3' },
): Promise<Buffer> {
  await house.call(client)
  const { port, ca } = house
  const socket = connect({ host: '127.0.0.1', servername: 'localhost', port, ca, ...client })
  const session = once(socket, 'session')
  socket.write('GET / HTTP/1.1\r\nHost: localhost\r\n\r\n')
  const [ticket] = await session
  socket.destroy()
  return ticket
}
