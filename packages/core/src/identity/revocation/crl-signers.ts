import type { ParsedCertificate } from '../certificate/parsed-certificate.ts'
import { flawOf } from '../certificate/path-flaws.ts'
import type { VerifiedPath } from '../certificate/validate-path.ts'
import type { ParsedCrl } from './crl.ts'
import { rememberKeys } from './remember-keys.ts'

/** An authority that signs lists with another key than the issuer of the certificates on them, and whoever issued it. */
export interface SeparateSigner {
  readonly signer: ParsedCertificate
  /** Its issuer, and all above it. */
  readonly above: VerifiedPath
}

/**
 * Whose signature on a list counts (RFC 5280 §6.3.3 (f), (g)): the issuer's of the certificate that is asked about; and that of an
 * authority of the same name with a key for lists alone. RFC 5280 takes any such one under the same anchor. Then whoever has a
 * CA below that anchor could name it like another one, and unrevoke the other one's certificates: here, the issuer itself or
 * the very authority above it must have issued it.
 */
export class CrlSigners {
  readonly #intermediates: ReadonlyMap<string, readonly Candidate[]>

  constructor(intermediates: readonly ParsedCertificate[]) {
    const candidates = intermediates.filter(isForCrls).map((certificate) => ({
      certificate,
      isIssuedBy: rememberKeys((issuer) => certificate.isSignedBy(issuer)),
    }))
    this.#intermediates = Map.groupBy(candidates, ({ certificate }) => certificate.subject.comparable)
  }

  /** True for the issuer's own key, and for a key of the same name above it: one of them is then a new key of the other. */
  isSignedOnPath(crl: ParsedCrl, issuers: VerifiedPath): boolean {
    return issuers.some(
      (issuer) =>
        issuer.subject.comparable === crl.issuer.comparable &&
        issuer.keyUsage?.crlSign !== false &&
        crl.isSignedBy(issuer),
    )
  }

  /** Whether they were revoked themselves is for whoever asks to find out. */
  findSeparate(crl: ParsedCrl, issuers: VerifiedPath, nowMs: number): readonly SeparateSigner[] {
    const candidates = this.#intermediates.get(crl.issuer.comparable)?.slice(0, maxCandidates) ?? []
    return candidates.flatMap(({ certificate, isIssuedBy }) => {
      if (flawOf({ certificate, depth: 0 }, nowMs, false) !== undefined) return []
      const place = issuers
        .slice(0, 2)
        .findIndex(
          (issuer) => issuer.subject.comparable === certificate.issuer.comparable && isIssuedBy(issuer),
        )
      if (place === -1 || !crl.isSignedBy(certificate)) return []
      return [{ signer: certificate, above: issuers.slice(place) }]
    })
  }
}

interface Candidate {
  readonly certificate: ParsedCertificate
  readonly isIssuedBy: (issuer: ParsedCertificate) => boolean
}

const isForCrls = ({ isCa, keyUsage }: ParsedCertificate): boolean => isCa && keyUsage?.crlSign === true

const maxCandidates = 8
