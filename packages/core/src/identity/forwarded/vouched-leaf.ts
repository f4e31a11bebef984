import { Refusal } from '../../refusal.ts'
import { textNames } from '../certificate/general-names.ts'
import { parseCertificate } from '../certificate/parsed-certificate.ts'

/** What a certificate says that somebody else has verified. */
export interface VouchedLeaf {
  readonly uri: string
  readonly notBefore: number
  readonly notAfter: number
}

/** Reads a certificate that a proxy has verified: no path is looked for, but its time and its one name are read from its DER. */
export function readVouchedLeaf(der: Uint8Array, nowMs: number): VouchedLeaf | Refusal {
  const leaf = parseCertificate(der)
  if (leaf instanceof Refusal) return leaf
  const [uri, second] = textNames(leaf.subjectAltNames, 'uri')
  if (uri === undefined || second !== undefined) {
    return new Refusal('svid_id_malformed', { expected: 'exactly one URI name' })
  }
  if (leaf.isCa) return new Refusal('svid_not_a_leaf', { expected: 'cA false', actual: 'cA true' })
  const { notBefore, notAfter } = leaf
  if (nowMs > notAfter) return new Refusal('certificate_expired', inTime)
  if (nowMs < notBefore) return new Refusal('certificate_not_yet_valid', inTime)
  return { uri, notBefore, notAfter }
}

const inTime = { expected: 'a certificate in time' }
