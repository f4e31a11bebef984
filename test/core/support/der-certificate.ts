// Certificates written octet by octet and signed with real keys, so that each part of one can be wrong by itself.
import { generateKeyPairSync, sign, type KeyObject } from 'node:crypto'

/** One value in DER: a tag, the length, the content. */
export function der(tag: number, ...content: readonly Uint8Array[]): Buffer {
  const inner = Buffer.concat(content)
  const { length } = inner
  const octets =
    length < 0x80
      ? [length]
      : length < 0x100
        ? [0x81, length]
        : length < 0x10000
          ? [0x82, length >> 8, length & 0xff]
          : [0x83, length >> 16, (length >> 8) & 0xff, length & 0xff]
  return Buffer.concat([Buffer.from([tag, ...octets]), inner])
}

export const sequence = (...content: readonly Uint8Array[]): Buffer => der(0x30, ...content)
export const integer = (...octets: readonly number[]): Buffer => der(0x02, Buffer.from(octets))
export const text = (tag: number, value: string): Buffer => der(tag, Buffer.from(value, 'latin1'))
export const bits = (unused: number, ...octets: readonly number[]): Buffer =>
  der(0x03, Buffer.from([unused, ...octets]))
export const yes = der(0x01, Buffer.from([0xff]))
export const hex = (value: string): Buffer => Buffer.from(value.replaceAll(' ', ''), 'hex')

export function oid(dotted: string): Buffer {
  const [first = 0, second = 0, ...rest] = dotted.split('.').map(Number)
  const octets = [first * 40 + second, ...rest].flatMap((arc) => {
    const groups = [arc & 0x7f]
    for (let left = arc >>> 7; left > 0; left >>>= 7) groups.unshift((left & 0x7f) | 0x80)
    return groups
  })
  return der(0x06, Buffer.from(octets))
}

/** A Name of common names, one in each part. */
export const name = (...commonNames: readonly string[]): Buffer =>
  sequence(...commonNames.map((value) => der(0x31, attribute('2.5.4.3', text(0x0c, value)))))

export const attribute = (type: string, value: Uint8Array): Buffer => sequence(oid(type), value)

export const extension = (type: string, isCritical: boolean, value: Uint8Array): Buffer =>
  sequence(oid(type), ...(isCritical ? [yes] : []), der(0x04, value))

/** The alternative names of a certificate, or the bases of constraints. */
export const names = {
  uri: (value: string): Buffer => text(0x86, value),
  dns: (value: string): Buffer => text(0x82, value),
  email: (value: string): Buffer => text(0x81, value),
  ip: (...octets: readonly number[]): Buffer => der(0x87, Buffer.from(octets)),
  directory: (value: Uint8Array): Buffer => der(0xa4, value),
  other: (): Buffer => der(0xa0, oid('1.2.3.4'), der(0xa0, text(0x0c, 'x'))),
}

export const extensions = {
  authority: (pathLength?: number): Buffer =>
    extension('2.5.29.19', true, sequence(yes, ...(pathLength === undefined ? [] : [integer(pathLength)]))),
  /** Bits from the left: 0x80 digitalSignature, 0x04 keyCertSign, 0x02 cRLSign. */
  keyUsage: (octet: number): Buffer =>
    extension('2.5.29.15', true, bits(Math.clz32(octet & -octet) ^ 31, octet)),
  extKeyUsage: (...usages: readonly string[]): Buffer =>
    extension('2.5.29.37', false, sequence(...usages.map(oid))),
  alternativeNames: (...values: readonly Uint8Array[]): Buffer =>
    extension('2.5.29.17', true, sequence(...values)),
  nameConstraints: (permitted: readonly Uint8Array[], excluded: readonly Uint8Array[] = []): Buffer =>
    extension('2.5.29.30', true, sequence(...subtrees(0xa0, permitted), ...subtrees(0xa1, excluded))),
  subjectKeyId: (value: string): Buffer => extension('2.5.29.14', false, text(0x04, value)),
  authorityKeyId: (value: string): Buffer => extension('2.5.29.35', false, sequence(text(0x80, value))),
}

const subtrees = (tag: number, bases: readonly Uint8Array[]): readonly Buffer[] =>
  bases.length === 0 ? [] : [der(tag, ...bases.map((base) => sequence(base)))]

export const clientAuth = '1.3.6.1.5.5.7.3.2'
export const serverAuth = '1.3.6.1.5.5.7.3.1'
export const anyUsage = '2.5.29.37.0'

/** The parts of a certificate (RFC 5280 §4.1), each in DER. */
export interface CertificateParts {
  readonly version: Uint8Array
  readonly serialNumber: Uint8Array
  readonly innerAlgorithm: Uint8Array
  readonly issuer: Uint8Array
  readonly validity: Uint8Array
  readonly subject: Uint8Array
  readonly publicKey: Uint8Array
  /** All behind the public key. */
  readonly rest: Uint8Array
  readonly outerAlgorithm: Uint8Array
  /** Behind the signature. */
  readonly end: Uint8Array
}

export interface Keys {
  readonly publicKey: KeyObject
  readonly privateKey: KeyObject
}

export const createKeys = (): Keys => generateKeyPairSync('ec', { namedCurve: 'P-256' })

export const ecdsaWithSha256 = sequence(oid('1.2.840.10045.4.3.2'))
export const spkiOf = ({ publicKey }: Keys): Buffer => publicKey.export({ type: 'spki', format: 'der' })
/** The octets of a time as UTCTime, or as GeneralizedTime where it has 15 characters. */
export const time = (value: string): Buffer => text(value.length > 13 ? 0x18 : 0x17, value)

/** When every certificate is good that says nothing else. */
export const at = new Date('2026-06-01T00:00:00Z')
const validity = sequence(time('250101000000Z'), time('300101000000Z'))

/** A certificate that is whatever its parts make it. Keys of the issuer sign it. */
function certificate(
  parts: Partial<CertificateParts> & Pick<CertificateParts, 'subject' | 'issuer' | 'publicKey'>,
  issuerKeys: Keys,
  extensionList: readonly Uint8Array[] = [],
): Buffer {
  const algorithm = parts.innerAlgorithm ?? ecdsaWithSha256
  const tbs = sequence(
    parts.version ?? der(0xa0, integer(2)),
    parts.serialNumber ?? integer(1),
    algorithm,
    parts.issuer,
    parts.validity ?? validity,
    parts.subject,
    parts.publicKey,
    parts.rest ?? (extensionList.length === 0 ? Buffer.alloc(0) : der(0xa3, sequence(...extensionList))),
  )
  const signature = sign('sha256', tbs, issuerKeys.privateKey)
  const signed = der(0x03, Buffer.from([0]), signature)
  return sequence(tbs, parts.outerAlgorithm ?? algorithm, signed, parts.end ?? Buffer.alloc(0))
}

/** An authority, root or not, and what it issues. */
export interface Authority {
  readonly der: Buffer
  readonly keys: Keys
  readonly subject: Buffer
}

export interface AuthorityOptions {
  readonly commonName?: string
  readonly subject?: Buffer
  readonly keys?: Keys
  readonly pathLength?: number
  /** In place of those that make it an authority. */
  readonly extensions?: readonly Uint8Array[]
  /** Beside those that make it an authority. */
  readonly also?: readonly Uint8Array[]
  readonly parts?: Partial<CertificateParts>
}

/** Issues an authority; a root where nobody issues it. */
export function authority(options: AuthorityOptions = {}, issuer?: Authority): Authority {
  const keys = options.keys ?? createKeys()
  const subject = options.subject ?? name(options.commonName ?? (issuer ? 'Intermediate' : 'Root'))
  const list = options.extensions ?? [
    extensions.authority(options.pathLength),
    extensions.keyUsage(0x06),
    ...(options.also ?? []),
  ]
  const parts = { subject, issuer: issuer?.subject ?? subject, publicKey: spkiOf(keys), ...options.parts }
  return { der: certificate(parts, issuer?.keys ?? keys, list), keys, subject }
}

export interface LeafOptions {
  readonly extensions?: readonly Uint8Array[]
  readonly names?: readonly Uint8Array[]
  readonly parts?: Partial<CertificateParts>
  readonly keys?: Keys
}

/** Issues a leaf that is good for calling, unless the options change what it says. */
export function leaf(issuer: Authority, options: LeafOptions = {}): Buffer {
  const list = options.extensions ?? [
    extensions.keyUsage(0x80),
    extensions.extKeyUsage(clientAuth),
    extensions.alternativeNames(...(options.names ?? [names.uri('spiffe://prod.example/checkout')])),
  ]
  const parts = {
    subject: name('Leaf'),
    issuer: issuer.subject,
    publicKey: spkiOf(options.keys ?? leafKeys),
    ...options.parts,
  }
  return certificate(parts, issuer.keys, list)
}

const leafKeys = createKeys()
