import type { IncomingMessage } from 'node:http'
import { request as httpsRequest } from 'node:https'
import { text } from 'node:stream/consumers'

/** A certificate and its private key, PEM. */
export interface KeyPair {
  readonly cert: string
  readonly key: string
}

/** What a caller shows of itself. */
export interface Presented {
  /** The values of `Authorization`, in order and as they are: a list can say what an object cannot, a field twice. */
  readonly authorization: readonly string[]
  /** The client certificate, if one is presented. */
  readonly certificate?: KeyPair | undefined
}

export interface OutgoingRequest extends Presented {
  readonly method: string
  readonly url: string
  readonly body?: URLSearchParams
  /** PEM of the authority that the server's certificate must come from. */
  readonly ca: string
}

export interface Answer {
  /** Of HTTP, or of gRPC where the call was one. */
  readonly status: number
  readonly body: string
  /** From before the TLS handshake to the end of the answer. */
  readonly ms: number
}

/** Sends one request over a connection of its own, so that each call shows its own certificate and no other. */
export async function sendRequest(outgoing: OutgoingRequest): Promise<Answer> {
  const { method, url, authorization, body, ca, certificate } = outgoing
  const content = body?.toString() ?? ''
  const startedAt = performance.now()
  const request = httpsRequest(url, {
    method,
    headers: [
      ['host', new URL(url).host],
      ...authorization.map((value) => ['authorization', value]),
      ...(body ? [['content-type', 'application/x-www-form-urlencoded']] : []),
      // A list of headers is sent as it is. Without a length, a body might follow, of a type that nobody has named.
      ...(method === 'GET' ? [] : [['content-length', String(content.length)]]),
    ].flat(),
    ca,
    ...(certificate && { cert: certificate.cert, key: certificate.key }),
    agent: false,
    timeout: timeoutMs,
  })
  request.on('timeout', () => request.destroy(new Error(`no answer from ${url} within ${timeoutMs} ms`)))
  const response = await new Promise<IncomingMessage>((resolve, reject) => {
    request.on('response', resolve).on('error', reject).end(content)
  })
  const answer = await text(response)
  return { status: response.statusCode ?? 0, body: answer, ms: performance.now() - startedAt }
}

/** How long a service waits for another. */
export const timeoutMs = 10_000
