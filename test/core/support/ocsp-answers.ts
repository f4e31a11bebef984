// A small OCSP responder: answers written octet by octet and signed with real keys, so that each part can be wrong by itself.
import { createHash, sign, type KeyObject } from 'node:crypto'
import { certIdOf } from '../../../packages/core/src/identity/revocation/ocsp-request.ts'
import {
  parseCertificate,
  type ParsedCertificate,
} from '../../../packages/core/src/identity/certificate/parsed-certificate.ts'
import { Refusal } from '../../../packages/core/src/refusal.ts'
import {
  at,
  authority,
  createKeys,
  der,
  ecdsaWithSha256,
  extension,
  extensions,
  hex,
  integer,
  leaf,
  name,
  oid,
  sequence,
  spkiOf,
  text,
  type Authority,
  type CertificateParts,
  type Keys,
} from './der-certificate.ts'

export const now = at.getTime()
export const minute = 60_000
export const hour = 60 * minute
export const day = 24 * hour

/** Throws where it is no certificate. */
export function parsed(certificate: Uint8Array): ParsedCertificate {
  const result = parseCertificate(certificate)
  if (result instanceof Refusal) throw new Error(`expected a certificate: ${result.detail.actual}`)
  return result
}

/** An authority and a certificate of it that somebody asks about. */
export interface Asked {
  readonly authority: Authority
  readonly issuer: ParsedCertificate
  readonly certificate: ParsedCertificate
  readonly certId: Uint8Array
}

export function askedOf(issuing: Authority, parts: Partial<CertificateParts> = {}): Asked {
  const issuer = parsed(issuing.der)
  const certificate = parsed(leaf(issuing, { parts }))
  return { authority: issuing, issuer, certificate, certId: certIdOf({ certificate, issuer }) }
}

export const generalizedTime = (ms: number): Buffer =>
  text(0x18, `${new Date(ms).toISOString().replaceAll(/[-:T]|\.\d+Z/g, '')}Z`)

export const says = {
  good: hex('8000'),
  unknown: hex('8200'),
  revoked: (ms: number, ...reason: readonly Uint8Array[]): Buffer =>
    der(0xa1, generalizedTime(ms), ...reason),
}

export interface SingleOptions {
  readonly certId: Uint8Array
  readonly says?: Uint8Array
  readonly thisUpdate?: number
  /** Null leaves it out. Default: an hour after `thisUpdate`. */
  readonly nextUpdate?: number | null
  readonly extensions?: readonly Uint8Array[]
}

export function single(options: SingleOptions): Buffer {
  const { certId, thisUpdate = now - minute, nextUpdate = thisUpdate + hour } = options
  return sequence(
    certId,
    options.says ?? says.good,
    generalizedTime(thisUpdate),
    ...(nextUpdate === null ? [] : [der(0xa0, generalizedTime(nextUpdate))]),
    ...extensionsIn(options.extensions),
  )
}

const extensionsIn = (list: readonly Uint8Array[] | undefined): readonly Buffer[] =>
  list === undefined ? [] : [der(0xa1, sequence(...list))]

/** Whose key signs, and under which name. */
export type Signer = Pick<Authority, 'keys' | 'subject'>

export interface AnswerOptions {
  readonly signer: Signer
  readonly singles: readonly Uint8Array[]
  readonly responder?: Uint8Array
  readonly producedAt?: number
  readonly extensions?: readonly Uint8Array[]
  /** Sent along. */
  readonly certificates?: readonly Uint8Array[]
  readonly algorithm?: Uint8Array
  readonly sign?: (signed: Uint8Array, key: KeyObject) => Uint8Array
  /** The parts around what is signed. */
  readonly responseStatus?: number
  readonly responseType?: string
  /** In front of and behind the responder's data. */
  readonly version?: Uint8Array
  readonly rest?: Uint8Array
}

export const byName = ({ subject }: Pick<Authority, 'subject'>): Buffer => der(0xa1, subject)
export const byKey = ({ keys }: Pick<Authority, 'keys'>): Buffer => der(0xa2, der(0x04, keyHash(keys)))

/** Of a P-256 key, whose point is the end of its SubjectPublicKeyInfo. */
export const keyHash = (keys: Keys): Buffer => sha1(spkiOf(keys).subarray(-65))
export const sha1 = (octets: Uint8Array): Buffer => createHash('sha1').update(octets).digest()

export function answer(options: AnswerOptions): Buffer {
  const { signer, singles, certificates = [], algorithm = ecdsaWithSha256 } = options
  const data = sequence(
    options.version ?? Buffer.alloc(0),
    options.responder ?? byName(signer),
    generalizedTime(options.producedAt ?? now - minute),
    sequence(...singles),
    ...extensionsIn(options.extensions),
    options.rest ?? Buffer.alloc(0),
  )
  const signature = (options.sign ?? ecdsa)(data, signer.keys.privateKey)
  return wrap(
    sequence(
      data,
      algorithm,
      der(0x03, Buffer.from([0]), signature),
      ...(certificates.length === 0 ? [] : [der(0xa0, sequence(...certificates))]),
    ),
    options.responseStatus,
    options.responseType,
  )
}

const ecdsa = (signed: Uint8Array, key: KeyObject): Buffer => sign('sha256', signed, key)

export const wrap = (basic: Uint8Array, status = 0, type = '1.3.6.1.5.5.7.48.1.1'): Buffer =>
  sequence(der(0x0a, Buffer.from([status])), der(0xa0, sequence(oid(type), der(0x04, basic))))

/** An answer about one certificate, signed by its issuer. */
export const answerAbout = (
  asked: Asked,
  status: Omit<SingleOptions, 'certId'> = {},
  more: Partial<AnswerOptions> = {},
): Buffer =>
  answer({
    signer: asked.authority,
    singles: [single({ certId: asked.certId, ...status })],
    producedAt: status.thisUpdate ?? now - minute,
    ...more,
  })

export interface DelegateOptions {
  readonly subject?: Buffer
  readonly extensions?: readonly Uint8Array[]
  readonly parts?: Partial<CertificateParts>
  readonly keys?: Keys
}

export const ocspSigning = '1.3.6.1.5.5.7.3.9'
export const noCheck = extension('1.3.6.1.5.5.7.48.1.5', false, hex('0500'))
export const delegateExtensions: readonly Uint8Array[] = [
  extensions.keyUsage(0x80),
  extensions.extKeyUsage(ocspSigning),
  noCheck,
]

/** Somebody whom an authority lets answer in its place, unless the options change what it says. */
export function delegate(issuer: Authority, options: DelegateOptions = {}): Authority {
  const keys = options.keys ?? createKeys()
  const subject = options.subject ?? name('OCSP responder')
  const certificate = leaf(issuer, {
    extensions: options.extensions ?? delegateExtensions,
    parts: { subject, publicKey: spkiOf(keys), serialNumber: integer(7), ...options.parts },
  })
  return { der: certificate, keys, subject }
}

export const root = authority({ commonName: 'Root' })
