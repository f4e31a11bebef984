import type { CertificateOptions, IssuerOptions } from '@countersign/core'

/** Where a service lives: whom everybody there trusts. */
export interface Home {
  readonly trustDomain: string
  readonly issuer: string
  /** Where that issuer's metadata is: its name is no address on this machine. */
  readonly discoveryUrl: string
  /** PEM of the home's certificate authority. */
  readonly ca: string
}

/** The part of a guard's options that all services of a home share. */
export interface House {
  readonly issuers: readonly [IssuerOptions]
  readonly certificates: CertificateOptions
}

/**
 * One issuer and one trust domain, and how the names in the two compare. A token is a service's own where its subject is its
 * client, and a user's otherwise: that is the default of `represents`, and nobody here chooses their subject.
 */
export function houseOf({ trustDomain, issuer, discoveryUrl, ca }: Home): House {
  return {
    issuers: [
      {
        issuer,
        discoveryUrl,
        ca,
        workloadClaim: 'spiffe_id',
        trustDomains: [trustDomain],
      },
    ],
    certificates: { trustDomains: { [trustDomain]: ca } },
  }
}
