// How other servers are asked: what leaves this process, and which answers are one.
import { once } from 'node:events'
import { createServer as createPlainServer, type IncomingMessage, type RequestListener } from 'node:http'
import { createServer as createTlsServer } from 'node:https'
import { createServer as createTcpServer, type Server, type Socket } from 'node:net'
import type { TLSSocket } from 'node:tls'
import { createTestCa } from '@countersign/testing'
import { afterEach, describe, expect, test, vi } from 'vitest'
import {
  fetchDocument,
  jsonOf,
  NoAnswer,
  UnexpectedStatus,
  type FetchOptions,
} from '../../packages/core/src/identity/trust/fetch-document.ts'
import { fetchReading } from '../../packages/core/src/identity/trust/reading.ts'

const open = new Set<() => void>()
afterEach(() => {
  for (const close of open) close()
  open.clear()
  vi.restoreAllMocks()
})

async function listening(server: Server, scheme: 'http' | 'https' = 'http'): Promise<URL> {
  const sockets = new Set<Socket>()
  server.on('connection', (socket: Socket) => sockets.add(socket))
  open.add(() => {
    server.close()
    for (const socket of sockets) socket.destroy()
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const address = server.address()
  if (address === null || typeof address === 'string') throw new Error('expected the server to have a port')
  return new URL(`${scheme}://localhost:${address.port}/document?a=b`)
}

/** A server that answers whatever it is asked. */
const answering = (answer: RequestListener): Promise<URL> => listening(createPlainServer(answer))

/** A server that writes these octets as its whole answer, and hangs up where that is said. */
const writing = (octets: string, hangsUp = true): Promise<URL> =>
  listening(
    createTcpServer((socket) => {
      socket.on('error', () => undefined)
      socket.once('data', () => (hangsUp ? socket.end(octets) : socket.write(octets)))
    }),
  )

const ask = (url: URL, options: Partial<FetchOptions> = {}) =>
  fetchDocument(url, { signal: new AbortController().signal, ...options })

/** The sentence for the operator. */
const problemOf = async (url: URL, options: Partial<FetchOptions> = {}): Promise<string> => {
  const error: unknown = await ask(url, options).catch((caught: unknown) => caught)
  if (error instanceof Error) return error.message
  throw new Error('expected a failure')
}

describe('what is asked', () => {
  const seen: { method?: string | undefined; url?: string | undefined; headers: object; body: string }[] = []
  const echo: RequestListener = async (request: IncomingMessage, response) => {
    let body = ''
    for await (const chunk of request) body += String(chunk)
    const { method, url, headers } = request
    seen.push({ method, url, headers, body })
    response.end('{}')
  }

  test('is asked by GET, for JSON', async () => {
    const url = await answering(echo)
    await ask(url)
    expect(seen.at(-1)).toEqual({
      method: 'GET',
      url: '/document?a=b',
      headers: { accept: 'application/json, application/jwk-set+json', host: url.host, connection: 'close' },
      body: '',
    })
  })

  test('is asked by POST where something is to be sent, of which the length is told', async () => {
    const url = await answering(echo)
    await ask(url, { body: 'token=é', headers: { accept: 'application/json', authorization: 'Basic x' } })
    expect(seen.at(-1)).toEqual({
      method: 'POST',
      url: '/document?a=b',
      headers: {
        accept: 'application/json',
        authorization: 'Basic x',
        'content-length': '8',
        host: url.host,
        connection: 'close',
      },
      body: 'token=é',
    })
  })
})

describe('over TLS', async () => {
  const ca = await createTestCa({ trustDomain: 'prod.example' })
  const { cert, key } = await ca.serverCertificate(['localhost'])
  const client = await ca.svid('/orders')
  const names: (string | undefined)[] = []
  const server = (asks: object = {}): Promise<URL> =>
    listening(
      createTlsServer({ cert, key, ...asks }, (request, response) => {
        const socket = request.socket as TLSSocket // an HTTPS server has no others
        names.push(socket.getPeerX509Certificate()?.subjectAltName)
        response.end('{}')
      }),
      'https',
    )

  test('a server is trusted by the authority that is given, and by no other', async () => {
    const url = await server()
    expect(await ask(url, { ca: ca.bundle })).toMatchObject({ status: 200 })
    expect(await problemOf(url)).toMatch(/self-signed|unable to/)
  })

  test('an own certificate is shown where one is given', async () => {
    const url = await server({ ca: ca.bundle, requestCert: true, rejectUnauthorized: false })
    await ask(url, { ca: ca.bundle, cert: client.cert, key: client.key })
    await ask(url, { ca: ca.bundle })
    expect(names.slice(-2)).toEqual(['URI:spiffe://prod.example/orders', undefined])
  })
})

describe('an answer', () => {
  test.each([200, 201, 304])('with status %i is one', async (status) => {
    const url = await answering((_, response) =>
      response
        .writeHead(status, { etag: '"1"', 'cache-control': 'max-age=60' })
        .end(status === 304 ? '' : '{"a":1}'),
    )
    const { headers, octets, ...rest } = await ask(url)
    expect(rest).toEqual({ status })
    expect(headers).toMatchObject({ etag: '"1"', 'cache-control': 'max-age=60' })
    expect(Buffer.from(octets).toString()).toBe(status === 304 ? '' : '{"a":1}')
  })

  test('may come in parts', async () => {
    const url = await answering((_, response) => {
      response.write('{"a"')
      setImmediate(() => response.end(':1}'))
    })
    expect(Buffer.from((await ask(url)).octets).toString()).toBe('{"a":1}')
  })

  test('may end with its connection', async () => {
    const url = await writing('HTTP/1.1 200 OK\r\n\r\n{"a":1}')
    expect(Buffer.from((await ask(url)).octets).toString()).toBe('{"a":1}')
  })

  test('may have half a MiB, and no more', async () => {
    const sized = (size: number) => answering((_, response) => response.end(' '.repeat(size)))
    expect((await ask(await sized(524_288))).octets).toHaveLength(524_288)
    expect(await problemOf(await sized(524_289))).toBe('the answer is longer than 524288 bytes')
  })

  test.each([202, 204, 206, 301, 302, 400, 401, 404, 500, 503])(
    'with status %i is none, and is not read to its end',
    async (status) => {
      const hungUp = Promise.withResolvers<void>()
      const url = await answering((_, response) => {
        response.once('close', hungUp.resolve)
        response.writeHead(status, { location: '/elsewhere' })
        if (status === 204) response.end()
        else response.write('and so on')
      })
      const error: unknown = await ask(url).catch((caught: unknown) => caught)
      expect(error).toBeInstanceOf(NoAnswer)
      expect(error).toBeInstanceOf(UnexpectedStatus)
      expect(error).toMatchObject({
        name: 'UnexpectedStatus',
        status,
        message: `expected status 200, got ${status}`,
      })
      await hungUp.promise
    },
  )

  test('that switches to another protocol is none, and is hung up on', async () => {
    const hungUp = Promise.withResolvers<void>()
    const url = await listening(
      createTcpServer((socket) => {
        socket.on('error', () => undefined).once('close', () => hungUp.resolve())
        socket.once('data', () =>
          socket.write('HTTP/1.1 101 Switching Protocols\r\nconnection: upgrade\r\nupgrade: x\r\n\r\n'),
        )
      }),
    )
    expect(await problemOf(url)).toBe('expected status 200, got 101')
    await hungUp.promise
  })

  test.each([
    [
      'breaks off',
      'HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\n{',
      'the connection closed before the answer was complete',
    ],
    ['is none', '', 'socket hang up'],
    ['is not HTTP', 'SSH-2.0\r\n', expect.stringMatching(/^Parse Error/)],
  ])('that %s is told as that', async (_, octets, problem) => {
    expect(await problemOf(await writing(octets))).toEqual(problem)
  })

  test('that nobody gives is none', async () => {
    const server = createTcpServer()
    const url = await listening(server)
    server.close()
    await once(server, 'close')
    expect(await problemOf(url)).toMatch(/ECONNREFUSED/)
  })

  test.each([
    ['the caller no longer waits', 0],
    ['its time is over', 1],
  ])('that does not come is not waited for when %s', async (_, which) => {
    const [caller, timer] = [new AbortController(), new AbortController()]
    vi.spyOn(AbortSignal, 'timeout').mockImplementation((ms) => {
      expect(ms).toBe(5000)
      return timer.signal
    })
    const reached = Promise.withResolvers<void>()
    const url = await answering(() => reached.resolve())
    const problem = problemOf(url, { signal: caller.signal })
    await reached.promise
    for (const each of [[caller, timer][which]]) each?.abort(new DOMException('over', 'TimeoutError'))
    expect(await problem).toBe('no answer within 5000 ms')
  })
})

test.each(['', '[]', '"a"', 'null', '{', '{"a":1,"a":2}'])('the document %j is none', (text) => {
  const read = () => jsonOf({ status: 200, headers: {}, octets: Buffer.from(text) })
  expect(read).toThrow(NoAnswer)
  expect(read).toThrow(
    expect.objectContaining({ name: 'NoAnswer', message: 'the answer is not a JSON object' }),
  )
})

test('what is sent back of an answer before is so long and no longer', async () => {
  const sent: unknown[] = []
  const url = new URL('https://keys.test/')
  for (const length of [1024, 1025]) {
    const last = { octets: Buffer.from('{}'), headers: { etag: 'e'.repeat(length) }, from: 'the answer', url }
    await fetchReading(url, last, async (_, headers) => {
      sent.push(headers['if-none-match']?.length)
      return { status: 200, headers: {}, octets: Buffer.from('{}') }
    })
  }
  expect(sent).toEqual([1024, undefined])
})
