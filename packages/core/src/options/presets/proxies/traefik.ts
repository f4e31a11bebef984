import type { CertificateHeaderOptions, ProxyPresetOptions } from '../../forwarded-options.ts'

/**
 * Traefik with `passTLSClientCert: { pem: true }`. It does not say whether it verified the certificate, so `verifiedByProxy` is
 * for routers whose `clientAuthType` verifies.
 */
export const traefik = (options: ProxyPresetOptions): CertificateHeaderOptions => ({
  ...options,
  format: 'base64-list',
  header: 'x-forwarded-tls-client-cert',
})
