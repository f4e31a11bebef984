import { parseJsonObject } from './json-object.ts'

/** A JSON object fetched from a configured URL, and how long its server says that it keeps. */
export interface FetchedDocument {
  readonly body: Record<string, unknown>
  /** From `Cache-Control: max-age`, in seconds. */
  readonly maxAgeSeconds: number | undefined
}

export interface FetchOptions {
  /** PEM of the authorities that the server's certificate must chain to, instead of the public ones. */
  readonly ca: string | undefined
  readonly signal: AbortSignal
}

export type FetchDocument = (url: URL, options: FetchOptions) => Promise<FetchedDocument>

/**
 * Fetches a small JSON document. Bounded in time and size; a redirect is an error, never followed, since it would
 * let the server choose another source of trust. Rejects with a sentence for the operator.
 */
export const fetchDocument: FetchDocument = (url, { ca, signal }) =>
  new Promise((resolve, reject) => {
    // Taken when needed: importing these by name makes Node load its whole WebSocket client, more than all of ours.
    const { request } = process.getBuiltinModule(url.protocol === 'https:' ? 'node:https' : 'node:http')
    const sent = request(
      url,
      {
        ...(ca === undefined ? {} : { ca }),
        agent: false,
        headers: { accept: 'application/json, application/jwk-set+json' },
        signal: AbortSignal.any([signal, AbortSignal.timeout(timeoutMs)]),
      },
      (response) => {
        const { statusCode } = response
        if (statusCode !== 200) {
          response.destroy()
          reject(new UnexpectedStatus(statusCode ?? 0))
          return
        }
        const chunks: Buffer[] = []
        let size = 0
        response.on('data', (chunk: Buffer) => {
          size += chunk.length
          if (size > maxBytes) response.destroy(new Error(`the answer is longer than ${maxBytes} bytes`))
          chunks.push(chunk)
        })
        response.once('error', reject)
        response.once('close', () =>
          reject(new Error('the connection closed before the answer was complete')),
        )
        response.once('end', () => {
          const body = parseJsonObject(Buffer.concat(chunks))
          if (body === undefined) reject(new Error('the answer is not a JSON object'))
          else resolve({ body, maxAgeSeconds: maxAge(response.headers['cache-control']) })
        })
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
    sent.end()
  })

/** The server answered, but not with the document. */
export class UnexpectedStatus extends Error {
  readonly status: number

  constructor(status: number) {
    super(`expected status 200, got ${status}`)
    this.name = 'UnexpectedStatus'
    this.status = status
  }
}

function maxAge(cacheControl: string | undefined): number | undefined {
  const [, seconds] = /(?:^|[\s,])max-age=(\d{1,9})(?:$|[\s,;])/i.exec(cacheControl ?? '') ?? []
  return seconds === undefined ? undefined : Number(seconds)
}

const timeoutMs = 5000
const maxBytes = 512 * 1024
