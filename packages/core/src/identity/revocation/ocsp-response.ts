import type { CertificateExtensions } from '../certificate/certificate-extensions.ts'
import {
  contextContainer,
  MalformedDer,
  readAll,
  readEach,
  readWhole,
  requireDer,
  tags,
  type DerReader,
} from '../certificate/der.ts'
import { hexOf, smallNumberOf, takeGeneralizedTime, takeOid } from '../certificate/der-values.ts'
import { takeName } from '../certificate/distinguished-name.ts'
import { takeSignedData, type SignedData } from '../certificate/signed-data.ts'
import { readStatus, takeOptionalExtensions, type SingleStatus } from './ocsp-single-status.ts'

/** A BasicOCSPResponse (RFC 6960 §4.2.1), read to its last octet. Nothing in it is proven. Times in milliseconds since the epoch. */
export interface OcspResponse {
  readonly signedData: SignedData
  readonly responder: ResponderId
  readonly producedAt: number
  readonly statuses: readonly SingleStatus[]
  readonly extensions: CertificateExtensions
  /** DER of the certificates sent along, which nobody has signed for: the signer's among them, where it is a delegate. */
  readonly certificates: readonly Uint8Array[]
}

/** Who claims to have signed. */
export type ResponderId =
  /** `comparable` of a name. */
  | { readonly kind: 'name'; readonly name: string }
  /** SHA-1 of a key, in hexadecimal. */
  | { readonly kind: 'key'; readonly hash: string }

/** Reads an OCSPResponse from strict DER. Throws `MalformedDer`, also for one that is an error (RFC 6960 §4.2.1). */
export function parseOcspResponse(der: Uint8Array): OcspResponse {
  if (der.length > maxOcspBytes) throw new MalformedDer(`an answer of more than ${maxOcspBytes} octets`)
  const basic = readWhole(der, tags.sequence, (reader) => {
    requireSuccess(smallNumberOf(reader.takeTagged(tags.enumerated)))
    return readWhole(reader.takeTagged(contextContainer(0)), tags.sequence, (bytes) => {
      if (takeOid(bytes) !== basicResponse) throw new MalformedDer('an answer of another type than basic')
      return bytes.takeTagged(tags.octetString)
    })
  })
  // What is around it was just read to the last octet.
  requireDer(basic)
  return readWhole(basic, tags.sequence, readBasic)
}

function requireSuccess(status: number): void {
  if (status !== 0) throw new MalformedDer(`no answer but an error: ${errors[status] ?? 'of no known kind'}`)
}

function readBasic(reader: DerReader): OcspResponse {
  const signedData = takeSignedData(reader)
  const sent = reader.takeOptional(contextContainer(0))
  const certificates =
    sent === undefined
      ? []
      : readWhole(sent, tags.sequence, (list) => readEach(list, maxCertificates, () => list.take().whole))
  return { ...readWhole(signedData.signed, tags.sequence, readData), signedData, certificates }
}

// A version is not written where it is the first one (X.690 §11.5), and there is no other.
function readData(reader: DerReader): Omit<OcspResponse, 'signedData' | 'certificates'> {
  return {
    responder: takeResponder(reader),
    producedAt: takeGeneralizedTime(reader),
    statuses: readEach(reader.enter(tags.sequence), maxStatuses, (list) =>
      readStatus(list.enter(tags.sequence)),
    ),
    extensions: takeOptionalExtensions(reader),
  }
}

function takeResponder(reader: DerReader): ResponderId {
  const { tag, content } = reader.take()
  return readAll(content, (inner) => responderIn(tag, inner))
}

function responderIn(tag: number, reader: DerReader): ResponderId {
  switch (tag) {
    case contextContainer(1):
      return { kind: 'name', name: takeName(reader).comparable }
    case contextContainer(2):
      return { kind: 'key', hash: hexOf(reader.takeTagged(tags.octetString)) }
    default:
      throw new MalformedDer('a responder of no known kind')
  }
}

/** RFC 6960 §4.2.1. */
const errors: Readonly<Record<number, string>> = {
  1: 'malformedRequest',
  2: 'internalError',
  3: 'tryLater',
  5: 'sigRequired',
  6: 'unauthorized',
}
/** id-pkix-ocsp-basic */
const basicResponse = '1.3.6.1.5.5.7.48.1.1'
/** Far more than an answer about one certificate has, with the certificate of a delegate. */
export const maxOcspBytes = 64 * 1024
const maxStatuses = 256
const maxCertificates = 8
