import type { CertificateOptions, IssuerOptions } from '@countersign/core'

/** Where a service lives: whom everybody there trusts. */
export interface Home {
  readonly trustDomain: string
  readonly issuer: string
  /** PEM of the home's certificate authority. */
  readonly ca: string
}

/** The part of a guard's options that all services of a home share. */
export interface House {
  readonly issuers: readonly [IssuerOptions]
  readonly certificates: CertificateOptions
}

/** One issuer and one trust domain, and how the names in the two compare. */
export function houseOf({ trustDomain, issuer, ca }: Home): House {
  return {
    issuers: [
      {
        issuer,
        ca,
        represents: 'workload',
        workloadClaim: 'spiffe_id',
        trustDomains: [trustDomain],
      },
    ],
    certificates: { trustDomains: { [trustDomain]: ca } },
  }
}
