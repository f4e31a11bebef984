import type { ParsedCertificate } from '../certificate/parsed-certificate.ts'
import type { VerifiedPath } from '../certificate/validate-path.ts'
import type { ParsedCrl } from './crl.ts'
import { CrlSigners } from './crl-signers.ts'
import { reasonsFor } from './crl-scope.ts'
import { allReasons, type RevocationReasons } from './revocation-reasons.ts'
import type { RevocationStatus } from './revocation-status.ts'

/** A list that counts for a certificate. */
interface CountingCrl {
  readonly crl: ParsedCrl
  readonly nextUpdate: number
  readonly reasons: RevocationReasons
  /** False where it is open whether its signer itself was revoked: who is on the list is revoked, and nobody else is good. */
  readonly isVouchedFor: boolean
}

/** Revocation lists, of any issuers, that are asked together. Never changed: newer lists make another set. */
export class CrlSet {
  readonly #crls: ReadonlyMap<string, readonly ParsedCrl[]>
  readonly #signers: CrlSigners

  /**
   * `intermediates`: where to look for authorities that sign lists with another key than certificates. Trusted for nothing, but the first
   * few of a name are the ones that are tried, so they are not taken from whoever is verified.
   */
  constructor(crls: readonly ParsedCrl[], intermediates: readonly ParsedCertificate[] = []) {
    const usable = crls.filter(({ unusable }) => unusable === undefined)
    this.#crls = Map.groupBy(usable, ({ issuer }) => issuer.comparable)
    this.#signers = new CrlSigners(intermediates)
  }

  /** What the lists say of the certificate at this depth of a verified path; undefined where they leave it open. Not for anchors. */
  statusOf(path: VerifiedPath, depth: number, nowMs: number): RevocationStatus | undefined {
    const certificate = path[depth]
    return certificate && this.#status(certificate, path.slice(depth + 1), nowMs, true)
  }

  /** `issuers`: the issuer of the certificate, and all above it. */
  #status(
    certificate: ParsedCertificate,
    issuers: VerifiedPath,
    nowMs: number,
    maySeparate: boolean,
  ): RevocationStatus | undefined {
    const counting: CountingCrl[] = []
    for (const crl of this.#crls.get(certificate.issuer.comparable) ?? []) {
      const { thisUpdate, nextUpdate, scope } = crl
      // Cheap checks first: the signature is one of megabytes.
      if (nextUpdate === undefined || nowMs < thisUpdate) continue
      const reasons = reasonsFor(scope, certificate)
      if (reasons === 0) continue
      const isVouchedFor = this.#isVouchedFor(crl, issuers, nowMs, maySeparate)
      if (isVouchedFor !== undefined) counting.push({ crl, nextUpdate, reasons, isVouchedFor })
    }
    const { serialNumber } = certificate
    const current = counting.filter(({ nextUpdate }) => nowMs <= nextUpdate)
    // Where nobody knows any better, who keeps the next list away takes no revocation back.
    return revocationIn(current, serialNumber) ?? absenceFrom(current) ?? revocationIn(counting, serialNumber)
  }

  /** Undefined where nobody signed it whose word counts. */
  #isVouchedFor(
    crl: ParsedCrl,
    issuers: VerifiedPath,
    nowMs: number,
    maySeparate: boolean,
  ): boolean | undefined {
    if (this.#signers.isSignedOnPath(crl, issuers)) return true
    // A separate key is vouched for by lists of its own issuer's key, and by nothing further away.
    if (!maySeparate) return undefined
    const separate = this.#signers.findSeparate(crl, issuers, nowMs)
    const statuses = separate.map(({ signer, above }) => this.#status(signer, above, nowMs, false))
    if (statuses.some((status) => status?.kind === 'good')) return true
    return statuses.includes(undefined) ? false : undefined
  }
}

// INVARIANT: a revocation on any list that counts stands, whatever a newer one leaves out.
function revocationIn(counting: readonly CountingCrl[], serialNumber: string): RevocationStatus | undefined {
  for (const { crl, nextUpdate } of counting) {
    const at = crl.revocations.get(serialNumber)
    if (at !== undefined) return { kind: 'revoked', at, until: nextUpdate }
  }
  return undefined
}

// To be on none of the lists means something where together they know of every reason (RFC 5280 §6.3.3).
function absenceFrom(counting: readonly CountingCrl[]): RevocationStatus | undefined {
  const vouched = counting.filter(({ isVouchedFor }) => isVouchedFor)
  const [newest] = vouched.filter(({ reasons }) => reasons === allReasons).toSorted(byAge)
  if (newest !== undefined) return { kind: 'good', until: newest.nextUpdate }
  const known = vouched.reduce((sum, { reasons }) => sum | reasons, 0)
  if (known !== allReasons) return undefined
  return { kind: 'good', until: Math.min(...vouched.map(({ nextUpdate }) => nextUpdate)) }
}

function byAge({ crl: a }: CountingCrl, { crl: b }: CountingCrl): number {
  const [first = 0n, second = 0n] = [a.number, b.number]
  return first === second ? b.thisUpdate - a.thisUpdate : first > second ? -1 : 1
}
