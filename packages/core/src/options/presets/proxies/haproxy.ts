import type { CertificateHeaderOptions, ProxyPresetOptions } from '../../forwarded-options.ts'

/** Who a HAProxy is, and the headers it sets. */
export interface HaproxyOptions extends ProxyPresetOptions {
  /** The header that is set to `%[ssl_c_der,base64]`. Default: `x-ssl-client-cert`. */
  readonly header?: string
  /** The header that is set to `%[ssl_c_chain_der,base64]`. Default: `x-ssl-client-chain`. */
  readonly chainHeader?: string
}

/**
 * HAProxy, which sets the headers `if { ssl_c_used } { ssl_c_verify 0 }`: `ssl_c_verify` alone is 0 without a certificate too. With
 * colons around the value it writes RFC 9440 instead.
 */
export const haproxy = ({
  header = 'x-ssl-client-cert',
  chainHeader = 'x-ssl-client-chain',
  ...options
}: HaproxyOptions): CertificateHeaderOptions => ({ ...options, format: 'base64-der', header, chainHeader })
