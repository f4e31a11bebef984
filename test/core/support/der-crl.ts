// Revocation lists written octet by octet and signed with real keys, so that each part of one can be wrong by itself.
import { sign } from 'node:crypto'
import {
  bits,
  der,
  ecdsaWithSha256,
  extension,
  integer,
  sequence,
  time,
  type Authority,
  type Keys,
} from './der-certificate.ts'

/** The parts of a list (RFC 5280 §5.1), each in DER. */
export interface CrlParts {
  readonly version: Uint8Array
  readonly innerAlgorithm: Uint8Array
  readonly issuer: Uint8Array
  readonly thisUpdate: Uint8Array
  readonly nextUpdate: Uint8Array
  readonly entries: Uint8Array
  /** All behind the entries. */
  readonly rest: Uint8Array
  readonly outerAlgorithm: Uint8Array
  readonly signature: Uint8Array
  /** Behind the signature. */
  readonly end: Uint8Array
}

export interface CrlOptions {
  readonly revoked?: readonly number[]
  /** In place of those. */
  readonly entries?: readonly Uint8Array[]
  readonly number?: number
  /** In place of the number. */
  readonly extensions?: readonly Uint8Array[]
  /** Beside the number. */
  readonly also?: readonly Uint8Array[]
  readonly from?: string
  readonly until?: string
  /** Who signs, where that is not the issuer. */
  readonly keys?: Keys
  readonly parts?: Partial<CrlParts>
}

/** A list that its issuer signs, good at `at`, and without entries unless the options say otherwise. */
export function crl(issuer: Pick<Authority, 'keys' | 'subject'>, options: CrlOptions = {}): Buffer {
  const { parts = {}, keys = issuer.keys } = options
  const algorithm = parts.innerAlgorithm ?? ecdsaWithSha256
  const entries = options.entries ?? (options.revoked ?? []).map((serial) => entry([serial]))
  const extensions = options.extensions ?? [
    crlExtensions.number(options.number ?? 1),
    ...(options.also ?? []),
  ]
  const tbs = sequence(
    parts.version ?? integer(1),
    algorithm,
    parts.issuer ?? issuer.subject,
    parts.thisUpdate ?? time(options.from ?? '260501000000Z'),
    parts.nextUpdate ?? time(options.until ?? '260701000000Z'),
    parts.entries ?? (entries.length === 0 ? nothing : der(0x30, Buffer.concat(entries))),
    parts.rest ?? (extensions.length === 0 ? nothing : der(0xa0, sequence(...extensions))),
  )
  const signature = parts.signature ?? bits(0, ...sign('sha256', tbs, keys.privateKey))
  return sequence(tbs, parts.outerAlgorithm ?? algorithm, signature, parts.end ?? nothing)
}

/** Who is revoked: the octets of the serial number. */
export const entry = (serial: readonly number[], ...extensions: readonly Uint8Array[]): Buffer =>
  sequence(
    integer(...serial),
    time('260401000000Z'),
    extensions.length === 0 ? nothing : sequence(...extensions),
  )

export const reason = (code: number, isCritical = false): Buffer =>
  extension('2.5.29.21', isCritical, der(0x0a, Buffer.from([code])))

export const crlExtensions = {
  number: (...octets: readonly number[]): Buffer => extension('2.5.29.20', false, integer(...octets)),
  delta: (isCritical = true): Buffer => extension('2.5.29.27', isCritical, integer(1)),
  scope: (...fields: readonly Uint8Array[]): Buffer => extension('2.5.29.28', true, sequence(...fields)),
}

/** The fields of an issuingDistributionPoint, and of a distribution point of a certificate. */
export const scopes = {
  users: der(0x81, Buffer.from([0xff])),
  authorities: der(0x82, Buffer.from([0xff])),
  indirect: der(0x84, Buffer.from([0xff])),
  attributes: der(0x85, Buffer.from([0xff])),
  point: (...names: readonly Uint8Array[]): Buffer => der(0xa0, der(0xa0, ...names)),
  /** An attribute that completes the name of the issuer. */
  relative: (attribute: Uint8Array): Buffer => der(0xa0, der(0xa1, attribute)),
  /** The bits of ReasonFlags, by their numbers. */
  reasons: (...numbers: readonly number[]): Buffer => der(0x83, reasonFlags(numbers)),
}

/** The distribution points of a certificate. */
export const distributionPoints = (...points: readonly Uint8Array[]): Buffer =>
  extension('2.5.29.31', false, sequence(...points))

export const pointReasons = (...numbers: readonly number[]): Buffer => der(0x81, reasonFlags(numbers))

function reasonFlags(numbers: readonly number[]): Buffer {
  const sum = numbers.reduce((flags, bit) => flags | (0x8000 >> bit), 0)
  const octets = (sum & 0xff) === 0 ? [sum >> 8] : [sum >> 8, sum & 0xff]
  const last = octets.at(-1) ?? 0
  return Buffer.from([Math.clz32(last & -last) ^ 31, ...octets])
}

const nothing = Buffer.alloc(0)
