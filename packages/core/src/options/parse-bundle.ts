import { ConfigurationError } from '../configuration-error.ts'
import { parseCertificate, type ParsedCertificate } from '../identity/certificate/parsed-certificate.ts'
import { Refusal } from '../refusal.ts'
import { parsePem } from './certificate-sources.ts'
import { readPem } from './option-values.ts'
import { parseSpiffeBundle } from './spiffe-bundle-document.ts'

/** Certificates in PEM; or the X.509 authorities of a SPIFFE bundle, which is JSON. */
export function parseBundle(source: unknown, option: string): readonly ParsedCertificate[] {
  const text = isJson(source) ? source : readPem(source, option)
  const ders = isJson(text) ? authoritiesIn(text, option) : parsePem(text)
  if (ders.length === 0) {
    throw new ConfigurationError(
      option,
      'expected at least one PEM block `-----BEGIN CERTIFICATE-----`, or one `x509-svid` key of a SPIFFE bundle, found none',
    )
  }
  return ders.map((der, i) => {
    // Said here, and not by an anchor that is passed over on every request.
    const parsed = parseCertificate(der)
    if (!(parsed instanceof Refusal)) return parsed
    const { expected, actual } = parsed.detail
    throw new ConfigurationError(
      option,
      `certificate ${i + 1} cannot be read: expected ${expected}, got ${actual}`,
    )
  })
}

function authoritiesIn(json: string, option: string): readonly Uint8Array[] {
  try {
    return parseSpiffeBundle(json).x509Authorities
  } catch (error) {
    throw new ConfigurationError(option, error instanceof Error ? error.message : 'expected a SPIFFE bundle')
  }
}

const isJson = (text: unknown): text is string => typeof text === 'string' && text.trimStart().startsWith('{')
