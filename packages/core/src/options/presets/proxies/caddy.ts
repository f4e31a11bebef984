import type { CertificateHeaderOptions, ProxyPresetOptions } from '../../forwarded-options.ts'

/** Who a Caddy is, and the header it sets. */
export interface CaddyOptions extends ProxyPresetOptions {
  /** The header that is set to `{http.request.tls.client.certificate_der_base64}`. Default: `x-ssl-client-cert`. */
  readonly header?: string
}

/** Caddy. It forwards no chain: `certificates.intermediates` completes paths. */
export const caddy = ({
  header = 'x-ssl-client-cert',
  ...options
}: CaddyOptions): CertificateHeaderOptions => ({
  ...options,
  format: 'base64-der',
  header,
})
