import { ConfigurationError } from '../configuration-error.ts'
import { parseCertificate, type ParsedCertificate } from '../identity/certificate/parsed-certificate.ts'
import type { Bundle } from '../identity/peer/trusted-roots.ts'
import { bundleIntervalOf } from '../identity/trust/refresh-times.ts'
import { requireNewerSequence } from '../identity/trust/spiffe-bundle.ts'
import { Refusal } from '../refusal.ts'
import { parsePem } from './certificate-sources.ts'
import { readPem } from './option-values.ts'
import type { DocumentKind } from './document-source.ts'
import { readSpiffeBundle } from './spiffe-bundle-document.ts'

/** Roots: certificates in PEM; or the X.509 authorities of a SPIFFE bundle, which is JSON. */
export const bundles: DocumentKind<Bundle> = {
  expected:
    'PEM text, the path of a PEM file or of a SPIFFE bundle, its https URL, or a source with `follow`',
  isText: (text) => text.includes('-----BEGIN') || isJson(text),
  parse(octets, previous) {
    const text = Buffer.from(octets).toString('utf8')
    const bundle = isJson(text) ? parseJson(text) : { roots: parseAll(parsePem(text)), ...unnumbered }
    // Somewhere there was one before: a publisher may withdraw all, a typing mistake may not.
    if (bundle.roots.length === 0 && (previous === undefined || !isJson(text))) throw new Error(noRoots)
    requireNewerSequence(bundle.sequence, previous?.sequence)
    // One that has no sequence in between brings no older one back.
    return { ...bundle, sequence: bundle.sequence ?? previous?.sequence }
  },
  intervalOf: (_reading, { refreshHintSeconds }) => bundleIntervalOf(refreshHintSeconds),
  maxStaleMs: 24 * 3_600_000,
  maxBytes: 1024 * 1024,
  accept: 'application/json, application/x-pem-file',
  isSigned: false,
}

/** Certificates in PEM text or a PEM file, which are read once. */
export function readCertificates(source: unknown, option: string): readonly ParsedCertificate[] {
  const ders = parsePem(readPem(source, option))
  if (ders.length === 0) throw new ConfigurationError(option, noRoots)
  try {
    return parseAll(ders)
  } catch (error) {
    throw new ConfigurationError(option, error instanceof Error ? error.message : 'cannot be read')
  }
}

const unnumbered = { sequence: undefined, refreshHintSeconds: undefined }

function parseJson(json: string): Bundle {
  const { certificates, sequence, refreshHintSeconds } = readSpiffeBundle(json)
  return { roots: certificates, sequence, refreshHintSeconds }
}

// Said here, and not by an anchor that is passed over on every request.
const parseAll = (ders: readonly Uint8Array[]): readonly ParsedCertificate[] =>
  ders.map((der, i) => {
    const parsed = parseCertificate(der)
    if (!(parsed instanceof Refusal)) return parsed
    const { expected, actual } = parsed.detail
    throw new Error(`certificate ${i + 1} cannot be read: expected ${expected}, got ${actual}`)
  })

const noRoots =
  'expected at least one PEM block `-----BEGIN CERTIFICATE-----`, or one `x509-svid` key of a SPIFFE bundle, found none'

const isJson = (text: string): boolean => text.trimStart().startsWith('{')
