// Calls of gRPC: a route is a method of one service, and what is sent are octets.
import { setTimeout as later } from 'node:timers/promises'
import {
  Client,
  Metadata,
  credentials,
  status as Status,
  type ChannelCredentials,
  type ClientDuplexStream,
  type ClientReadableStream,
  type ClientUnaryCall,
  type ClientWritableStream,
  type ServiceDefinition,
  type ServiceError,
  type StatusObject,
} from '@grpc/grpc-js'
import { connect } from 'node:net'
import { once, type EventEmitter } from 'node:events'
import { recorded, serverCa, type Answer, type Call, type Calls } from '../served.ts'
import type { OpenStream, Outcome, Received, Served, Transport } from '../served.ts'
import type { RouteName, Service, ServiceRoute, Streams } from '../subject.ts'

/** The method of a service that a route is. */
export const spell = (method: string, path: string): RouteName => ({
  method: 'POST',
  path: `/suite.Suite/${method}${path.replaceAll('/', '.')}`,
})

type Stream = ClientReadableStream<Buffer> | ClientDuplexStream<Buffer, Buffer>
type Begun = ClientUnaryCall | ClientWritableStream<Buffer> | Stream

export class GrpcServed implements Served {
  readonly opening = []
  readonly #port: number
  readonly #transport: Transport
  readonly #streams: ReadonlyMap<string, Streams | undefined>
  readonly #close: () => void
  #shared: Client | undefined

  constructor(port: number, transport: Transport, { routes }: Service, close: () => void) {
    this.#port = port
    this.#transport = transport
    this.#streams = new Map(
      routes.map(({ method, path, converse, streams = converse && 'both' }) => [
        spell(method, path).path,
        streams,
      ]),
    )
    this.#close = close
  }

  async call(path: string, call: Call = {}): Promise<Answer> {
    const client = this.#client(call)
    try {
      return await this.#over(client, path, call)
    } finally {
      client.close()
    }
  }

  /** However many: one connection of HTTP/2 takes all. */
  kept(): Calls {
    const client = this.#client({})
    return { call: (path, call = {}) => this.#over(client, path, call), close: () => client.close() }
  }

  async abandon(path: string, call: Call, when: 'at once' | 'begun'): Promise<void> {
    const client = this.#client(call)
    const begun = this.#begin(client, path, { method: 'POST', ...call }, () => undefined)
    const cancelled = ended(begun)
    if ('write' in begun) begun.write(Buffer.from('abc'))
    if (when === 'begun') await later(5)
    begun.cancel()
    await cancelled
    client.close()
  }

  /** All over one connection. */
  open(path: string, call: Call): OpenStream {
    const client = (this.#shared ??= this.#client({}))
    const received: string[] = []
    const begun = this.#begin(client, path, call, () => undefined)
    if ('read' in begun) begun.on('data', (text: Buffer) => void received.push(String(text)))
    const end = ended(begun).then(({ code, details }) => {
      const outcome = outcomeOf(code, details)
      if (outcome === 'unavailable') return outcome
      return outcome === 'unauthenticated' || outcome === 'forbidden' ? 'refused' : 'otherwise'
    })
    return {
      received,
      ended: end,
      send: (text) => void ('write' in begun && begun.write(Buffer.from(text))),
      close: () => void ('end' in begun && begun.end()),
    }
  }

  async raw(): ReturnType<Served['raw']> {
    const socket = connect(this.#port, '127.0.0.1')
    await once(socket, 'connect')
    return socket
  }

  async close(): Promise<void> {
    this.#shared?.close()
    this.#close()
  }

  #client({ certificate }: Call): Client {
    const roots = Buffer.from(serverCa.bundle)
    let channel: ChannelCredentials = credentials.createInsecure()
    if (this.#transport !== 'http' && certificate === undefined) channel = credentials.createSsl(roots)
    else if (this.#transport !== 'http' && certificate !== undefined) {
      channel = credentials.createSsl(roots, Buffer.from(certificate.key), Buffer.from(certificate.cert))
    }
    return new Client(`127.0.0.1:${this.#port}`, channel, {
      'grpc.ssl_target_name_override': 'localhost',
      'grpc.default_authority': 'localhost',
      'grpc.use_local_subchannel_pool': 1,
    })
  }

  #over(client: Client, path: string, call: Call): Promise<Answer> {
    return recorded(async () => {
      const parts = await partsOf(call.body)
      const messages: Buffer[] = []
      const fields: Record<string, string> = {}
      const note = (metadata: Metadata): void => void Object.assign(fields, metadata.getMap())
      const answered = Promise.withResolvers<Buffer | undefined>()
      const begun = this.#begin(client, path, call, (_error, message) => answered.resolve(message), parts)
      const end = ended(begun)
      begun.on('metadata', note)
      if ('read' in begun) begun.on('data', (message: Buffer) => void messages.push(message))
      if ('write' in begun) {
        for (const part of parts) begun.write(Buffer.from(part))
        begun.end()
      }
      const { code, details, metadata } = await end
      note(metadata)
      const single = 'read' in begun ? undefined : await answered.promise
      if (single !== undefined) messages.push(single)
      const outcome = outcomeOf(code, details)
      const body = outcome === 'handled' ? Buffer.concat(messages).toString() : details
      return { outcome, status: code, headers: fields, body } satisfies Received
    })
  }

  #begin(
    client: Client,
    path: string,
    { method = 'GET', headers = {} }: Call,
    done: (error: ServiceError | null, message?: Buffer) => void,
    parts: readonly Uint8Array[] = [],
  ): Begun {
    const name = spell(method, path.split('?', 1)[0] ?? '').path
    const metadata = new Metadata()
    for (const [field, values] of Object.entries(headers)) {
      for (const value of [values].flat()) metadata.add(field, value)
    }
    const streams = this.#streams.get(name)
    if (streams === 'in') return client.makeClientStreamRequest(name, same, same, metadata, done)
    if (streams === 'both') return client.makeBidiStreamRequest(name, same, same, metadata)
    const message = Buffer.concat(parts)
    return streams === 'out'
      ? client.makeServerStreamRequest(name, same, same, message, metadata)
      : client.makeUnaryRequest(name, same, same, message, metadata, done)
  }
}

/** How a call ends, which is said once, whatever comes before. */
function ended(begun: Begun): Promise<StatusObject> {
  const emitter: EventEmitter = begun
  emitter.on('error', () => undefined)
  return new Promise((resolve) => emitter.once('status', resolve))
}

const same = (octets: Buffer): Buffer => octets

/** The service that has these routes for methods, each under the name that is asked for. */
export const definitionOf = (
  routes: readonly ServiceRoute[],
  nameOf: (name: RouteName) => string,
): ServiceDefinition =>
  Object.fromEntries(
    routes.map(({ method, path, converse, streams = converse && 'both' }) => [
      nameOf(spell(method, path)),
      {
        path: spell(method, path).path,
        requestStream: streams === 'in' || streams === 'both',
        responseStream: streams === 'out' || streams === 'both',
        requestSerialize: same,
        requestDeserialize: same,
        responseSerialize: same,
        responseDeserialize: same,
      },
    ]),
  )

/** What was decided is known by what only a decision says. */
function outcomeOf(code: Status, details: string): Outcome {
  if (code === Status.OK) return 'handled'
  if (code === Status.UNIMPLEMENTED) return 'unknown'
  if (!/\(decision [\w-]+\)$/.test(details)) return 'failed'
  return refusals[code] ?? 'failed'
}

const refusals: Readonly<Record<number, Outcome>> = {
  [Status.UNAUTHENTICATED]: 'unauthenticated',
  [Status.PERMISSION_DENIED]: 'forbidden',
  [Status.INTERNAL]: 'set up wrongly',
  [Status.UNAVAILABLE]: 'unavailable',
}

async function partsOf(body: Call['body']): Promise<readonly Uint8Array[]> {
  if (typeof body === 'string') return [Buffer.from(body)]
  const parts: Uint8Array[] = []
  if (body !== undefined) for await (const part of body) parts.push(part)
  return parts
}
