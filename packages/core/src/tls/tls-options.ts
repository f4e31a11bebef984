import type { SecureContext, Server } from 'node:tls'
import { systemClock } from '../clock/clock.ts'
import type { Environment } from '../options/parse-options.ts'
import { parseTlsOptions, type TlsServerOptions } from '../options/parse-tls-options.ts'
import { ServedContext } from './served-context.ts'

/** Options of `node:tls`, `node:https` and `node:http2` servers, and of whatever is built on them. */
export interface TlsOptions {
  readonly cert: string
  readonly key: string
  /** What the guard trusts. INVARIANT: a list, be it empty, since without one Node trusts every public authority. */
  readonly ca: string[]
  readonly minVersion: 'TLSv1.2' | 'TLSv1.3'
  readonly secureOptions: number
  readonly requestCert: boolean
  /** False: the guard refuses, with a code, an event and a status. True may be written in its place. */
  readonly rejectUnauthorized: boolean
  /** Gives clients that send a server name what is current, on servers to which nothing was applied as well. */
  readonly SNICallback: (
    servername: string,
    done: (error: Error | null, context?: SecureContext) => void,
  ) => void
  /**
   * Has a server follow, for clients with and without a server name, until it is closed: the certificate and its key, the authorities
   * of the guard, and new keys for session tickets with each of them. Returns the server. Throws a ConfigurationError where it was made
   * with options of the secure context that are not in here, such as `crl` or `ciphers`: they would be lost.
   */
  applyTo<S extends Server>(server: S): S
}

/**
 * Makes the options of a server of your own that asks for the client certificates its guard trusts:
 * `const tls = tlsOptions({ cert: './tls.crt', key: './tls.key', guard })`, then `tls.applyTo(createServer(tls, listener)).listen(8443)`.
 * The files are followed: what is put in their place serves the next handshake, once it was checked; what cannot be used leaves
 * the old in place. Throws a ConfigurationError where certificate and key cannot be used now.
 */
export const tlsOptions = (
  options: TlsServerOptions,
  environment: Partial<Pick<Environment, 'clock'>> = {},
): TlsOptions => makeTlsOptions(options, 'tlsOptions', environment)

/** `name`: of the function that was called, for messages. */
export function makeTlsOptions(
  options: TlsServerOptions,
  name: string,
  { clock = systemClock }: Partial<Pick<Environment, 'clock'>>,
): TlsOptions {
  const { guard, cert, key, minVersion, requestCertificate } = parseTlsOptions(options, name)
  const served = new ServedContext({ guard, source: { cert, key }, minVersion, clock })
  // Asked for when a server is made, which may be long after these options were.
  return {
    get cert() {
      return served.options.cert
    },
    get key() {
      return served.options.key
    },
    get ca() {
      return served.options.ca
    },
    minVersion,
    secureOptions: served.options.secureOptions,
    requestCert: requestCertificate,
    rejectUnauthorized: false,
    SNICallback: (_servername, done) => done(null, served.context),
    applyTo(server) {
      served.addServer(server)
      return server
    },
  }
}
