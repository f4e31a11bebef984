// Proxies that forward the certificate in a header of its own, and say in others what they think of it.
import { Refusal } from '../../refusal.ts'
import type { HeaderField } from '../../request/identity-headers.ts'
import { parseBase64Der, parseBase64DerChain } from './base64-der.ts'
import { parseBase64List } from './base64-list.ts'
import { parseClientCert, parseClientCertChain } from './client-cert.ts'
import { parseEscapedPem } from './escaped-pem.ts'
import { parseFoldedPem } from './folded-pem.ts'
import { clientWith, type ForwardedClient, type ForwardedFormat } from './forwarded-client.ts'
import { malformed } from './malformed.ts'
import { readField, readLines } from './read-field.ts'

/** How a certificate is written in a header. */
export type CertificateEncoding = keyof typeof encodings

/** A header in which a proxy says what it thinks of the certificate. */
export interface VerificationHeader {
  /** Lower-case, with dashes. */
  readonly header: string
  /** Its value where the certificate was verified, such as `SUCCESS`. Empty: the header is empty or absent. */
  readonly verified: string
  /** Its value where the client has none, such as `NONE`. */
  readonly none: string
}

export interface CertificateHeaders {
  readonly encoding: CertificateEncoding
  readonly header: string
  readonly chainHeader: string | undefined
  readonly verification: readonly VerificationHeader[]
}

/** The format of a proxy that forwards the certificate itself. */
export function certificateHeaders(names: CertificateHeaders): ForwardedFormat {
  const { header, chainHeader, verification } = names
  const own = [header, ...(chainHeader === undefined ? [] : [chainHeader])]
  return {
    headers: [...own, ...verification.map((each) => each.header)],
    read: (fields) => read(fields, names),
  }
}

function read(
  fields: readonly HeaderField[],
  { encoding, header, chainHeader, verification }: CertificateHeaders,
): ForwardedClient | undefined | Refusal {
  const value = readField(fields, header)
  if (value instanceof Refusal) return value
  const chain = chainHeader === undefined ? [] : readLines(fields, chainHeader)
  if (chain instanceof Refusal) return chain
  // Apache writes the name of nothing for a variable that is not set.
  const isPresent = value !== undefined && value !== '(null)'
  const verdict = checkVerification(fields, verification, isPresent)
  if (verdict !== undefined) return verdict
  if (!isPresent) return chain.length === 0 ? undefined : chainAlone
  const certificates = parse(value, chain, encodings[encoding])
  return certificates instanceof Refusal ? certificates : clientWith(certificates)
}

// INVARIANT: a certificate without every header that should say so is not verified. So is a failed one that is not shown.
function checkVerification(
  fields: readonly HeaderField[],
  verification: readonly VerificationHeader[],
  isPresent: boolean,
): Refusal | undefined {
  for (const { header, verified, none } of verification) {
    const value = readField(fields, header)
    if (value instanceof Refusal) return value
    if (isPresent ? (value ?? '') === verified : value === undefined || value === none) continue
    return unverified(header, isPresent ? verified : none)
  }
  return undefined
}

function parse(
  value: string,
  chainLines: readonly string[],
  { leaf: parseLeaf, chain: parseChain }: Encoding,
): readonly Uint8Array[] | Refusal {
  const own = parseLeaf(value)
  if (own instanceof Refusal || chainLines.length === 0) return own
  const chain = parseChain?.(chainLines) ?? chainAlone
  return chain instanceof Refusal ? chain : [...own, ...chain]
}

interface Encoding {
  readonly leaf: (value: string) => readonly Uint8Array[] | Refusal
  /** Of the header beside it, where there can be one. */
  readonly chain?: (lines: readonly string[]) => readonly Uint8Array[] | Refusal
}

const one =
  (parseOne: (value: string) => Uint8Array | Refusal): Encoding['leaf'] =>
  (value) => {
    const der = parseOne(value)
    return der instanceof Refusal ? der : [der]
  }

const onlyLine =
  (parseLine: Encoding['leaf']): Required<Encoding>['chain'] =>
  (lines) => {
    const [line = '', second] = lines
    return second === undefined ? parseLine(line) : chainTwice
  }

const encodings = {
  /** RFC 9440, where a chain may come in several lines. */
  rfc9440: { leaf: one(parseClientCert), chain: (lines) => parseClientCertChain(lines.join(', ')) },
  'escaped-pem': { leaf: parseEscapedPem, chain: onlyLine(parseEscapedPem) },
  'folded-pem': { leaf: parseFoldedPem, chain: onlyLine(parseFoldedPem) },
  'base64-der': { leaf: one(parseBase64Der), chain: onlyLine(parseBase64DerChain) },
  'base64-list': { leaf: parseBase64List },
} as const satisfies Record<string, Encoding>

/** Their names, as they are written in options. */
export const encodingNames = Object.keys(encodings) as readonly CertificateEncoding[] // its own keys

const chainAlone = malformed('a chain beside a certificate', 'a chain alone')
const chainTwice = malformed('one header with the chain', 'several')

const unverified = (header: string, expected: string): Refusal =>
  new Refusal('forwarded_certificate_unverified', {
    expected: expected === '' ? `\`${header}\` empty or absent` : `\`${header}: ${expected}\``,
    actual: 'another value, or none',
    advice:
      'see in the log of the proxy why it did not verify the certificate, and have it set this header for every request',
  })
