// The hostile intermediate CAs: the leaf below is correct, but its issuer had no right to issue it.
import type { CertificateOptions } from './certificate-template.ts'
import { hoursFrom } from './certificate-validity.ts'
import type { TestCa } from './test-ca.ts'

/** Every kind of broken intermediate, for tests that go through them all. */
export const brokenIntermediateKinds = [
  'not-a-ca',
  'no-cert-sign',
  'path-length-exceeded',
  'expired',
  'name-constraints-violated',
] as const

/** What is wrong with an intermediate CA, in one word. The README's table says it in a sentence. */
export type BrokenIntermediateKind = (typeof brokenIntermediateKinds)[number]

/** Issues an intermediate of this kind below `ca`. */
export async function breakIntermediate(
  kind: BrokenIntermediateKind,
  ca: TestCa,
  now: Date,
): Promise<TestCa> {
  const intermediate = await ca.intermediate(recipes[kind](now))
  return kind === 'path-length-exceeded' ? intermediate.intermediate() : intermediate
}

const recipes: Record<BrokenIntermediateKind, (now: Date) => CertificateOptions> = {
  /** basicConstraints says that it is no CA. */
  'not-a-ca': () => ({ basicConstraints: { ca: false } }),

  /** keyUsage allows signing CRLs, but not certificates. */
  'no-cert-sign': () => ({ keyUsages: ['cRLSign'] }),

  /** It may only issue leaves (pathLenConstraint 0), but a second intermediate stands below it. */
  'path-length-exceeded': () => ({ basicConstraints: { ca: true, pathLength: 0 } }),

  /** Was valid until an hour ago. */
  expired: (now) => ({ notBefore: hoursFrom(now, -2), notAfter: hoursFrom(now, -1) }),

  /** It may only issue for URIs of the host `elsewhere.example`. (RFC 5280 §4.2.1.10) */
  'name-constraints-violated': () => ({ extensions: [permittedUriHost('elsewhere.example')] }),
}

// NameConstraints ::= SEQUENCE { permittedSubtrees [0] { SEQUENCE { uniformResourceIdentifier [6] } } }, all short.
function permittedUriHost(host: string): { oid: string; critical: boolean; value: Uint8Array } {
  let value = Buffer.from(host)
  for (const tag of [0x86, 0x30, 0xa0, 0x30]) value = Buffer.concat([Uint8Array.of(tag, value.length), value])
  return { oid: '2.5.29.30', critical: true, value }
}
