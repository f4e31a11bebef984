import { hash } from 'node:crypto'
import { VerificationCache } from '../../cache/verification-cache.ts'
import type { Clock } from '../../clock/clock.ts'
import type { PeerCertificate } from '../../evidence/peer-certificate.ts'
import { Refusal, isOutage } from '../../refusal.ts'
import { parseCertificate, type ParsedCertificate } from '../certificate/parsed-certificate.ts'
import {
  tlsFlaw,
  verifyCertificate,
  type PresentedCertificate,
  type VerifiedCertificate,
} from '../certificate/verify-certificate.ts'
import type { Inquiry, Revocation } from '../revocation/revocation.ts'
import { CertificateVerification } from './certificate-verification.ts'
import { ChainMemory } from './chain-memory.ts'
import { pemForHandshake } from './pem-for-handshake.ts'
import { Patience } from './patience.ts'
import type { TrustSources } from './trust-sources.ts'
import type { TrustedRoots } from './trusted-roots.ts'

interface CertificateTrustOptions {
  readonly roots: TrustedRoots
  readonly sources: TrustSources
  /** Candidates for the middle of a path, trusted for nothing. */
  readonly intermediates: readonly ParsedCertificate[]
  /** Undefined: nobody is asked whether a certificate was revoked. */
  readonly revocation: Revocation | undefined
  readonly clock: Clock
  readonly maxCacheEntries: number
}

type Verified = CertificateVerification | Refusal

/**
 * Whose certificates are accepted, and which of them were verified. The digest of the whole leaf finds what was verified before.
 * INVARIANT: whatever is replaced of what certificates rest on, roots or revocations, begins a generation, and nothing that was
 * verified in one before counts in it. So nothing has to be found to be evicted.
 */
export class CertificateTrust {
  readonly #options: CertificateTrustOptions
  readonly #cache: VerificationCache<CertificateVerification>
  readonly #chains: ChainMemory
  /** For roots that have not come, which strangers can ask for as well; so they never keep those out who wait for the other. */
  readonly #patienceForRoots: Patience
  /** For what is known of revocations: asked for by those whose path holds otherwise. */
  readonly #patience: Patience
  #generation = 0

  constructor(options: CertificateTrustOptions) {
    this.#options = options
    this.#cache = new VerificationCache(options.maxCacheEntries)
    this.#chains = new ChainMemory(options.maxCacheEntries)
    this.#patienceForRoots = new Patience(options.clock)
    this.#patience = new Patience(options.clock)
    options.sources.onReplaced(() => {
      this.#generation += 1
    })
  }

  /** Where roots and revocations come from. */
  get sources(): TrustSources {
    return this.#options.sources
  }

  /** Which generation this is. What was refused in one before may be accepted in it. */
  get generation(): number {
    return this.#generation
  }

  /** PEM of the roots that may vouch for somebody now, for the TLS server's own `ca`. */
  get pem(): readonly string[] {
    return pemForHandshake(this.#options.roots.all(this.#options.clock.now()))
  }

  /** Verifies a certificate: at once, or as soon as those have answered who have to be asked about it. */
  verify(peer: PeerCertificate, nowMs: number): Verified | Promise<Verified> {
    const digest = hash('sha256', peer.leaf, 'base64url')
    const known = tlsFlaw(peer) === undefined ? this.#cache.find(digest, nowMs) : undefined
    if (known !== undefined) return known
    const { tlsError } = peer
    const leaf = parseCertificate(peer.leaf, peer.read)
    if (leaf instanceof Refusal) return leaf
    const inquiry = this.#options.revocation?.inquire(nowMs)
    const attempt = (intermediates: readonly ParsedCertificate[]): Verified =>
      this.#attempt({ leaf, intermediates, tlsError }, inquiry, digest, nowMs)
    // A resumed session shows the leaf alone: what it was verified by before completes it.
    const atHand = [...new Set([...this.#chains.find(digest, nowMs), ...this.#options.intermediates])]
    // What the connection shows beside the leaf need not be looked at where there is a path without it.
    const early = atHand.length > 0 ? attempt(atHand) : undefined
    if (early instanceof CertificateVerification) return early
    const shown = this.#parseChain(peer, nowMs)
    if (shown instanceof Refusal) return shown
    const intermediates = [...new Set([...shown, ...atHand])]
    const isNothingMore = early !== undefined && intermediates.length === atHand.length
    const verified = isNothingMore ? early : attempt(intermediates)
    const wait = this.#waitFor(verified, inquiry, nowMs)
    if (wait === undefined) return verified
    return wait.then(() => {
      const now = this.#options.clock.now()
      const later = this.#options.revocation?.inquire(now)
      return this.#attempt({ leaf, intermediates, tlsError }, later, digest, now)
    })
  }

  #attempt(
    presented: Omit<PresentedCertificate, 'nowMs' | 'revocationFlaw'>,
    inquiry: Inquiry | undefined,
    digest: string,
    nowMs: number,
  ): Verified {
    const { roots } = this.#options
    const question =
      inquiry === undefined
        ? { ...presented, nowMs }
        : { ...presented, nowMs, revocationFlaw: inquiry.flawOf }
    const verified = verifyCertificate(question, roots.anchors(nowMs))
    if (verified instanceof Refusal) return verified
    this.#chains.remember(digest, verified.path)
    // What was left open and may stay so is asked beside.
    void inquiry?.help()
    const verification = this.#found(verified, inquiry, nowMs)
    this.#cache.insert(digest, verification)
    return verification
  }

  #found(
    verified: VerifiedCertificate,
    inquiry: Inquiry | undefined,
    nowMs: number,
  ): CertificateVerification {
    const source = this.#options.roots.sourceOf(verified.path.at(-1), nowMs)
    const generation = this.#generation
    const { until = Infinity, askAgainAt = Infinity } = inquiry ?? {}
    return new CertificateVerification(
      { ...verified, notAfter: Math.min(verified.notAfter, until) },
      (now) => generation === this.#generation && now < askAgainAt && source?.current(now) !== undefined,
    )
  }

  #parseChain({ chain }: PeerCertificate, nowMs: number): readonly ParsedCertificate[] | Refusal {
    const shown: ParsedCertificate[] = []
    for (const each of chain) {
      const intermediate = this.#chains.parse(each, nowMs)
      if (intermediate instanceof Refusal) return intermediate
      shown.push(intermediate)
    }
    return shown
  }

  // For what this one lacks, and nothing else: one source that is down costs nobody time who needs another.
  #waitFor(verified: Verified, inquiry: Inquiry | undefined, nowMs: number): Promise<void> | undefined {
    if (!(verified instanceof Refusal) || !isOutage(verified)) return undefined
    const lacksRoots = verified.code === 'bundle_unavailable'
    const help = lacksRoots ? this.#options.roots.underWay(nowMs) : (inquiry?.help() ?? [])
    if (help.length === 0) return undefined
    return (lacksRoots ? this.#patienceForRoots : this.#patience).wait(Promise.all(help))
  }
}
