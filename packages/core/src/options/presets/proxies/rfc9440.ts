import type { CertificateHeaderOptions, ProxyPresetOptions } from '../../forwarded-options.ts'

/** Any proxy that writes `Client-Cert` and `Client-Cert-Chain` by RFC 9440: HAProxy, Caddy and Cloudflare can be told to. */
export const rfc9440 = (options: ProxyPresetOptions): CertificateHeaderOptions => ({
  ...options,
  format: 'rfc9440',
  header: 'client-cert',
  chainHeader: 'client-cert-chain',
})
