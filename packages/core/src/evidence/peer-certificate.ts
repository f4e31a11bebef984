import { X509Certificate, hash } from 'node:crypto'
import type { DetailedPeerCertificate, PeerCertificate as NodeCertificate, TLSSocket } from 'node:tls'
import { Refusal } from '../refusal.ts'

/** What the peer of a mutual-TLS connection presented. It proved that it holds the leaf's key; nothing else is checked. */
export interface PeerCertificate {
  /** DER. */
  readonly leaf: Uint8Array
  /** The leaf as OpenSSL has read it already; undefined where it has not. INVARIANT: it is of the same octets. */
  readonly read?: X509Certificate | undefined
  /** DER of the other certificates that the connection shows, issuer of the leaf first. Empty on a resumed session. */
  readonly chain: readonly Uint8Array[]
  /** OpenSSL's complaint, such as `CERT_REVOKED`, where the server accepted the connection in spite of it. */
  readonly tlsError: string | undefined
  /** True where the session was resumed: who presents it proved in an earlier connection that it holds the leaf's key. */
  readonly isResumed?: boolean
}

/**
 * Reads the client certificate of a connection: undefined where there is none, a refusal where nobody can say any more.
 * A resumed TLS session can say `authorized` without any certificate: the certificate counts, never the flag.
 */
export function readPeerCertificate(socket: object): PeerCertificate | undefined | Refusal {
  if (!isTls(socket)) return isEndedStream(socket) ? ended : undefined
  const shown = socket.getPeerX509Certificate?.()
  const presented: DetailedPeerCertificate | null | undefined =
    shown === undefined ? socket.getPeerCertificate(true) : undefined
  // Not none: a caller could hang up to hide that its certificate contradicts its token, and be served all the same.
  if (presented === null) return ended
  const leaf = shown?.raw ?? presented?.raw
  if (leaf === undefined) return undefined
  return {
    leaf,
    // Whatever stands in for a connection may show something else.
    read: shown instanceof X509Certificate ? shown : undefined,
    // For a leaf that was never seen: describing the whole chain costs Node more than all the rest.
    get chain() {
      return issuersOf(presented ?? socket.getPeerCertificate(true))
    },
    tlsError: socket.authorized ? undefined : String(socket.authorizationError ?? 'UNKNOWN'),
    isResumed: socket.isSessionReused?.() === true,
  }
}

/** SHA-256 of the client certificate in base64url, as `x5t#S256` has it (RFC 8705 §3.1); undefined where there is none. */
export function readThumbprint(socket: object): string | undefined {
  if (!isTls(socket)) return undefined
  const presented: Pick<NodeCertificate, 'raw'> | null | undefined =
    socket.getPeerX509Certificate?.() ?? socket.getPeerCertificate()
  const der = presented?.raw
  return der === undefined ? undefined : hash('sha256', der, 'base64url')
}

// A self-signed certificate is its own issuer in Node's object, so the walk ends where it meets itself.
function issuersOf(leaf: DetailedPeerCertificate | null): readonly Uint8Array[] {
  const chain: Uint8Array[] = []
  let current = leaf
  while (current !== null && chain.length < maxChainLength) {
    const issuer: DetailedPeerCertificate | undefined = current.issuerCertificate
    if (issuer?.raw === undefined || issuer.raw.equals(current.raw)) break
    chain.push(issuer.raw)
    current = issuer
  }
  return chain
}

// What stands for a connection in HTTP/2 answers for the stream once that was reset: it would seem to have no certificate.
const isEndedStream = (socket: object): boolean => 'rstCode' in socket && 'closed' in socket

// Asked by reading, since the socket of an HTTP/2 session is a proxy that answers nothing else.
const isTls = (socket: Partial<TLSSocket>): socket is ShownSocket =>
  typeof socket.getPeerCertificate === 'function'

/** What is read of a connection. Not everything that stands in for one has it all. */
type ShownSocket = Pick<TLSSocket, 'getPeerCertificate' | 'authorized' | 'authorizationError'> &
  Partial<Pick<TLSSocket, 'isSessionReused' | 'getPeerX509Certificate'>>

const maxChainLength = 10
// What Node answers for a connection that has ended, whatever it was.
const ended = new Refusal('certificate_malformed', {
  expected: 'a connection that is open',
  actual: 'one that ended before its certificate was read',
})
