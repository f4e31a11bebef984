import { types } from 'node:util'
import { ConfigurationError, describeValue } from '../configuration-error.ts'
import { MalformedDer } from '../identity/certificate/der.ts'
import { parseCrl, type ParsedCrl } from '../identity/revocation/crl.ts'
import { parsePem } from './certificate-sources.ts'

/** Revocation lists: one in DER, or PEM text (`X509 CRL`), which may hold several. */
export type CrlSource = Uint8Array | string

/** The lists that can be read. What cannot be is passed over: without it, the status of whoever it was about stays open. */
export function parseCrlSources(value: unknown, option: string): readonly ParsedCrl[] {
  if (!Array.isArray(value)) {
    throw new ConfigurationError(
      option,
      `expected an array of revocation lists, DER or PEM, got ${describeValue(value)}`,
    )
  }
  return value.flatMap((source: unknown, i) => dersOf(source, `${option}[${i}]`).flatMap(readable))
}

function dersOf(source: unknown, option: string): readonly Uint8Array[] {
  if (typeof source === 'string') return parsePem(source, 'X509 CRL')
  if (types.isUint8Array(source)) return [source]
  throw new ConfigurationError(
    option,
    `expected a revocation list, DER in a Uint8Array or PEM in a text, got ${describeValue(source)}`,
  )
}

function readable(der: Uint8Array): readonly ParsedCrl[] {
  try {
    return [parseCrl(der)]
  } catch (error) {
    if (error instanceof MalformedDer) return []
    throw error
  }
}
