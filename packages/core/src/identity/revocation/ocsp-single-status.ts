import { takeExtensions, type CertificateExtensions } from '../certificate/certificate-extensions.ts'
import { contextContainer, contextTag, DerReader, MalformedDer, readAll } from '../certificate/der.ts'
import { takeGeneralizedTime } from '../certificate/der-values.ts'

/** What a SingleResponse says of one certificate. */
export interface SingleStatus {
  /** DER, as it was asked for. */
  readonly certId: Uint8Array
  readonly says: { readonly kind: 'good' | 'unknown' } | { readonly kind: 'revoked'; readonly at: number }
  readonly thisUpdate: number
  readonly nextUpdate: number | undefined
  readonly extensions: CertificateExtensions
}

/** Reads what is in a SingleResponse (RFC 6960 §4.2.1). */
export function readStatus(reader: DerReader): SingleStatus {
  const certId = reader.take().whole
  const says = takeCertStatus(reader)
  const thisUpdate = takeGeneralizedTime(reader)
  const next = reader.takeOptional(contextContainer(0))
  const extensions = takeOptionalExtensions(reader)
  reader.end()
  return { certId, says, thisUpdate, nextUpdate: next && readAll(next, takeGeneralizedTime), extensions }
}

function takeCertStatus(reader: DerReader): SingleStatus['says'] {
  const { tag, content } = reader.take()
  if (tag === contextContainer(1)) {
    const at = readAll(content, (info) => {
      const time = takeGeneralizedTime(info)
      info.takeOptional(contextContainer(0)) // the reason: every one of them counts
      return time
    })
    return { kind: 'revoked', at }
  }
  if (content.length > 0) throw new MalformedDer('a status with something in it')
  if (tag === contextTag(0)) return { kind: 'good' }
  if (tag === contextTag(2)) return { kind: 'unknown' }
  throw new MalformedDer('a status of no known kind')
}

/** Extensions in the container `[1]` at the end of a status, and of all of them. */
export function takeOptionalExtensions(reader: DerReader): CertificateExtensions {
  const content = reader.takeOptional(contextContainer(1))
  return content === undefined ? new Map() : takeExtensions(new DerReader(content))
}
