// What a child process is asked to serve.
import type { JsonWebKey } from 'node:crypto'
import type { RequestListener } from 'node:http'
import type { Verify } from '../contenders/peers.ts'
import type { Keys } from '../tokens.ts'

export const frameworks = ['node-http', 'express', 'koa', 'fastify', 'hono'] as const
export type FrameworkName = (typeof frameworks)[number]

/** What contenders verify with: the keys themselves, and where those find them that fetch. */
export interface Trust {
  readonly keys: Keys
  readonly jwksUri: string
}

/** Makes a service with one route, `GET /orders/:id`, that a framework serves. */
export type Serve = (trust: Trust) => RequestListener | Promise<RequestListener>

/** The service without a guard a second time: what it differs by is noise. */
export const bareAgain = 'the same once more'

/** What one framework is served with: without a guard as `bare`, and with each contender. */
export interface Framework {
  /** Contenders by name. All but `bare` and an empty middleware refuse what they cannot verify. */
  readonly contenders: Readonly<Record<string, Serve>>
  /** With a bare verifier in place of a middleware that somebody publishes. */
  with(verify: Verify): Serve
}

/** The first message to a child process. */
export interface ServeOrder {
  readonly framework: FrameworkName
  readonly contenders: readonly string[]
  readonly jwk: JsonWebKey & { readonly kid: string }
  readonly jwksUri: string
}
