import { ConfigurationError, describeValue } from '../configuration-error.ts'
import { deeplyFreeze, isRecord, parseJsonObject } from '../identity/jws/json-object.ts'
import { parseCertificate, type ParsedCertificate } from '../identity/certificate/parsed-certificate.ts'
import { entriesOf } from '../identity/trust/jwk-set.ts'
import {
  parseSpiffeBundle as parseJwtAuthorities,
  parseX509Authorities,
  refreshHintOf,
  sequenceOf,
} from '../identity/trust/spiffe-bundle.ts'
import { Refusal } from '../refusal.ts'

/** The bundle of a SPIFFE trust domain. Which domain that is stands in your configuration, never in the document. */
export interface SpiffeBundle {
  /** Roots of X.509-SVIDs, in DER. None: no X.509-SVID of the domain is valid. */
  readonly x509Authorities: readonly Uint8Array[]
  /** Public keys of JWT-SVIDs, as a JWK Set. None: no JWT-SVID of the domain is valid. */
  readonly jwtAuthorities: { readonly keys: readonly object[] }
  /** `spiffe_sequence`. Never go back to a lower one. */
  readonly sequence: bigint | undefined
  /** Seconds after which to read the bundle again, if the publisher says so (`spiffe_refresh_hint`). */
  readonly refreshHintSeconds: number | undefined
}

/**
 * Parses a bundle from its JSON text (SPIFFE Trust Domain and Bundle §4). Throws a ConfigurationError where it is none; keep the
 * bundle that you have then. Keys of other uses are passed over; one without any keys is a bundle, with which nothing is valid.
 */
export function parseSpiffeBundle(json: string): SpiffeBundle {
  const { certificates, jwtAuthorities, sequence, refreshHintSeconds } = readSpiffeBundle(json)
  const x509Authorities = Object.freeze(certificates.map(({ der }) => der))
  return Object.freeze({ x509Authorities, jwtAuthorities, sequence, refreshHintSeconds })
}

/** The same, with the roots as they were parsed. */
export function readSpiffeBundle(
  json: string,
): Omit<SpiffeBundle, 'x509Authorities'> & { readonly certificates: readonly ParsedCertificate[] } {
  if (typeof json !== 'string') throw mistake(`expected JSON text, got ${describeValue(json)}`)
  const octets = Buffer.from(json)
  const document = parseJsonObject(octets)
  if (document === undefined) throw mistake('expected a JSON object that names no member twice')
  try {
    const bundle = {
      certificates: parseX509Authorities(document).map(requireCertificate),
      jwtAuthorities: { keys: jwtKeysOf(document) },
      sequence: sequenceOf(octets),
      refreshHintSeconds: refreshHintOf(document),
    }
    deeplyFreeze(bundle.jwtAuthorities)
    return bundle
  } catch (error) {
    throw mistake(error instanceof Error ? error.message : 'expected a SPIFFE bundle')
  }
}

// As they stand in the document: `verifyJwtSvid` reads them once more.
function jwtKeysOf(document: unknown): readonly object[] {
  parseJwtAuthorities(document)
  return entriesOf(document).filter((entry) => isRecord(entry) && entry['use'] === 'jwt-svid') as object[] // records
}

function requireCertificate(der: Uint8Array): ParsedCertificate {
  const parsed = parseCertificate(der)
  if (!(parsed instanceof Refusal)) return parsed
  throw new Error(`an \`x509-svid\` key holds no certificate: ${parsed.detail.actual}`)
}

const mistake = (problem: string): ConfigurationError => new ConfigurationError('bundle', problem)
