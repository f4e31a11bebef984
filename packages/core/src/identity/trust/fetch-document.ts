import { parseJsonObject } from '../jws/json-object.ts'

/** What a configured server answered: a success, or 304 to a conditional request. */
export interface FetchedDocument {
  readonly status: number
  /** Lower-case names. */
  readonly headers: Readonly<Record<string, string | undefined>>
  readonly octets: Uint8Array
}

export interface FetchOptions {
  readonly signal: AbortSignal
  /** PEM of the authorities that the server's certificate must chain to, instead of the public ones. */
  readonly ca?: string | undefined
  /** PEM of an own certificate and its key, where the server asks for one. */
  readonly cert?: string | undefined
  readonly key?: string | undefined
  /** Lower-case names. */
  readonly headers?: Readonly<Record<string, string>>
  /** Default: 512 KiB, more than any key set or metadata document needs. */
  readonly maxBytes?: number
  /** Sent by POST where there is one. */
  readonly body?: string | Uint8Array
}

/** How a guard asks other servers. */
export type FetchDocument = (url: URL, options: FetchOptions) => Promise<FetchedDocument>

/**
 * Fetches a small document. Bounded in time and size; a redirect is an error, never followed, since it would let the
 * server choose another source of trust. Rejects with a sentence for the operator.
 */
export const fetchDocument: FetchDocument = (
  url,
  { ca, cert, key, headers, body, signal, maxBytes: limit = maxBytes },
) =>
  new Promise((resolve, reject) => {
    // Taken when needed: importing these by name makes Node load its whole WebSocket client, more than all of ours.
    const { request } = process.getBuiltinModule(url.protocol === 'https:' ? 'node:https' : 'node:http')
    const sent = request(
      url,
      {
        ...(ca === undefined ? {} : { ca }),
        ...(cert === undefined ? {} : { cert, key }),
        agent: false,
        // The default of Node is what NODE_TLS_REJECT_UNAUTHORIZED says. Nobody's environment makes keys forgeable.
        rejectUnauthorized: true,
        method: body === undefined ? 'GET' : 'POST',
        headers: {
          accept: 'application/json, application/jwk-set+json',
          ...headers,
        },
        signal: AbortSignal.any([signal, AbortSignal.timeout(timeoutMs)]),
      },
      (response) => {
        const { statusCode: status = 0 } = response
        if (!isSuccess(status) && status !== 304) {
          response.destroy()
          reject(new UnexpectedStatus(status))
          return
        }
        const chunks: Buffer[] = []
        let size = 0
        response.on('data', (chunk: Buffer) => {
          size += chunk.length
          if (size > limit) response.destroy(new Error(`the answer is longer than ${limit} bytes`))
          chunks.push(chunk)
        })
        response.once('error', reject)
        response.once('end', () =>
          resolve({ status, headers: singleOf(response.headers), octets: Buffer.concat(chunks) }),
        )
      },
    )
    // Neither answer nor error comes of a connection that was switched to another protocol.
    sent.once('upgrade', (_response, socket) => {
      socket.destroy()
      reject(new UnexpectedStatus(101))
    })
    sent.once('close', () => reject(new Error('the connection closed before the answer was complete')))
    sent.once('error', (error) =>
      reject(error.name === 'AbortError' ? new Error(`no answer within ${timeoutMs} ms`) : error),
    )
    sent.end(body)
  })

/** The JSON object in an answer. Throws a sentence for the operator where there is none. */
export function jsonOf({ octets }: FetchedDocument): Record<string, unknown> {
  const object = parseJsonObject(octets)
  if (object === undefined) throw new NoAnswer('the answer is not a JSON object')
  return object
}

/** A failure that is told in words of our own: nothing that was sent is in them. */
export class NoAnswer extends Error {
  override readonly name: string = 'NoAnswer'
}

export const noAnswerInTime = 'no answer in time'

/** Rejects as soon as the signal fires: a fetch that the application supplies need not heed it. */
export const whenAborted = (signal: AbortSignal): Promise<never> =>
  new Promise((_resolve, reject) => {
    signal.addEventListener('abort', () => reject(new NoAnswer(noAnswerInTime)))
  })

/** The server answered, but not with the document. */
export class UnexpectedStatus extends NoAnswer {
  override readonly name = 'UnexpectedStatus'
  readonly status: number

  constructor(status: number) {
    super(`expected status 200, got ${status}`)
    this.status = status
  }
}

const isSuccess = (status: number): boolean => status === 200 || status === 201

// Only `Set-Cookie` is ever an array, and nobody here reads that.
const singleOf = (headers: NodeJS.Dict<string | string[]>): Record<string, string | undefined> =>
  Object.fromEntries(Object.entries(headers).map(([name, value]) => [name, String(value)]))

const timeoutMs = 5000
/** More than any key set or metadata document needs. */
export const maxBytes = 512 * 1024
