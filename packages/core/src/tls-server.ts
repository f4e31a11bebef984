import { constants } from 'node:crypto'
import type { Server } from 'node:https'
import type { RequestListener } from 'node:http'
import { ConfigurationError, describeValue } from './configuration-error.ts'
import { rejectForeignCopy } from './copy.ts'
import { Guard } from './guard.ts'
import { readPem, requireKnownKeys } from './options/option-values.ts'

/** The server's own identity, and the guard whose trust it shares. */
export interface TlsServerOptions {
  /** Certificate chain, leaf first: PEM text, or the path of a PEM file. */
  readonly cert: string
  /** Private key: PEM text, or the path of a PEM file. */
  readonly key: string
  readonly guard: Guard
  /**
   * Whether clients are asked for a certificate. Default: where the guard trusts any. True also lets tokens be bound to
   * certificates that nobody issued for this service (RFC 8705 §2.2): the guard then looks at nothing but their digest.
   */
  readonly requestCertificate?: boolean
}

/**
 * Makes an HTTPS server that asks for the client certificates its guard trusts. Who presents none, or a bad one, still
 * gets as far as the guard: there a token may do, and a refusal has a code, an event and a status that says why.
 * Throws a ConfigurationError where certificate and key cannot be read or do not belong together.
 */
export function createTlsServer(listener: RequestListener, options: TlsServerOptions): Server {
  requireKnownKeys(options, 'createTlsServer', ['cert', 'key', 'guard', 'requestCertificate'])
  const { guard } = options
  rejectForeignCopy(guard, 'guard')
  if (!(guard instanceof Guard)) {
    throw new ConfigurationError(
      'guard',
      `write the guard that the application uses, made by createGuard(…), got ${describeValue(guard)}`,
    )
  }
  const cert = readBlock(options.cert, 'cert', 'CERTIFICATE')
  const key = readBlock(options.key, 'key', 'PRIVATE KEY')
  requirePair(cert, key)
  const ca = [...guard.clientAuthorities]
  const { requestCertificate: requestCert = ca.length > 0 } = options
  if (typeof requestCert !== 'boolean') {
    throw new ConfigurationError(
      'requestCertificate',
      `write true or false, got ${describeValue(requestCert)}`,
    )
  }
  // Taken when needed: importing it by name makes Node load its whole WebSocket client as well.
  return process.getBuiltinModule('node:https').createServer(
    {
      cert,
      key,
      minVersion: 'TLSv1.2',
      // A peer must stay who it was when its certificate was read.
      secureOptions: constants.SSL_OP_NO_RENEGOTIATION,
      // INVARIANT: the guard verifies every certificate itself; nothing ever relies on the socket's own verdict.
      ...(ca.length === 0 ? {} : { ca }),
      ...(requestCert ? { requestCert, rejectUnauthorized: false } : {}),
    },
    listener,
  )
}

function readBlock(source: unknown, option: string, label: string): string {
  const pem = readPem(source, option)
  if (pem.includes(`${label}-----`)) return pem
  throw new ConfigurationError(option, `expected a PEM block \`${label}\`, found none`)
}

function requirePair(cert: string, key: string): void {
  try {
    process.getBuiltinModule('node:tls').createSecureContext({ cert, key })
  } catch {
    // OpenSSL's own words are left out: they can quote what they were given.
    throw new ConfigurationError(
      'key',
      'certificate and key cannot be used together: write the key that the certificate was issued for',
    )
  }
}
