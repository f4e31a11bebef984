import type { CertificateHeaderOptions, ProxyPresetOptions } from '../../forwarded-options.ts'

/** Who an Apache httpd is, and the headers it sets. */
export interface ApacheOptions extends ProxyPresetOptions {
  /** The header that is set to `%{SSL_CLIENT_CERT}s`. Default: `ssl-client-cert`. */
  readonly header?: string
  /** The header that is set to `%{SSL_CLIENT_VERIFY}s`. Default: `ssl-client-verify`. */
  readonly verifyHeader?: string
}

/** Apache httpd with `SSLOptions +ExportCertData +StdEnvVars`. It forwards no chain: `certificates.intermediates` completes paths. */
export const apache = ({
  header = 'ssl-client-cert',
  verifyHeader = 'ssl-client-verify',
  ...options
}: ApacheOptions): CertificateHeaderOptions => ({
  ...options,
  format: 'folded-pem',
  header,
  verification: [{ header: verifyHeader, verified: 'SUCCESS', none: 'NONE' }],
})
