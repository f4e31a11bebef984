import {
  contextContainer,
  contextTag,
  DerReader,
  MalformedDer,
  readAll,
  readEach,
  readWhole,
  tags,
} from '../certificate/der.ts'
import { readExtension } from '../certificate/certificate-extensions.ts'
import { hexOf } from '../certificate/der-values.ts'
import { takeRelativeName, type DistinguishedName } from '../certificate/distinguished-name.ts'
import { takeGeneralName, type GeneralName } from '../certificate/general-names.ts'
import type { ParsedCertificate } from '../certificate/parsed-certificate.ts'
import { reasonsOf, type RevocationReasons } from './revocation-reasons.ts'

/**
 * Where a certificate says that lists about it are to be had (RFC 5280 §4.2.1.13): names, equal ones of which are equal strings, and for
 * which reasons a list of that name counts. Only points whose lists the certificate's own issuer signs; none where they cannot be read.
 */
export function distributionPointsOf(certificate: ParsedCertificate): ReadonlyMap<string, RevocationReasons> {
  const known = pointsOf.get(certificate)
  if (known !== undefined) return known
  const points = readPoints(certificate)
  pointsOf.set(certificate, points)
  return points
}

// A certificate of 16 KiB can have thousands of names, and is asked about for every path to it and every list.
const pointsOf = new WeakMap<ParsedCertificate, ReadonlyMap<string, RevocationReasons>>()

function readPoints({ extensions, issuer }: ParsedCertificate): ReadonlyMap<string, RevocationReasons> {
  const reasonsByName = new Map<string, RevocationReasons>()
  try {
    const points = readExtension(extensions, crlDistributionPoints, (der) =>
      readWhole(der, tags.sequence, (reader) =>
        readEach(reader, maxNames, () => takePoint(reader.enter(tags.sequence), issuer)),
      ),
    )
    for (const { names, reasons } of points ?? []) {
      for (const name of names) reasonsByName.set(name, (reasonsByName.get(name) ?? 0) | reasons)
    }
  } catch (error) {
    if (!(error instanceof MalformedDer)) throw error
  }
  return reasonsByName
}

interface DistributionPoint {
  readonly names: readonly string[]
  readonly reasons: RevocationReasons
}

// A point with a cRLIssuer of another name is one of indirect lists, which never count here.
function takePoint(reader: DerReader, issuer: DistinguishedName): DistributionPoint {
  const name = reader.takeOptional(contextContainer(0))
  const reasons = reasonsOf(reader.takeOptional(contextTag(1)))
  const crlIssuer = reader.takeOptional(contextContainer(2))
  reader.end()
  const issuers = crlIssuer === undefined ? [comparableDirectory(issuer.parts)] : namesIn(crlIssuer)
  const names = name === undefined ? issuers : pointNamesIn(name, issuer)
  return issuers.includes(comparableDirectory(issuer.parts)) ? { names, reasons } : { names: [], reasons }
}

/** The names of a DistributionPointName, in which a relative one is completed by the name of the list's issuer. */
export function pointNamesIn(content: Uint8Array, issuer: DistinguishedName): readonly string[] {
  const { tag, content: name } = readAll(content, (reader) => reader.take())
  if (tag === contextContainer(0)) return namesIn(name)
  if (tag !== contextContainer(1)) throw new MalformedDer('a distribution point of no known kind')
  return [comparableDirectory([...issuer.parts, takeRelativeName(new DerReader(name))])]
}

const namesIn = (content: Uint8Array): readonly string[] =>
  readEach(new DerReader(content), maxNames, takeGeneralName).flatMap(comparableName)

// INVARIANT: what cannot be read equals nothing.
function comparableName({ kind, value }: GeneralName): readonly string[] {
  if (kind === 'other') return []
  if (kind === 'directory') return [comparableDirectory(value.parts)]
  return [`${kind}:${kind === 'ip' ? hexOf(value) : value}`]
}

const comparableDirectory = (parts: readonly string[]): string => `directory:${parts.join('\n')}`

const crlDistributionPoints = '2.5.29.31'
const maxNames = 64
