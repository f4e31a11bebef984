import { Refusal } from '../../refusal.ts'
import type { ComparisonBudget } from './name-constraints.ts'
import type { ParsedCertificate } from './parsed-certificate.ts'
import { countIntermediates, flawOf, issuerFlaw, leafFlaw, type CertificatePurpose } from './path-flaws.ts'
import { nameFlaw } from './path-names.ts'
import { byKeyId, rootedAuthorities } from './rooted-authorities.ts'

/** A leaf, and behind it every issuer up to and including the trust anchor. */
export type VerifiedPath = readonly ParsedCertificate[]

/** How far a search may go. Each bound holds by itself, whatever the certificates say. */
export interface PathLimits {
  /** Authorities between leaf and anchor; those that only renew their own key do not count. */
  readonly maxIntermediates: number
  readonly maxSignatureChecks: number
  /** How often a certificate is looked at as a possible issuer. */
  readonly maxCandidates: number
}

export interface PathQuestion {
  readonly leaf: ParsedCertificate
  /** In any order, and trusted for nothing. */
  readonly intermediates: readonly ParsedCertificate[]
  readonly anchors: readonly ParsedCertificate[]
  readonly nowMs: number
  readonly purpose: CertificatePurpose
  readonly limits?: PathLimits
  /** What revokes a certificate of a path that holds otherwise, or leaves open whether it does. Left out: nobody is asked. */
  readonly revocationFlaw?: (path: VerifiedPath) => Refusal | undefined
}

/**
 * Finds a path from a leaf to one of the anchors that holds at a time (RFC 5280 §6.1), trying every candidate issuer
 * before giving up. Bounded in depth, candidates and signature checks, so that no hostile pool of certificates can stall it.
 */
export function validatePath(question: PathQuestion): VerifiedPath | Refusal {
  const { leaf, nowMs, purpose } = question
  const flaw = flawOf({ certificate: leaf, depth: 0 }, nowMs, false) ?? leafFlaw(leaf, purpose)
  return flaw ?? new PathSearch(question).run()
}

/** While all of a path is in time, in milliseconds since the epoch. */
export const validityOf = (
  path: VerifiedPath,
): { readonly notBefore: number; readonly notAfter: number } => ({
  notBefore: Math.max(...path.map(({ notBefore }) => notBefore)),
  notAfter: Math.min(...path.map(({ notAfter }) => notAfter)),
})

class PathSearch {
  readonly #question: PathQuestion
  readonly #limits: PathLimits
  readonly #intermediates: ReadonlyMap<string, readonly ParsedCertificate[]>
  readonly #anchors: ReadonlyMap<string, readonly ParsedCertificate[]>
  /** Certificate → possible issuer → whether that one's key signed it. No signature is checked twice. */
  readonly #signatures = new Map<ParsedCertificate, Map<ParsedCertificate, boolean>>()
  readonly #comparisons: ComparisonBudget = { comparisons: maxNameComparisons }
  #rooted: ReadonlySet<ParsedCertificate> | undefined
  #signatureChecks = 0
  #candidates = 0
  /** What is wrong with the first path up to an anchor. No certificate that is thrown in can stand before it, and hide a revocation. */
  #pathRefusal: Refusal | undefined
  /** Why the first issuer of the right name was not good enough: the answer if no other is. */
  #refusal: Refusal | undefined

  constructor(question: PathQuestion) {
    this.#question = question
    this.#limits = question.limits ?? defaultLimits
    this.#intermediates = Map.groupBy(question.intermediates, ({ subject }) => subject.comparable)
    this.#anchors = Map.groupBy(question.anchors, ({ subject }) => subject.comparable)
  }

  run(): VerifiedPath | Refusal {
    return (
      this.#extend([this.#question.leaf]) ??
      this.#pathRefusal ??
      this.#refusal ??
      untrusted(this.#isExhausted)
    )
  }

  #extend(path: VerifiedPath): VerifiedPath | undefined {
    const last = path.at(-1)
    if (last === undefined) return undefined
    for (const anchor of byKeyId(this.#anchors.get(last.issuer.comparable), last)) {
      if (!this.#isIssuedBy(last, anchor, path, true)) continue
      const whole = [...path, anchor]
      const flaw = nameFlaw(whole, this.#comparisons) ?? this.#question.revocationFlaw?.(whole)
      if (flaw === undefined) return whole
      this.#pathRefusal ??= flaw
    }
    for (const candidate of byKeyId(this.#intermediates.get(last.issuer.comparable), last)) {
      const extended = [...path, candidate]
      const isTooDeep = countIntermediates(extended) > this.#limits.maxIntermediates
      if (isTooDeep || isCircle(path, candidate) || !this.#isIssuedBy(last, candidate, path, false)) continue
      const found = this.#extend(extended)
      if (found !== undefined) return found
    }
    return undefined
  }

  #isIssuedBy(
    subject: ParsedCertificate,
    issuer: ParsedCertificate,
    path: VerifiedPath,
    isAnchor: boolean,
  ): boolean {
    this.#candidates += 1
    if (this.#candidates > this.#limits.maxCandidates) return false
    const { nowMs, purpose } = this.#question
    // Cheap checks first: a signature check costs a hundred of them, and this is asked by whoever connects.
    const link = { certificate: issuer, depth: path.length }
    const flaw = flawOf(link, nowMs, isAnchor) ?? issuerFlaw(link, path, purpose)
    this.#refusal ??= flaw
    if (flaw !== undefined) return false
    return (isAnchor || this.#isRooted(issuer)) && this.#isSignedBy(subject, issuer)
  }

  #isRooted(issuer: ParsedCertificate): boolean {
    const { leaf, nowMs } = this.#question
    const pool = { intermediates: this.#intermediates, anchors: this.#anchors }
    this.#rooted ??= rootedAuthorities(leaf, pool, (subject, above, isAnchor) => {
      const isUsable = above.isCa && flawOf({ certificate: above, depth: 0 }, nowMs, isAnchor) === undefined
      return isUsable && this.#isSignedBy(subject, above)
    })
    return this.#rooted.has(issuer)
  }

  #isSignedBy(subject: ParsedCertificate, issuer: ParsedCertificate): boolean {
    const checked = this.#signatures.get(subject) ?? new Map<ParsedCertificate, boolean>()
    const known = checked.get(issuer)
    if (known !== undefined) return known
    if (this.#signatureChecks >= this.#limits.maxSignatureChecks) return false
    this.#signatureChecks += 1
    const isSigned = subject.isSignedBy(issuer)
    this.#signatures.set(subject, checked.set(issuer, isSigned))
    return isSigned
  }

  get #isExhausted(): boolean {
    const { maxCandidates, maxSignatureChecks } = this.#limits
    return this.#candidates > maxCandidates || this.#signatureChecks >= maxSignatureChecks
  }
}

// The same name with the same key twice in one path is a circle.
const isCircle = (path: VerifiedPath, { subject, spki }: ParsedCertificate): boolean =>
  path.some((seen) => seen.subject.comparable === subject.comparable && Buffer.compare(seen.spki, spki) === 0)

const untrusted = (isExhausted: boolean): Refusal =>
  new Refusal('certificate_untrusted', {
    expected: 'a path to a trust anchor',
    actual: isExhausted ? 'none found within the bounds of the search' : 'none found',
    advice: 'check that the caller sends its intermediates, and that what is trusted is current',
  })

export const defaultLimits: PathLimits = { maxIntermediates: 8, maxSignatureChecks: 32, maxCandidates: 256 }
const maxNameComparisons = 100_000
