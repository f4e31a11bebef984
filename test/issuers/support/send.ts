import { once } from 'node:events'
import type { IncomingHttpHeaders, IncomingMessage } from 'node:http'
import { request as httpsRequest, type Agent } from 'node:https'
import { text } from 'node:stream/consumers'

export interface Outgoing {
  readonly method?: string
  readonly headers?: Readonly<Record<string, string>>
  readonly body?: string
  /** PEM of the authority behind the server's certificate. */
  readonly ca: string
  /** The client certificate, if one is presented. */
  readonly certificate?: { readonly cert: string; readonly key: string } | undefined
  /** The port on loopback where the URL's host is found. Default: the URL's own. */
  readonly port?: number
  /** Default: a connection for this request alone. */
  readonly agent?: Agent
}

export interface Answer {
  readonly status: number
  readonly headers: IncomingHttpHeaders
  readonly body: string
}

/** Sends one request over TLS, to loopback, whatever the URL's host: names of services lead nowhere else here. */
export async function send(url: string, outgoing: Outgoing): Promise<Answer> {
  const { method = 'GET', headers = {}, body, ca, certificate, agent } = outgoing
  const { host, hostname, port, pathname, search } = new URL(url)
  const sent = httpsRequest({
    host: '127.0.0.1',
    port: outgoing.port ?? port,
    servername: hostname,
    path: pathname + search,
    method,
    headers: { host, ...headers },
    ca,
    ...(certificate && { cert: certificate.cert, key: certificate.key }),
    agent: agent ?? false,
  })
  sent.end(body)
  const [response] = (await once(sent, 'response')) as [IncomingMessage] // as `response` is documented
  return { status: response.statusCode ?? 0, headers: response.headers, body: await text(response) }
}
