import type { DetailedPeerCertificate, TLSSocket } from 'node:tls'

/** What the peer of a mutual-TLS connection presented. It proved that it holds the leaf's key; nothing else is checked. */
export interface PeerCertificate {
  /** DER. */
  readonly leaf: Uint8Array
  /** DER of the other certificates that the connection shows, issuer of the leaf first. Empty on a resumed session. */
  readonly chain: readonly Uint8Array[]
  /** OpenSSL's complaint, such as `CERT_REVOKED`, where the server accepted the connection in spite of it. */
  readonly tlsError: string | undefined
}

/**
 * Reads the client certificate of a connection, or undefined where there is none.
 * A resumed TLS session can say `authorized` without any certificate: the certificate counts, never the flag.
 */
export function readPeerCertificate(socket: object): PeerCertificate | undefined {
  if (!isTls(socket)) return undefined
  const presented = socket.getPeerCertificate(true)
  if (presented?.raw === undefined) return undefined
  return {
    leaf: presented.raw,
    chain: issuersOf(presented),
    tlsError: socket.authorized ? undefined : String(socket.authorizationError ?? 'UNKNOWN'),
  }
}

// A self-signed certificate is its own issuer in Node's object, so the walk ends where it meets itself.
function issuersOf(leaf: DetailedPeerCertificate): readonly Uint8Array[] {
  const chain: Uint8Array[] = []
  let current = leaf
  while (chain.length < maxChainLength) {
    const issuer: DetailedPeerCertificate | undefined = current.issuerCertificate
    if (issuer?.raw === undefined || issuer === current || issuer.raw.equals(current.raw)) break
    chain.push(issuer.raw)
    current = issuer
  }
  return chain
}

const isTls = (socket: object): socket is TLSSocket =>
  'getPeerCertificate' in socket && typeof socket.getPeerCertificate === 'function'

const maxChainLength = 10
