import { X509Certificate } from 'node:crypto'
import { ConfigurationError } from '../configuration-error.ts'
import { CertificateTrust, type CertificatePem } from '../identity/certificate/certificate-trust.ts'
import { isTrustDomain } from '../identity/certificate/spiffe-id.ts'
import type { ForwardedTrust } from '../identity/forwarded/forwarded-trust.ts'
import type { CertificateOptions } from './guard-options.ts'
import { readPem, requireEntries, requireKnownKeys } from './option-values.ts'
import { parseForwarded } from './parse-forwarded.ts'

/** Whose certificates are accepted, on connections and through a proxy. At least one of the two is there. */
export interface ParsedCertificates {
  readonly certificates: CertificateTrust | undefined
  readonly forwarded: ForwardedTrust | undefined
}

/** Parses `certificates`. Throws a ConfigurationError that says what to write instead. */
export function parseCertificates(options: CertificateOptions, maxCacheEntries: number): ParsedCertificates {
  requireKnownKeys(options, 'certificates', ['trustDomains', 'intermediates', 'forwarded'])
  const { forwarded, intermediates } = options
  // A proxy that has verified everything itself leaves nothing to be verified here.
  const isVouchedFor =
    forwarded !== undefined && options.trustDomains === undefined && intermediates === undefined
  const bundles = isVouchedFor ? new Map<string, readonly CertificatePem[]>() : parseBundles(options)
  const certificates = isVouchedFor
    ? undefined
    : new CertificateTrust({
        bundles,
        intermediates:
          intermediates === undefined ? [] : parseBundle(intermediates, 'certificates.intermediates'),
        maxCacheEntries,
      })
  return {
    certificates,
    forwarded:
      forwarded === undefined
        ? undefined
        : parseForwarded(forwarded, certificates, [...bundles.keys()], maxCacheEntries),
  }
}

function parseBundles(options: CertificateOptions): Map<string, readonly CertificatePem[]> {
  const domains = Object.entries(requireEntries(options.trustDomains, 'certificates.trustDomains'))
  if (domains.length === 0) {
    throw new ConfigurationError(
      'certificates.trustDomains',
      "expected at least one, such as { 'prod.example': './bundle.pem' }",
    )
  }
  return new Map(
    domains.map(([domain, source]) => {
      const option = `certificates.trustDomains['${domain}']`
      if (!isTrustDomain(domain)) {
        throw new ConfigurationError(
          option,
          'expected a trust domain such as `prod.example`: lower case, no scheme, no path',
        )
      }
      return [domain, parseBundle(source, option)]
    }),
  )
}

function parseBundle(source: unknown, option: string): readonly CertificatePem[] {
  const pem = readPem(source, option)
  const blocks = pem.match(/-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----/g) ?? []
  if (blocks.length === 0) {
    throw new ConfigurationError(
      option,
      'expected at least one PEM block `-----BEGIN CERTIFICATE-----`, found none',
    )
  }
  return blocks.map((block, i) => {
    try {
      return { der: new X509Certificate(block).raw, pem: block }
    } catch {
      throw new ConfigurationError(
        option,
        `certificate ${i + 1} cannot be read: expected an X.509 certificate in PEM`,
      )
    }
  })
}
