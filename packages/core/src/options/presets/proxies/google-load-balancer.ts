import type { CertificateHeaderOptions, ProxyPresetOptions } from '../../forwarded-options.ts'

/**
 * Google Cloud Application Load Balancer, whose backend service sets custom headers to its variables: `x-client-cert-present`,
 * `x-client-cert-chain-verified`, `x-client-cert-error`, `x-client-cert-leaf` and `x-client-cert-chain`.
 */
export const googleLoadBalancer = (options: ProxyPresetOptions): CertificateHeaderOptions => ({
  ...options,
  format: 'rfc9440',
  header: 'x-client-cert-leaf',
  chainHeader: 'x-client-cert-chain',
  verification: [
    { header: 'x-client-cert-present', verified: 'true', none: 'false' },
    { header: 'x-client-cert-chain-verified', verified: 'true', none: 'false' },
    { header: 'x-client-cert-error', verified: '', none: 'client_cert_not_provided' },
  ],
})
