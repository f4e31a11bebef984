import { ConfigurationError } from '../configuration-error.ts'
import { isTrustDomain, parseWorkloadId, type SpiffeId } from '../identity/certificate/spiffe-id.ts'

/** The ID of a workload, not of a trust domain. */
export function requireSpiffeId(value: unknown, name: string): SpiffeId {
  const id = typeof value === 'string' ? parseWorkloadId(value) : undefined
  if (id !== undefined) return id
  throw new ConfigurationError(
    name,
    'expected a SPIFFE ID such as `spiffe://prod.example/ns/edge/sa/gateway`',
  )
}

/** The name of a trust domain, as it stands in SPIFFE IDs. */
export function requireTrustDomain(value: string, name: string): string {
  if (isTrustDomain(value)) return value
  throw new ConfigurationError(
    name,
    'expected a trust domain such as `prod.example`: lower case, no scheme, no path',
  )
}
