import type { IncomingMessage } from 'node:http'
import { request as httpsRequest } from 'node:https'
import { text } from 'node:stream/consumers'

/** A certificate and its private key, PEM. */
export interface KeyPair {
  readonly cert: string
  readonly key: string
}

export interface OutgoingRequest {
  readonly method: string
  readonly url: string
  /** Name and value of each field, in order and as they are: a list can say what an object cannot, a field twice. */
  readonly headers?: readonly (readonly [name: string, value: string])[]
  readonly body?: string
  /** PEM of the authority that the server's certificate must come from. */
  readonly ca: string
  /** The client certificate, if one is presented. */
  readonly certificate?: KeyPair | undefined
}

export interface Answer {
  readonly status: number
  readonly body: string
  /** From before the TLS handshake to the end of the answer. */
  readonly ms: number
}

/** Sends one request over a connection of its own, so that each call shows its own certificate and no other. */
export async function sendRequest(outgoing: OutgoingRequest): Promise<Answer> {
  const { method, url, headers = [], body, ca, certificate } = outgoing
  const startedAt = performance.now()
  const request = httpsRequest(url, {
    method,
    headers: [['host', new URL(url).host], ...headers].flat(),
    ca,
    ...(certificate && { cert: certificate.cert, key: certificate.key }),
    agent: false,
    timeout: timeoutMs,
  })
  request.on('timeout', () => request.destroy(new Error(`no answer from ${url} within ${timeoutMs} ms`)))
  const response = await new Promise<IncomingMessage>((resolve, reject) => {
    request.on('response', resolve).on('error', reject).end(body)
  })
  const answer = await text(response)
  return { status: response.statusCode ?? 0, body: answer, ms: performance.now() - startedAt }
}

const timeoutMs = 10_000
