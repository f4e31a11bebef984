// An application of Nest on a loopback port, called over real sockets.
import { subscribe, unsubscribe } from 'node:diagnostics_channel'
import { once } from 'node:events'
import { request, type IncomingHttpHeaders } from 'node:http'
import { decisionChannel, type DecisionEvent, type Guard } from '@countersign/core'
import { CountersignModule } from '@countersign/nest'
import type {
  DynamicModule,
  INestApplication,
  ModuleMetadata,
  NestApplicationOptions,
  Type,
} from '@nestjs/common'
import { NestFactory, type AbstractHttpAdapter } from '@nestjs/core'
import { ExpressAdapter } from '@nestjs/platform-express'
import { FastifyAdapter } from '@nestjs/platform-fastify'

export const platforms: readonly (readonly [name: string, adapter: () => AbstractHttpAdapter])[] = [
  ['Express', () => new ExpressAdapter()],
  ['Fastify', () => new FastifyAdapter()],
]

export interface Answer {
  readonly status: number
  readonly headers: IncomingHttpHeaders
  readonly body: string
  readonly events: readonly DecisionEvent[]
  /** Of the last decision that was recorded meanwhile; null where it allowed, undefined where there was none. */
  readonly code: string | null | undefined
}

export interface Call {
  readonly method?: string
  readonly headers?: Readonly<Record<string, string>>
  readonly body?: string
}

class Root {}

/** A root module of these parts, behind a guard. */
export const rootWith = (guard: Guard, parts: ModuleMetadata): DynamicModule => ({
  ...parts,
  module: Root as Type<unknown>,
  imports: [CountersignModule.forRoot(guard), ...(parts.imports ?? [])],
})

/** Makes an application. `prepare`: what `main.ts` does before it listens. */
export async function createApp(
  root: DynamicModule | Type<unknown>,
  adapter: AbstractHttpAdapter,
  {
    prepare = () => undefined,
    ...options
  }: NestApplicationOptions & { prepare?: (app: INestApplication) => unknown } = {},
): Promise<INestApplication> {
  const app = await NestFactory.create(root, adapter, { logger: false, abortOnError: false, ...options })
  await prepare(app)
  return app
}

/** Has an application listen while something runs. */
export async function serving(
  app: INestApplication,
  run: (call: (path: string, call?: Call) => Promise<Answer>, port: number) => Promise<void>,
): Promise<void> {
  try {
    await app.listen(0, '127.0.0.1')
    const { port } = app.getHttpServer().address()
    await run((path, call) => callOn(port, path, call), port)
  } finally {
    app.getHttpServer().closeAllConnections()
    await app.close()
  }
}

/** The decisions that are recorded while something runs. */
export async function recording<Value>(
  run: (events: readonly DecisionEvent[]) => Promise<Value>,
): Promise<{ readonly value: Value; readonly events: readonly DecisionEvent[] }> {
  const events: DecisionEvent[] = []
  const listen = (event: unknown): void => void events.push(event as DecisionEvent) // the channel's own
  subscribe(decisionChannel, listen)
  try {
    return { value: await run(events), events }
  } finally {
    unsubscribe(decisionChannel, listen)
  }
}

async function callOn(
  port: number,
  path: string,
  { method = 'GET', headers = {}, body }: Call = {},
): Promise<Answer> {
  const { value, events } = await recording(async () => {
    const sent = request({ host: '127.0.0.1', port, path, method, headers, agent: false })
    sent.end(body)
    const [response] = await once(sent, 'response')
    const chunks: Buffer[] = []
    for await (const chunk of response) chunks.push(chunk)
    return { status: response.statusCode, headers: response.headers, body: Buffer.concat(chunks).toString() }
  })
  return { ...value, events, code: events.at(-1)?.code }
}
