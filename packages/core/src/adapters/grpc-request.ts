// A call of gRPC as core sees requests, for whoever handles calls of `@grpc/grpc-js`.
import type { InboundRequest } from '../request/inbound-request.ts'

/** As much of the metadata of a call as is needed. */
interface Metadata {
  toJSON(): Readonly<Record<string, readonly (string | Buffer)[]>>
  remove(name: string): void
}

/** As much of a call as is needed to know who is at the other end. */
interface GrpcPeer {
  getAuthContext?(): { readonly sslPeerCertificate?: object }
  getConnectionInfo?(): { readonly remoteAddress?: string | undefined }
}

/** A request whose identity headers can be deleted. */
export interface GrpcRequest extends InboundRequest {
  rawHeaders: string[]
}

/**
 * A call as a request: metadata are the headers of a `POST`, which is what every call is on the wire. `socket` is one object for all
 * calls of a connection; undefined where it cannot be found, and then the documented API is asked, which shows the leaf alone.
 */
export function grpcRequest(
  path: string,
  metadata: Metadata,
  call: GrpcPeer,
  socket: object | undefined,
): GrpcRequest {
  const headers: Record<string, string> = { ':method': 'POST' }
  const rawHeaders: string[] = []
  for (const [name, values] of Object.entries(metadata.toJSON())) {
    const texts = values.map((value) => (typeof value === 'string' ? value : value.toString('base64')))
    headers[name] = texts.join(', ')
    for (const text of texts) rawHeaders.push(name, text)
  }
  return { method: 'POST', url: path, headers, rawHeaders, socket: socket ?? documentedPeer(call) }
}

/** Takes out of the metadata what was deleted of the headers, before any handler sees it. */
export function removeDeleted(metadata: Metadata, { headers }: GrpcRequest): void {
  for (const name of Object.keys(metadata.toJSON())) {
    if (headers[name] === undefined) metadata.remove(name)
  }
}

/** INVARIANT: it is made for each call, so nothing that is remembered of one connection can be taken for another's. */
function documentedPeer(call: GrpcPeer): object {
  const certificate = call.getAuthContext?.().sslPeerCertificate
  return {
    authorized: certificate !== undefined,
    getPeerCertificate: () => certificate ?? {},
    remoteAddress: call.getConnectionInfo?.().remoteAddress,
  }
}
