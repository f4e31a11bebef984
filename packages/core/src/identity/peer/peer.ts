import type { HeaderField } from '../../request/identity-headers.ts'
import type { Refusal } from '../../refusal.ts'
import type { CertificateVerification } from './certificate-verification.ts'

/** A certificate that was verified, or why it was refused. Undefined: there is none. */
export type CallerCertificate = CertificateVerification | Refusal | undefined

/** Where the caller's own TLS connection is seen: here, or by a proxy that forwards what it saw. */
export interface Peer {
  /** What a proxy forwarded; undefined where the connection is the caller's own. */
  readonly forwarded: readonly HeaderField[] | undefined
  /** The caller's certificate, verified. A promise where somebody else has to be asked about it first. */
  certificate(nowMs: number): CallerCertificate | Promise<CallerCertificate>
  /** SHA-256 of the caller's certificate, whoever issued it; undefined where there is none. */
  thumbprint(): string | undefined
  /** The refusal where a credential is required and there is none; undefined where nothing more can be said of it. */
  readonly missing: Refusal | undefined
}
