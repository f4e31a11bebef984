import { ConfigurationError, describeValue } from '../../../configuration-error.ts'
import type { VouchedForwarding, XfccOptions } from '../../forwarded-options.ts'
import { requireKnownKeys } from '../../option-values.ts'

/** Where a workload stands in its mesh. */
export interface IstioSidecarOptions extends Pick<XfccOptions, 'relays' | 'untrusted'> {
  /** The trust domain of the mesh. Default in Istio: `cluster.local`. */
  readonly trustDomain: string
  /** This workload's own SPIFFE ID, which its sidecar presents: `spiffe://cluster.local/ns/shop/sa/orders`. */
  readonly self: string
}

/**
 * The sidecar of Istio. It ends mutual TLS and calls this service in plain text from 127.0.0.6; it sends no certificate, so its
 * word is taken for workloads of the mesh's own trust domain. `relays`: an ingress gateway whose word on its clients counts.
 */
export function istioSidecar(options: IstioSidecarOptions): XfccOptions & VouchedForwarding {
  requireKnownKeys(options, 'istioSidecar', ['trustDomain', 'self', 'relays', 'untrusted'])
  const { trustDomain, self, relays, untrusted } = options
  if (typeof self !== 'string') {
    throw new ConfigurationError(
      'istioSidecar.self',
      `expected this workload's SPIFFE ID, \`spiffe://<trust domain>/ns/<namespace>/sa/<service account>\`, got ${describeValue(self)}`,
    )
  }
  return {
    format: 'xfcc',
    self,
    ...(relays === undefined ? {} : { relays }),
    ...(untrusted === undefined ? {} : { untrusted }),
    from: { addresses: ['127.0.0.6', '::6'] },
    verifiedByProxy: [trustDomain],
    sidecarOf: 'istio',
  }
}
