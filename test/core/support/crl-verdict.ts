// What path validation answers where it is given revocation lists.
import { Refusal, validatePath, type PathOptions } from '@countersign/core/certificate'
import {
  parseCertificate,
  type ParsedCertificate,
} from '../../../packages/core/src/identity/certificate/parsed-certificate.ts'
import { at, authority, integer, leaf, type Authority, type LeafOptions } from './der-certificate.ts'

export const root = authority()
export const [revoked, unavailable] = ['certificate_revoked', 'revocation_unavailable']

export interface Asked extends Partial<PathOptions> {
  readonly anchor?: Authority
  readonly pool?: readonly Authority[]
}

export function refusalOf(
  certificate: Uint8Array,
  crls: readonly (Uint8Array | string)[],
  { anchor = root, pool = [], ...options }: Asked = {},
): Refusal | undefined {
  const answer = validatePath({
    leaf: certificate,
    intermediates: pool.map((one) => one.der),
    trustAnchors: [anchor.der],
    at,
    purpose: 'clientAuth',
    crls,
    ...options,
  })
  return answer instanceof Refusal ? answer : undefined
}

export const verdict = (...asked: Parameters<typeof refusalOf>): string =>
  refusalOf(...asked)?.code ?? 'accepted'

export const numbered = (...octets: readonly number[]): LeafOptions => ({
  parts: { serialNumber: integer(...octets) },
})
export const seven = leaf(root, numbered(7))

export function parsed(certificate: Uint8Array): ParsedCertificate {
  const answer = parseCertificate(certificate)
  if (answer instanceof Refusal) throw new Error(answer.code)
  return answer
}
