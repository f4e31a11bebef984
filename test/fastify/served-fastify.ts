import { subscribe, unsubscribe } from 'node:diagnostics_channel'
import { once } from 'node:events'
import { request, type IncomingHttpHeaders } from 'node:http'
import { decisionChannel, type DecisionEvent } from '@countersign/core'
import { createGuard, type Guard, type GuardOptions } from '@countersign/fastify'
import type { TestIssuer } from '@countersign/testing'
import fastify5, { type FastifyInstance } from 'fastify'
import fastify50 from 'fastify50'

/** The newest and the oldest release that the adapter promises to work on; the types are those of the newer. */
export const fastifyVersions: readonly (readonly [name: string, fastify: MakeApp])[] = [
  ['Fastify 5.12', (options) => fastify5({ ...options })],
  ['Fastify 5.0', (options) => fastify50({ ...options }) as unknown as FastifyInstance], // the same interface as far as tests go
]

export type MakeApp = (options?: object) => FastifyInstance

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
  readonly headers?: Readonly<Record<string, string | string[]>>
  readonly body?: string
}

/** Calls an application over a real socket. It listens from the first call on. */
export async function call(app: FastifyInstance, path: string, options: Call = {}): Promise<Answer> {
  if (!app.server.listening) await app.listen({ port: 0, host: '127.0.0.1' })
  const { method = 'GET', headers = {}, body } = options
  return recording(async () => {
    const { port } = app.server.address() as { readonly port: number } // it listens on a port
    const sent = request({ port, host: '127.0.0.1', path, method, agent: false, headers })
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

/** What was answered, and every decision that was recorded meanwhile. */
export async function recording(send: () => Promise<Omit<Answer, 'events' | 'code'>>): Promise<Answer> {
  const events: DecisionEvent[] = []
  const listen = (event: unknown): void => void events.push(event as DecisionEvent) // as published
  subscribe(decisionChannel, listen)
  try {
    const answer = await send()
    return { ...answer, events, code: events.at(-1)?.code }
  } finally {
    unsubscribe(decisionChannel, listen)
  }
}

/** Guards and applications that are closed when the test is over. */
export class Opened {
  readonly #apps: FastifyInstance[] = []
  readonly #guards: Guard[] = []
  /** What operators were told. */
  readonly told: string[] = []

  guard(issuer: TestIssuer, options: Partial<GuardOptions> = {}): Guard {
    const log = { warn: (message: string) => void this.told.push(message) }
    const guard = createGuard({ audience: 'orders', issuers: [issuer], log, ...options })
    this.#guards.push(guard)
    return guard
  }

  app<App extends { close(): unknown }>(app: App): App {
    this.#apps.push(app as unknown as FastifyInstance) // whatever its server speaks
    return app
  }

  async close(): Promise<void> {
    for (const guard of this.#guards) guard.close()
    await Promise.all(this.#apps.map((app) => app.close()))
  }
}

/** The header of a token with these scopes. */
export const bearer = (issuer: TestIssuer, ...scopes: string[]): Promise<{ authorization: string }> =>
  issuer.headersFor('checkout', { scopes })

/** What an operation that is expected to fail fails with. */
export async function failureOf(
  operation: PromiseLike<unknown>,
): Promise<Error & { readonly option?: string }> {
  const error: unknown = await operation.then(
    () => undefined,
    (reason: unknown) => reason,
  )
  if (!(error instanceof Error)) throw new Error('expected it to fail')
  return error
}
