import { hash } from 'node:crypto'
import { VerificationCache } from '../../cache/verification-cache.ts'
import { parseCertificate, type ParsedCertificate } from '../certificate/parsed-certificate.ts'
import type { Refusal } from '../../refusal.ts'
import type { VerifiedPath } from '../certificate/validate-path.ts'

/**
 * The intermediates by which leaves were verified: a resumed session shows the leaf alone, and what it rests on may have changed
 * since. INVARIANT: only what stood on a path that held is remembered, so strangers fill nothing.
 */
export class ChainMemory {
  readonly #chains: VerificationCache<Remembered<readonly ParsedCertificate[]>>
  /** Each intermediate once, however many leaves it has issued. */
  readonly #parsed: VerificationCache<Remembered<ParsedCertificate>>

  constructor(maxEntries: number) {
    this.#chains = new VerificationCache(maxEntries)
    this.#parsed = new VerificationCache(maxParsed)
  }

  /** The intermediates that the leaf with this digest was verified by, if it was. */
  find(leafDigest: string, nowMs: number): readonly ParsedCertificate[] {
    return this.#chains.find(leafDigest, nowMs)?.value ?? []
  }

  /** Parses an intermediate, or takes the one that has the same octets. */
  parse(der: Uint8Array, nowMs: number): ParsedCertificate | Refusal {
    const digest = digestOf(der)
    return this.#parsed.find(digest, nowMs)?.value ?? parseCertificate(der)
  }

  remember(leafDigest: string, path: VerifiedPath): void {
    const intermediates = path.slice(1, -1)
    const octets = intermediates.reduce((sum, { der }) => sum + der.length, 0)
    if (octets === 0 || octets > maxOctets) return
    this.#chains.insert(leafDigest, new Remembered(intermediates))
    for (const one of intermediates) {
      const digest = digestOf(one.der)
      this.#parsed.insert(digest, new Remembered(one))
    }
  }
}

/** Nothing that is remembered here is believed, so nothing of it ends by itself. */
class Remembered<T> {
  readonly value: T

  constructor(value: T) {
    this.value = value
  }

  isAlive(): boolean {
    return true
  }
}

const digestOf = (der: Uint8Array): string => hash('sha256', der, 'base64url')

const maxParsed = 1000
/** Of the intermediates of one leaf: far more than ordinary ones have, and what a mean authority may make us keep. */
const maxOctets = 8 * 1024
