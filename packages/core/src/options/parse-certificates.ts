import { ConfigurationError } from '../configuration-error.ts'
import { CertificateTrust } from '../identity/certificate/certificate-trust.ts'
import type { ParsedCertificate } from '../identity/certificate/parsed-certificate.ts'
import type { ForwardedTrust } from '../identity/forwarded/forwarded-trust.ts'
import type { CertificateOptions } from './guard-options.ts'
import { parseAuthorities } from './parse-authorities.ts'
import { parseBundle } from './parse-bundle.ts'
import { parseForwarded } from './parse-forwarded.ts'
import { requireEntries, requireKnownKeys } from './option-values.ts'
import { requireTrustDomain } from './spiffe-names.ts'

/** Whose certificates are accepted, on connections and through a proxy. At least one of the two is there. */
export interface ParsedCertificates {
  readonly certificates: CertificateTrust | undefined
  readonly forwarded: ForwardedTrust | undefined
}

/** Parses `certificates`. Throws a ConfigurationError that says what to write instead. */
export function parseCertificates(options: CertificateOptions, maxCacheEntries: number): ParsedCertificates {
  requireKnownKeys(options, 'certificates', ['trustDomains', 'authorities', 'intermediates', 'forwarded'])
  const { trustDomains, authorities, intermediates, forwarded } = options
  // A proxy that has verified everything itself leaves nothing to be verified here.
  const isVouchedFor = forwarded !== undefined && (trustDomains ?? authorities ?? intermediates) === undefined
  const certificates = isVouchedFor ? undefined : parseTrust(options, maxCacheEntries)
  return {
    certificates,
    forwarded:
      forwarded === undefined
        ? undefined
        : parseForwarded(forwarded, certificates, Object.keys(trustDomains ?? {}), maxCacheEntries),
  }
}

function parseTrust(
  { trustDomains, authorities, intermediates }: CertificateOptions,
  maxCacheEntries: number,
): CertificateTrust {
  if (Object.keys({ ...trustDomains, ...authorities }).length === 0) {
    throw new ConfigurationError(
      'certificates.trustDomains',
      "expected at least one, such as { 'prod.example': './bundle.pem' }",
    )
  }
  const anchors = {
    bundles: parseBundles(trustDomains ?? {}),
    authorities: parseAuthorities(authorities ?? {}),
    intermediates:
      intermediates === undefined ? [] : parseBundle(intermediates, 'certificates.intermediates'),
  }
  return new CertificateTrust(anchors, maxCacheEntries)
}

function parseBundles(
  trustDomains: Readonly<Record<string, unknown>>,
): Map<string, readonly ParsedCertificate[]> {
  return new Map(
    Object.entries(requireEntries(trustDomains, 'certificates.trustDomains')).map(([domain, source]) => {
      const option = `certificates.trustDomains['${domain}']`
      return [requireTrustDomain(domain, option), parseBundle(source, option)]
    }),
  )
}
