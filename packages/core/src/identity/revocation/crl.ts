import { takeExtensions, type CertificateExtensions } from '../certificate/certificate-extensions.ts'
import {
  contextContainer,
  MalformedDer,
  readWhole,
  requireDer,
  tags,
  type DerReader,
} from '../certificate/der.ts'
import { smallNumberOf, takeOptionalTime, takeTime } from '../certificate/der-values.ts'
import { takeName, type DistinguishedName } from '../certificate/distinguished-name.ts'
import type { ParsedCertificate } from '../certificate/parsed-certificate.ts'
import { isSignedWith, takeSignedData, type SignedData } from '../certificate/signed-data.ts'
import { readRevocations } from './crl-entries.ts'
import { readCrlExtensions, type CrlExtensions } from './crl-extensions.ts'
import { rememberKeys } from './remember-keys.ts'

/** A certificate revocation list, read to its last octet. Nothing in it is proven but by whoever asks `isSignedBy`. */
export interface ParsedCrl extends Omit<CrlExtensions, 'unusable'> {
  readonly issuer: DistinguishedName
  /** Milliseconds since the epoch; both ends are inclusive. A list without an end says nothing of now, and is `unusable`. */
  readonly thisUpdate: number
  readonly nextUpdate: number | undefined
  /** Serial number as in `ParsedCertificate` → when it was revoked, in milliseconds since the epoch. */
  readonly revocations: ReadonlyMap<string, number>
  /** Why the list tells nobody anything, whoever signed it. No secret, and fit for a log line. */
  readonly unusable: string | undefined
  /** True where the signer's key made the signature, by an algorithm that counts. Each key is tried once. */
  isSignedBy(signer: ParsedCertificate): boolean
  /** The first whose key was found to have made it; undefined as long as none was. */
  readonly provenSigner: ParsedCertificate | undefined
}

/**
 * Parses a revocation list of version 2 (RFC 5280 §5.1). Throws `MalformedDer`, also for more than `maxCrlBytes`: whoever
 * reads one from outside stops reading there.
 */
export function parseCrl(der: Uint8Array): ParsedCrl {
  if (der.length > maxCrlBytes) throw new MalformedDer(`more than ${maxCrlBytes} octets`)
  // Not as a `Buffer`, whose parts take three times as long to make.
  const octets = new Uint8Array(der.buffer, der.byteOffset, der.byteLength)
  requireDer(octets)
  const data = readWhole(octets, tags.sequence, takeSignedData)
  let provenSigner: ParsedCertificate | undefined
  const isSignedBy = rememberKeys((signer) => {
    const isSigned = isSignedWith(signer.publicKey, data)
    if (isSigned) provenSigner ??= signer
    return isSigned
  })
  return {
    ...readWhole(data.signed, tags.sequence, (reader) => takeList(reader, data)),
    isSignedBy,
    get provenSigner() {
      return provenSigner
    },
  }
}

function takeList(
  reader: DerReader,
  { algorithm }: SignedData,
): Omit<ParsedCrl, 'isSignedBy' | 'provenSigner'> {
  requireVersion2(reader)
  // RFC 5280 §5.1.1.2: what is not signed says nothing of its own.
  if (Buffer.compare(reader.take().whole, algorithm) !== 0) {
    throw new MalformedDer('two signature algorithms that differ')
  }
  const issuer = takeName(reader)
  if (issuer.comparable === '') throw new MalformedDer('no issuer')
  const thisUpdate = takeTime(reader)
  const nextUpdate = takeOptionalTime(reader)
  // RFC 5280 §5.1.2.6 leaves the sequence out where nobody is revoked. Authorities that write an empty one mean the same.
  const entries = reader.takeOptional(tags.sequence) ?? nobody
  const extensions = reader.isAtEnd ? noExtensions : takeExtensions(reader.enter(contextContainer(0)))
  const { unusable, ...said } = readCrlExtensions(extensions, issuer)
  const { revocations, foreign } = readRevocations(entries, said.isDelta)
  const endless = nextUpdate === undefined ? 'no nextUpdate' : undefined
  return { ...said, issuer, thisUpdate, nextUpdate, revocations, unusable: unusable ?? foreign ?? endless }
}

// A list of version 1 has no extensions, and so cannot say what it is a list of.
function requireVersion2(reader: DerReader): void {
  const version = reader.takeOptional(tags.integer)
  if (version === undefined || smallNumberOf(version) !== 1) {
    throw new MalformedDer('a list of another version than 2')
  }
}

/** 8 MiB: about 200,000 entries with serial numbers of 16 octets. */
export const maxCrlBytes = 8 * 1024 * 1024

const nobody = new Uint8Array()
const noExtensions: CertificateExtensions = new Map()
