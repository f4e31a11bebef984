import { hash } from 'node:crypto'
import type { HeaderField } from '../../request/identity-headers.ts'
import type { Refusal } from '../../refusal.ts'
import type { PeerCertificate } from '../peer-certificate.ts'

/** What a proxy says of the client whose TLS connection it ended. Nothing in it is proven, not even that a proxy said it. */
export interface ForwardedClient {
  /** Undefined where the proxy forwards no certificate and names the client in words. */
  readonly certificate: PeerCertificate | undefined
  /** The URI name of the client's certificate in the proxy's words; undefined where it forwards the certificate alone. */
  readonly uri: string | undefined
  /** SHA-256 of the client's certificate in the proxy's words, in base64url; undefined where it does not say. */
  readonly digest: string | undefined
}

/** How one proxy forwards what it knows of its client. */
export interface ForwardedFormat {
  /** Names of the headers that are read, lower-case, with dashes. */
  readonly headers: readonly string[]
  /** What the proxy says; undefined where it says that its client has no certificate, or says nothing. */
  read(fields: readonly HeaderField[]): ForwardedClient | undefined | Refusal
}

/** SHA-256 of the client's certificate in base64url, as `x5t#S256` has it (RFC 8705 §3.1). */
export const forwardedThumbprint = ({ certificate, digest }: ForwardedClient): string | undefined =>
  certificate === undefined ? digest : hash('sha256', certificate.leaf, 'base64url')

/** A client of whom a proxy forwards the certificates, leaf first. */
export const clientWith = ([leaf, ...chain]: readonly Uint8Array[]): ForwardedClient | undefined =>
  leaf === undefined
    ? undefined
    : { certificate: { leaf, chain, tlsError: undefined }, uri: undefined, digest: undefined }
