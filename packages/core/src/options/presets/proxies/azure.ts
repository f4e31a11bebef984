import type { CertificateHeaderOptions, ProxyPresetOptions } from '../../forwarded-options.ts'

/** Who an Application Gateway is, and the headers it sets. */
export interface AzureApplicationGatewayOptions extends ProxyPresetOptions {
  /** The header that a rewrite rule sets to `{var_client_certificate}`. Default: `x-client-cert`. */
  readonly header?: string
  /** The header that it sets to `{var_client_certificate_verification}`. Default: `x-client-verify`. */
  readonly verifyHeader?: string
}

/** Azure Application Gateway, by a rewrite rule. It forwards no chain: `certificates.intermediates` completes paths. */
export const azureApplicationGateway = ({
  header = 'x-client-cert',
  verifyHeader = 'x-client-verify',
  ...options
}: AzureApplicationGatewayOptions): CertificateHeaderOptions => ({
  ...options,
  format: 'escaped-pem',
  header,
  verification: [{ header: verifyHeader, verified: 'SUCCESS', none: 'NONE' }],
})

/** Azure App Service, whose front end verifies nothing: it hands on the leaf in `X-ARR-ClientCert`. */
export const azureAppService = (
  options: Omit<ProxyPresetOptions, 'verifiedByProxy'>,
): CertificateHeaderOptions => ({ ...options, format: 'base64-der', header: 'x-arr-clientcert' })
