import { subscribe, unsubscribe } from 'node:diagnostics_channel'
import { once } from 'node:events'
import { createServer, request, type IncomingHttpHeaders, type Server } from 'node:http'
import { decisionChannel, type DecisionEvent } from '@countersign/core'
import { createTestIssuer, type TestIssuer } from '@countersign/testing'
import express5 from 'express'
// @ts-expect-error -- an alias, for which there are no types; its interface is that of Express 5 as far as tests go
import express4 from 'express4'

/** Both majors that the adapter promises to work on; the types are those of the newer. */
export const expressVersions: readonly (readonly [name: string, express: typeof express5])[] = [
  ['Express 5', express5],
  ['Express 4', express4],
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

export interface Call {
  readonly method?: string
  readonly headers?: Readonly<Record<string, string | readonly string[]>>
  readonly body?: string
}

/** An application on a loopback port, called over real sockets. */
export class ServedApp {
  readonly #server: Server
  readonly #port: number

  private constructor(server: Server, port: number) {
    this.#server = server
    this.#port = port
  }

  static async start(app: Parameters<typeof createServer>[1]): Promise<ServedApp> {
    const server = createServer(app).listen(0, '127.0.0.1')
    await once(server, 'listening')
    const address = server.address()
    if (typeof address !== 'object' || address === null) throw new Error('expected a port')
    return new ServedApp(server, address.port)
  }

  async call(path: string, { method = 'GET', headers = {}, body }: Call = {}): Promise<Answer> {
    const events: DecisionEvent[] = []
    const listen = (event: unknown): void => void events.push(event as DecisionEvent)
    subscribe(decisionChannel, listen)
    try {
      const sent = request({
        port: this.#port,
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
        events,
        code: events.at(-1)?.code,
      }
    } finally {
      unsubscribe(decisionChannel, listen)
    }
  }

  async close(): Promise<void> {
    this.#server.closeAllConnections()
    this.#server.close()
    await once(this.#server, 'close')
  }
}

/** The header of a token with these scopes, from an issuer that `guardOptions` trusts. */
export async function bearer(issuer: TestIssuer, ...scopes: string[]): Promise<{ authorization: string }> {
  return issuer.headersFor('checkout', { scopes })
}

export const testIssuer = (): Promise<TestIssuer> => createTestIssuer()

const mutable = (headers: NonNullable<Call['headers']>): Record<string, string | string[]> =>
  Object.fromEntries(
    Object.entries(headers).map(([name, value]) => [name, typeof value === 'string' ? value : [...value]]),
  )
