import { ConfigurationError, describeValue } from '../configuration-error.ts'
import { rejectForeignCopy } from '../copy.ts'
import { Guard } from '../guard.ts'
import { requireKnownKeys } from './option-values.ts'

/** The server's own identity, and the guard whose trust it shares. */
export interface TlsServerOptions {
  /** Certificate chain, leaf first: PEM text, or the path of a PEM file, which is followed. */
  readonly cert: string
  /** Private key: PEM text, or the path of a PEM file, which is followed. */
  readonly key: string
  readonly guard: Guard
  /**
   * Whether clients are asked for a certificate. Default: where the guard trusts any. True also lets tokens be bound to
   * certificates that nobody issued for this service (RFC 8705 §2.2): the guard then looks at nothing but their digest.
   */
  readonly requestCertificate?: boolean
  /** The oldest version of TLS that is spoken. Default: `TLSv1.2`. */
  readonly minVersion?: 'TLSv1.2' | 'TLSv1.3'
}

/** Parses what `tlsOptions` and `createTlsServer` are given. Throws a ConfigurationError that says what to write instead. */
export function parseTlsOptions(options: TlsServerOptions, name: string): Required<TlsServerOptions> {
  requireKnownKeys(options, name, ['cert', 'key', 'guard', 'requestCertificate', 'minVersion'])
  const { cert, key, guard, minVersion = 'TLSv1.2' } = options
  rejectForeignCopy(guard, 'guard')
  if (!(guard instanceof Guard)) {
    throw new ConfigurationError(
      'guard',
      `write the guard that the application uses, made by createGuard(…), got ${describeValue(guard)}`,
    )
  }
  const { requestCertificate = guard.acceptsCertificates } = options
  if (typeof requestCertificate !== 'boolean') {
    throw new ConfigurationError(
      'requestCertificate',
      `write true or false, got ${describeValue(requestCertificate)}`,
    )
  }
  if (minVersion !== 'TLSv1.2' && minVersion !== 'TLSv1.3') {
    throw new ConfigurationError('minVersion', "write 'TLSv1.2' or 'TLSv1.3'")
  }
  return { cert, key, guard, requestCertificate, minVersion }
}
