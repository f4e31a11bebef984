import { ConfigurationError } from '../configuration-error.ts'
import type { ForwardedTrust } from '../identity/forwarded/forwarded-trust.ts'
import { CertificateTrust } from '../identity/peer/certificate-trust.ts'
import { TrustSources } from '../identity/peer/trust-sources.ts'
import { TrustedRoots, type Bundle } from '../identity/peer/trusted-roots.ts'
import type { Live } from '../identity/trust/live.ts'
import type { CertificateOptions } from './guard-options.ts'
import { parseAuthorities } from './parse-authorities.ts'
import { bundles, readCertificates } from './parse-bundle.ts'
import { parseForwarded } from './parse-forwarded.ts'
import type { LiveContext } from './document-source.ts'
import { parseLive } from './parse-live.ts'
import { parseRevocation } from './parse-revocation.ts'
import { requireEntries, requireKnownKeys, requireSetLimits } from './option-values.ts'
import { requireTrustDomain } from './spiffe-names.ts'

/** Whose certificates are accepted, on connections and through a proxy. At least one of the two is there. */
export interface ParsedCertificates {
  readonly certificates: CertificateTrust | undefined
  readonly forwarded: ForwardedTrust | undefined
}

interface CertificateContext extends Omit<LiveContext, 'sources' | 'isRequired'> {
  readonly maxCacheEntries: number
}

/** Parses `certificates`. Throws a ConfigurationError that says what to write instead. */
export function parseCertificates(
  options: CertificateOptions,
  context: CertificateContext,
): ParsedCertificates {
  requireKnownKeys(options, 'certificates', [...ownTrust, 'forwarded'])
  requireSetLimits(options, 'certificates', ['revocation'])
  const { trustDomains, forwarded } = options
  // A proxy that has verified everything itself leaves nothing to be verified here.
  const isVouchedFor = forwarded !== undefined && ownTrust.every((key) => options[key] === undefined)
  const certificates = isVouchedFor ? undefined : parseTrust(options, context)
  return {
    certificates,
    forwarded:
      forwarded === undefined
        ? undefined
        : parseForwarded(forwarded, certificates, Object.keys(trustDomains ?? {}), context.maxCacheEntries),
  }
}

const ownTrust = ['trustDomains', 'authorities', 'intermediates', 'revocation'] as const

function parseTrust(options: CertificateOptions, context: CertificateContext): CertificateTrust {
  const { trustDomains, authorities, intermediates, revocation } = options
  if (Object.keys({ ...trustDomains, ...authorities }).length === 0) {
    throw new ConfigurationError(
      'certificates.trustDomains',
      "expected at least one, such as { 'prod.example': './bundle.pem' }",
    )
  }
  const sources = new TrustSources()
  const live = { ...context, sources, isRequired: true }
  const between =
    intermediates === undefined ? [] : readCertificates(intermediates, 'certificates.intermediates')
  return new CertificateTrust({
    roots: new TrustedRoots(
      parseBundles(trustDomains ?? {}, live),
      parseAuthorities(authorities ?? {}, live),
    ),
    intermediates: between,
    revocation:
      revocation === undefined ? undefined : parseRevocation(revocation, { ...live, intermediates: between }),
    sources,
    clock: context.clock,
    maxCacheEntries: context.maxCacheEntries,
  })
}

function parseBundles(
  trustDomains: NonNullable<CertificateOptions['trustDomains']>,
  context: LiveContext,
): ReadonlyMap<string, Live<Bundle>> {
  return new Map(
    Object.entries(requireEntries(trustDomains, 'certificates.trustDomains')).map(([domain, source]) => {
      const option = `certificates.trustDomains['${domain}']`
      return [requireTrustDomain(domain, option), parseLive(source, option, bundles, context)]
    }),
  )
}
