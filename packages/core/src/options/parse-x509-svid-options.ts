import type { ParsedCertificate } from '../identity/certificate/parsed-certificate.ts'
import type { CertificatePurpose } from '../identity/certificate/path-flaws.ts'
import { Refusal } from '../refusal.ts'
import { parseSources, type CertificateSource } from './certificate-sources.ts'
import { requireEntries, requireKnownKeys } from './option-values.ts'
import {
  onlyReadable,
  parsePresented,
  presentedKeys,
  requirePurpose,
  type ParsedPresentation,
  type PresentedCertificates,
} from './parse-path-options.ts'
import type { SpiffeBundle } from './spiffe-bundle-document.ts'
import { requireTrustDomain } from './spiffe-names.ts'

/** What an X.509-SVID is held against. */
export interface X509SvidOptions extends PresentedCertificates {
  /**
   * Trust domain → its roots, or its bundle as `parseSpiffeBundle` gives it. A domain never vouches for another; one without
   * roots has no valid SVID. Roots that cannot be read are passed over.
   */
  readonly bundles: Readonly<Record<string, readonly CertificateSource[] | SpiffeBundle>>
  /** What the SVID must be good for: calling (`clientAuth`), or being called. */
  readonly purpose: CertificatePurpose
}

interface ParsedX509SvidOptions {
  readonly presented: ParsedPresentation
  readonly bundles: ReadonlyMap<string, readonly ParsedCertificate[]>
  readonly purpose: CertificatePurpose
}

/** Parses what an X.509-SVID is to be verified against. Throws a ConfigurationError that says what to write instead. */
export function parseX509SvidOptions(options: X509SvidOptions): ParsedX509SvidOptions | Refusal {
  requireKnownKeys(options, '', [...presentedKeys, 'bundles', 'purpose'])
  const purpose = requirePurpose(options.purpose)
  const bundles = new Map(
    Object.entries(requireEntries(options.bundles, 'bundles')).map(([domain, bundle]) => {
      const option = `bundles['${domain}']`
      return [requireTrustDomain(domain, option), onlyReadable(parseSources(rootsOf(bundle), option))]
    }),
  )
  const presented = parsePresented(options)
  return presented instanceof Refusal ? presented : { presented, bundles, purpose }
}

const rootsOf = (bundle: readonly CertificateSource[] | SpiffeBundle): unknown =>
  'x509Authorities' in bundle ? bundle.x509Authorities : bundle
