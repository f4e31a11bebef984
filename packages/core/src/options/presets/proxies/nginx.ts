import type { CertificateHeaderOptions, ProxyPresetOptions } from '../../forwarded-options.ts'

/** Who an nginx is, and the headers it sets. */
export interface NginxOptions extends ProxyPresetOptions {
  /** The header that is set to `$ssl_client_escaped_cert`. Default: `ssl-client-cert`, as ingress-nginx has it. */
  readonly header?: string
  /** The header that is set to `$ssl_client_verify`. Default: `ssl-client-verify`. */
  readonly verifyHeader?: string
}

/** nginx, and the ingress controller of that name. It forwards no chain: `certificates.intermediates` completes paths. */
export const nginx = ({
  header = 'ssl-client-cert',
  verifyHeader = 'ssl-client-verify',
  ...options
}: NginxOptions): CertificateHeaderOptions => ({
  ...options,
  format: 'escaped-pem',
  header,
  verification: [{ header: verifyHeader, verified: 'SUCCESS', none: 'NONE' }],
})
