// A service of the shop: Express behind `createTlsServer`, with a guard, on a port of loopback.
import { subscribe, unsubscribe } from 'node:diagnostics_channel'
import { once } from 'node:events'
import type { Agent } from 'node:https'
import { decisionChannel, type DecisionEvent, type Environment } from '@countersign/core'
import {
  authenticated,
  countersign,
  createGuard,
  createTlsServer,
  requireScopes,
  requires,
  type Caller,
  type Guard,
  type GuardOptions,
} from '@countersign/express'
import { createTestCa } from '@countersign/testing'
import express from 'express'
import { send, type Answer } from './send.ts'

/** How a test calls a service: with these headers, and this certificate on the connection. */
export interface Call {
  readonly headers?: Readonly<Record<string, string>>
  readonly certificate?: { readonly cert: string; readonly key: string }
  readonly agent?: Agent
}

export interface Service {
  /** The name under which callers know it. */
  readonly url: string
  readonly port: number
  /** PEM of the authority behind its HTTPS certificate. */
  readonly ca: string
  readonly guard: Guard
  /** `allow`, or the code of the refusal. */
  call(path: string, call?: Call): Promise<Answer & { readonly code: string }>
  close(): Promise<void>
}

interface Setting {
  readonly environment?: Partial<Environment>
  readonly requestCertificate?: boolean
}

const ca = await createTestCa({ name: 'CA of the services' })
const host = 'orders.internal'
const { cert, key } = await ca.serverCertificate([host])

/** Starts a service whose routes answer with what they know of their caller. */
export async function startService(options: GuardOptions, setting: Setting = {}): Promise<Service> {
  const { environment, ...tls } = setting
  const guard = createGuard({ log: false, ...options }, environment)
  const app = express()
  app.use(countersign(guard))
  app.get(
    '/orders',
    requireScopes('orders:read'),
    ({ caller }, response) => void response.json(known(caller)),
  )
  app.get(
    '/ledger',
    requireScopes('ledger:read'),
    ({ caller }, response) => void response.json(known(caller)),
  )
  app.get('/whoami', requires(authenticated()), ({ caller }, response) => void response.json(known(caller)))
  const server = createTlsServer(app, { cert, key, guard, ...tls }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  const address = server.address()
  if (address === null || typeof address === 'string') throw new Error('expected the server to have a port')
  const { port } = address
  const service = { url: `https://${host}`, port, ca: ca.bundle }
  const codes = new Codes()
  return {
    ...service,
    guard,
    async call(path, call = {}) {
      const answer = await send(`${service.url}${path}`, { ...service, ...call })
      return { ...answer, code: answer.status === 200 ? 'allow' : codes.of(answer) }
    },
    async close() {
      codes.close()
      guard.close()
      const closed = once(server, 'close')
      server.close()
      server.closeAllConnections()
      await closed
    },
  }
}

/** Why requests were refused, which only the operator is told: found by the decision id that the caller is told. */
class Codes {
  readonly #codes = new Map<string, string>()
  readonly #listen = (event: unknown): void => {
    const { id, code } = event as DecisionEvent // what this channel carries
    if (code !== null) this.#codes.set(id, code)
  }

  constructor() {
    subscribe(decisionChannel, this.#listen)
  }

  of({ status, body }: Answer): string {
    const { decision } = JSON.parse(body) as { decision: string } // a refusal's problem document
    return this.#codes.get(decision) ?? `status ${status}`
  }

  close(): void {
    unsubscribe(decisionChannel, this.#listen)
  }
}

const known = ({ id, service, user, actors, scopes, provenBy }: Caller) => ({
  id,
  service: service?.id,
  user: user?.id,
  actors: actors.map((actor) => actor.id),
  scopes: [...scopes],
  provenBy,
})
