import { subscribe, unsubscribe } from 'node:diagnostics_channel'
import { once } from 'node:events'
import { createServer, request, type IncomingHttpHeaders, type Server } from 'node:http'
import { decisionChannel, type DecisionEvent } from '@countersign/core'
import { getRequestListener } from '@hono/node-server'
import { createTestIssuer, type TestIssuer } from '@countersign/testing'
import { Hono as Hono413 } from 'hono'
import { Hono as Hono48 } from 'hono48'

/** The first and the last release that the adapter promises to work on; the types are those of the last. */
export const honoVersions: readonly (readonly [name: string, Hono: typeof Hono413])[] = [
  ['Hono 4.13', Hono413],
  ['Hono 4.8', Hono48 as unknown as typeof Hono413], // an alias; its interface is the same as far as tests go
]

export interface Answer {
  readonly status: number
  readonly headers: IncomingHttpHeaders
  readonly body: string
  /** Every decision that was recorded while the call was under way. */
  readonly events: readonly DecisionEvent[]
  /** The code of the last one; null when it allowed, undefined when none was recorded. */
  readonly code: string | null | undefined
}

type FetchCallback = Parameters<typeof getRequestListener>[0]

export interface Call {
  readonly method?: string
  readonly headers?: Readonly<Record<string, string | readonly string[]>>
  readonly body?: string
}

/** An application on a loopback port, called over real sockets. */
export class ServedApp {
  readonly #server: Server
  readonly port: number

  private constructor(server: Server, port: number) {
    this.#server = server
    this.port = port
  }

  static async start(app: { readonly fetch: FetchCallback }): Promise<ServedApp> {
    // As `serve` does it; Hono builds its router with the first request, so routes may still be added.
    const server = createServer(getRequestListener((...args) => app.fetch(...args))).listen(0, '127.0.0.1')
    await once(server, 'listening')
    const address = server.address()
    if (typeof address !== 'object' || address === null) throw new Error('expected a port')
    return new ServedApp(server, address.port)
  }

  async call(path: string, { method = 'GET', headers = {}, body }: Call = {}): Promise<Answer> {
    return recorded(async () => {
      const sent = request({
        port: this.port,
        host: '127.0.0.1',
        path,
        method,
        agent: false,
        headers: mutable(headers),
      })
      sent.end(body)
      const [response] = await once(sent, 'response')
      const chunks: Buffer[] = []
      for await (const chunk of response) chunks.push(chunk)
      return {
        status: response.statusCode,
        headers: response.headers,
        body: Buffer.concat(chunks).toString(),
      }
    })
  }

  async close(): Promise<void> {
    this.#server.closeAllConnections()
    this.#server.close()
    await once(this.#server, 'close')
  }
}

/** The same without any socket, as on other runtimes. */
export const fetched = (
  app: { request(path: string, init?: RequestInit): Response | Promise<Response> },
  path: string,
  init?: RequestInit,
): Promise<Answer> =>
  recorded(async () => {
    const response = await app.request(path, init)
    return {
      status: response.status,
      headers: Object.fromEntries(response.headers),
      body: await response.text(),
    }
  })

async function recorded(call: () => Promise<Omit<Answer, 'events' | 'code'>>): Promise<Answer> {
  const events: DecisionEvent[] = []
  const listen = (event: unknown): void => void events.push(event as DecisionEvent)
  subscribe(decisionChannel, listen)
  try {
    return { ...(await call()), events, code: events.at(-1)?.code }
  } finally {
    unsubscribe(decisionChannel, listen)
  }
}

/** The header of a token with these scopes, from an issuer that the guard trusts. */
export async function bearer(issuer: TestIssuer, ...scopes: string[]): Promise<{ authorization: string }> {
  return issuer.headersFor('checkout', { scopes })
}

export const testIssuer = (): Promise<TestIssuer> => createTestIssuer()

const mutable = (headers: NonNullable<Call['headers']>): Record<string, string | string[]> =>
  Object.fromEntries(
    Object.entries(headers).map(([name, value]) => [name, typeof value === 'string' ? value : [...value]]),
  )
