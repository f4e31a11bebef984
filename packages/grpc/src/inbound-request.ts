import type { InboundRequest } from '@countersign/core'
import type { Metadata, ServerInterceptingCallInterface } from '@grpc/grpc-js'
import { streamOf } from './framework.ts'

/** A call as core sees requests: metadata are the headers of a `POST`, which is what every call is on the wire. */
export interface InboundCall extends InboundRequest {
  rawHeaders: string[]
}

export function inboundCall(
  path: string,
  metadata: Metadata,
  call: ServerInterceptingCallInterface,
): InboundCall {
  const headers: Record<string, string> = { ':method': 'POST' }
  const rawHeaders: string[] = []
  for (const [name, values] of Object.entries(metadata.toJSON())) {
    const texts = values.map((value) => (typeof value === 'string' ? value : value.toString('base64')))
    headers[name] = texts.join(', ')
    for (const text of texts) rawHeaders.push(name, text)
  }
  return { method: 'POST', url: path, headers, rawHeaders, socket: connectionOf(call) }
}

/** Takes out of the metadata what was deleted of the headers, before any handler sees it. */
export function removeDeleted(metadata: Metadata, { headers }: InboundCall): void {
  for (const name of Object.keys(metadata.toJSON())) {
    if (headers[name] === undefined) metadata.remove(name)
  }
}

/** One object for all calls of a connection: what stands for the socket in its HTTP/2 session. Core reads the whole chain there. */
const connectionOf = (call: ServerInterceptingCallInterface): object =>
  streamOf(call)?.session?.socket ?? documentedPeer(call)

/**
 * What the documented API says of the other end: the leaf, if the socket has accepted it. INVARIANT: it is made for each call, so
 * nothing that is remembered of one connection can be taken for another's.
 */
function documentedPeer(call: Partial<ServerInterceptingCallInterface>): object {
  const certificate = call.getAuthContext?.().sslPeerCertificate
  return {
    authorized: certificate !== undefined,
    getPeerCertificate: () => certificate ?? {},
    remoteAddress: call.getConnectionInfo?.().remoteAddress,
  }
}
