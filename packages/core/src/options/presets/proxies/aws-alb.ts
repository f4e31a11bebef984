import { ConfigurationError, describeValue } from '../../../configuration-error.ts'
import type { CertificateHeaderOptions, ProxyPresetOptions } from '../../forwarded-options.ts'

/** Who a load balancer is, and what its listener does. */
export interface AwsAlbOptions extends ProxyPresetOptions {
  /** The mutual authentication mode of the listener: whether the load balancer verifies certificates or hands them on. */
  readonly mode: 'verify' | 'passthrough'
}

/** AWS Application Load Balancer. In both modes the certificate is verified here, unless `verifiedByProxy` says otherwise. */
export function awsAlb({ mode, ...options }: AwsAlbOptions): CertificateHeaderOptions {
  if (mode !== 'verify' && mode !== 'passthrough') {
    throw new ConfigurationError(
      'awsAlb.mode',
      `expected 'verify' or 'passthrough', got ${describeValue(mode)}`,
    )
  }
  if (mode === 'passthrough' && options.verifiedByProxy !== undefined) {
    throw new ConfigurationError(
      'awsAlb.verifiedByProxy',
      'in this mode the load balancer verifies nothing: leave it out',
    )
  }
  const header = mode === 'verify' ? 'x-amzn-mtls-clientcert-leaf' : 'x-amzn-mtls-clientcert'
  return { ...options, format: 'escaped-pem', header }
}
