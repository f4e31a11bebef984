import {
  contextContainer,
  contextTag,
  MalformedDer,
  readAll,
  readEach,
  readWhole,
  requireDer,
  tags,
  type DerReader,
} from './der.ts'
import { hexOf, namedBitsOf, smallNumberOf, takeFlag, takeOid } from './der-values.ts'

/** An extension as it stands in a certificate (RFC 5280 §4.1.2.9). */
export interface CertificateExtension {
  readonly isCritical: boolean
  /** The octets inside its OCTET STRING. */
  readonly value: Uint8Array
}

/** Object identifier → extension, each once. */
export type CertificateExtensions = ReadonlyMap<string, CertificateExtension>

/** The extensions, which are all that is in a container; a second one of a kind would be somebody's choice which counts. */
export function takeExtensions(container: DerReader): CertificateExtensions {
  const list = container.enter(tags.sequence)
  container.end()
  const extensions = new Map<string, CertificateExtension>()
  readEach(list, maxExtensions, () => {
    const extension = list.enter(tags.sequence)
    const oid = takeOid(extension)
    const isCritical = takeFlag(extension)
    const value = extension.takeTagged(tags.octetString)
    extension.end()
    if (extensions.has(oid)) throw new MalformedDer(`the extension ${oid} twice`)
    extensions.set(oid, { isCritical, value })
  })
  return extensions
}

/** What an extension says, whose value is DER as a whole; undefined where there is none of the kind. */
export function readExtension<T>(
  extensions: CertificateExtensions,
  oid: string,
  parse: (der: Uint8Array) => T,
): T | undefined {
  const extension = extensions.get(oid)
  if (extension === undefined) return undefined
  requireDer(extension.value)
  return parse(extension.value)
}

export const extensionOids = {
  subjectKeyIdentifier: '2.5.29.14',
  keyUsage: '2.5.29.15',
  subjectAltName: '2.5.29.17',
  basicConstraints: '2.5.29.19',
  nameConstraints: '2.5.29.30',
  certificatePolicies: '2.5.29.32',
  authorityKeyIdentifier: '2.5.29.35',
  policyConstraints: '2.5.29.36',
  extKeyUsage: '2.5.29.37',
  authorityInfoAccess: '1.3.6.1.5.5.7.1.1',
} as const

/** RFC 5280 §4.2.1.9: `cA` is FALSE unless it is there, and a path length without `cA` means nothing. */
export function parseBasicConstraints(der: Uint8Array): {
  readonly isCa: boolean
  readonly pathLength: number | undefined
} {
  return readWhole(der, tags.sequence, (reader) => {
    const isCa = takeFlag(reader)
    const pathLength = reader.takeOptional(tags.integer)
    return { isCa, pathLength: pathLength === undefined ? undefined : smallNumberOf(pathLength) }
  })
}

export interface KeyUsage {
  readonly digitalSignature: boolean
  readonly certSign: boolean
  readonly crlSign: boolean
}

/** RFC 5280 §4.2.1.3. */
export function parseKeyUsage(der: Uint8Array): KeyUsage {
  const bits = namedBitsOf(readAll(der, (reader) => reader.takeTagged(tags.bitString)))
  return { digitalSignature: bits[0] === true, certSign: bits[5] === true, crlSign: bits[6] === true }
}

/** The object identifiers of an extKeyUsage (RFC 5280 §4.2.1.12), or the first of each certificate policy. */
export const parseOids = (der: Uint8Array): readonly string[] =>
  readWhole(der, tags.sequence, (reader) => readEach(reader, maxEntries, takeOid))

/** The key identifier of an authorityKeyIdentifier (RFC 5280 §4.2.1.1): a hint for finding issuers, never a proof. */
export function parseAuthorityKeyId(der: Uint8Array): string | undefined {
  return readWhole(der, tags.sequence, (reader) => {
    const keyId = reader.takeOptional(contextTag(0))
    reader.takeOptional(contextContainer(1)) // authorityCertIssuer
    reader.takeOptional(contextTag(2)) // authorityCertSerialNumber
    return keyId === undefined ? undefined : hexOf(keyId)
  })
}

/** The key identifier of a subjectKeyIdentifier (RFC 5280 §4.2.1.2). */
export const parseSubjectKeyId = (der: Uint8Array): string =>
  readAll(der, (reader) => hexOf(reader.takeTagged(tags.octetString)))

/**
 * Requires a list whose entries begin with an object identifier, as certificatePolicies and authorityInfoAccess are. That what follows
 * it is DER, `readExtension` has seen to.
 */
export function requireOidEntries(der: Uint8Array): void {
  readWhole(der, tags.sequence, (reader) =>
    readEach(reader, maxEntries, () => takeOid(reader.enter(tags.sequence))),
  )
}

const maxExtensions = 64
const maxEntries = 64
