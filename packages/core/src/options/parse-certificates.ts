import { X509Certificate } from 'node:crypto'
import { ConfigurationError } from '../configuration-error.ts'
import { CertificateTrust, type CertificatePem } from '../identity/certificate/certificate-trust.ts'
import { parseCertificate } from '../identity/certificate/parsed-certificate.ts'
import { isTrustDomain } from '../identity/certificate/spiffe-id.ts'
import { Refusal } from '../refusal.ts'
import type { CertificateOptions } from './guard-options.ts'
import { readPem, requireEntries, requireKnownKeys } from './option-values.ts'

/** Parses `certificates`. Throws a ConfigurationError that says what to write instead. */
export function parseCertificates(options: CertificateOptions, maxCacheEntries: number): CertificateTrust {
  const bundles = parseBundles(options)
  const { intermediates } = options
  return new CertificateTrust({
    bundles,
    intermediates:
      intermediates === undefined ? [] : parseBundle(intermediates, 'certificates.intermediates'),
    maxCacheEntries,
  })
}

function parseBundles(options: CertificateOptions): Map<string, readonly CertificatePem[]> {
  requireKnownKeys(options, 'certificates', ['trustDomains', 'intermediates'])
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
    const unreadable = (expected: string): ConfigurationError =>
      new ConfigurationError(option, `certificate ${i + 1} cannot be read: ${expected}`)
    const der = derOf(block)
    if (der === undefined) throw unreadable('expected an X.509 certificate in PEM')
    // Said here, and not by an anchor that is passed over on every request.
    const parsed = parseCertificate(der)
    if (parsed instanceof Refusal) {
      throw unreadable(`expected ${parsed.detail.expected}, got ${parsed.detail.actual}`)
    }
    return { der, pem: block }
  })
}

function derOf(pem: string): Uint8Array | undefined {
  try {
    return new X509Certificate(pem).raw
  } catch {
    return undefined
  }
}
