import type { ProxyPresetOptions, XfccOptions } from '../../forwarded-options.ts'

/** Who an Envoy is, and which proxies stand before it. */
export interface EnvoyOptions extends ProxyPresetOptions, Pick<XfccOptions, 'self' | 'relays'> {}

/**
 * Envoy with `forward_client_cert_details: SANITIZE_SET` and `set_current_client_cert_details: { cert: true, chain: true, uri: true }`;
 * with `APPEND_FORWARD`, name `self`.
 */
export const envoy = (options: EnvoyOptions): XfccOptions => ({ ...options, format: 'xfcc' })
