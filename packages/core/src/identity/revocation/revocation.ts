import type { ParsedCertificate } from '../certificate/parsed-certificate.ts'
import type { VerifiedPath } from '../certificate/validate-path.ts'
import type { Live } from '../trust/live.ts'
import type { Refusal } from '../../refusal.ts'
import type { ParsedCrl } from './crl.ts'
import { CrlSet } from './crl-set.ts'
import type { StatusQuestion } from './ocsp-request.ts'
import type { OcspStatuses } from './ocsp-statuses.ts'
import { revocationFlaw, type RevocationMode } from './revocation-flaw.ts'
import type { RevocationStatus } from './revocation-status.ts'

interface RevocationParts {
  readonly crls: readonly Live<readonly ParsedCrl[]>[]
  /** Authorities that may sign lists with another key than certificates. */
  readonly intermediates: readonly ParsedCertificate[]
  readonly ocsp: OcspStatuses | undefined
  readonly mode: RevocationMode
}

/** Whether certificates were revoked: lists first, since they are at hand; where they leave it open, whoever may be asked. */
export class Revocation {
  readonly #parts: RevocationParts
  #lists: readonly (readonly ParsedCrl[])[] = []
  #set = new CrlSet([])

  constructor(parts: RevocationParts) {
    this.#parts = parts
  }

  /** Begins the questions about one certificate and its path. */
  inquire(nowMs: number): Inquiry {
    return new Inquiry(this.#parts, this.#crlsAt(nowMs), nowMs)
  }

  // Made anew only when a source has replaced its lists.
  #crlsAt(nowMs: number): CrlSet {
    const lists = this.#parts.crls.map((source) => source.current(nowMs) ?? noLists)
    const isSame = lists.length === this.#lists.length && lists.every((list, i) => list === this.#lists[i])
    if (!isSame) {
      this.#lists = lists
      this.#set = new CrlSet(lists.flat(), this.#parts.intermediates)
    }
    return this.#set
  }
}

/** The questions about one certificate, at one time. */
export class Inquiry {
  readonly #parts: RevocationParts
  readonly #crls: CrlSet
  readonly #nowMs: number
  readonly #open: StatusQuestion[] = []
  /** How long what was found counts. Milliseconds since the epoch. */
  until = Infinity
  #askAgainAt = Infinity

  constructor(parts: RevocationParts, crls: CrlSet, nowMs: number) {
    this.#parts = parts
    this.#crls = crls
    this.#nowMs = nowMs
  }

  /** What revokes a path that holds otherwise, or leaves open whether it does. */
  readonly flawOf = (path: VerifiedPath): Refusal | undefined =>
    revocationFlaw(path, (of, depth) => this.#statusOf(of, depth), this.#parts.mode)

  /** From when on to inquire again, while what was found still counts. Milliseconds since the epoch. */
  get askAgainAt(): number {
    const isOpen = this.#open.length > 0
    return Math.min(this.#askAgainAt, isOpen ? this.#nowMs + askAgainAfterMs : Infinity)
  }

  /** What may close questions that were left open: lists that have not come yet, and answers of those who are asked now. */
  help(): readonly Promise<unknown>[] {
    if (this.#open.length === 0) return []
    const { crls, ocsp } = this.#parts
    const lists = crls.flatMap(({ underWay }) => underWay ?? [])
    return ocsp === undefined ? lists : [...lists, ocsp.learn(this.#open)]
  }

  #statusOf(path: VerifiedPath, depth: number): RevocationStatus | undefined {
    const listed = this.#crls.statusOf(path, depth, this.#nowMs)
    const [certificate, issuer] = [path[depth], path[depth + 1]]
    if (certificate === undefined || issuer === undefined) return undefined
    const question = { certificate, issuer }
    const status = this.#revokedBefore(question) ?? listed ?? this.#answerFor(question)
    if (status === undefined) return undefined
    this.until = Math.min(this.until, status.until)
    this.#askAgainAt = Math.min(this.#askAgainAt, status.askAgainAt ?? Infinity)
    return status
  }

  // INVARIANT: a revocation that somebody answered stands as long as it said, also where an older list comes and leaves it out.
  #revokedBefore(question: StatusQuestion): RevocationStatus | undefined {
    const known = this.#parts.ocsp?.recall(question, this.#nowMs)
    return known?.kind === 'revoked' ? known : undefined
  }

  #answerFor(question: StatusQuestion): RevocationStatus | undefined {
    const { certificate, issuer } = question
    const answer = this.#parts.ocsp?.statusOf(certificate, issuer, this.#nowMs)
    if (answer === undefined && this.#open.length < maxOpen) this.#open.push(question)
    return answer
  }
}

/** A certificate that counts though nobody could say whether it was revoked is asked about again so much later. */
const askAgainAfterMs = 60_000
/** More than the longest path has, however many paths are tried. */
const maxOpen = 16
const noLists: readonly ParsedCrl[] = []
