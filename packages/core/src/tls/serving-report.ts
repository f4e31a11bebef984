import { publishTls, type TlsEvent } from '../events/channels.ts'
import type { Guard } from '../guard.ts'
import { areSamePair, type KeyPair, type KeyPairPem } from './key-pair.ts'

/** What the operator hears of replacements, by event and log: each failure once for each thing that was read. */
export class ServingReport {
  readonly #guard: Guard
  /** The failure that was told last, and of what. */
  #told: { readonly problem: string; readonly seen: KeyPairPem | undefined } | undefined
  #isHintGiven = false

  constructor(guard: Guard) {
    this.#guard = guard
  }

  /** What is in the files is what serves: the next failure is a new one. */
  allIsWell(): void {
    this.#told = undefined
  }

  replaced(part: TlsEvent['part'], pair: KeyPair, isFollowed: boolean): void {
    if (part === 'certificate') this.#told = undefined
    publish('replaced', part, pair, undefined)
    if (isFollowed || this.#isHintGiven) return
    this.#isHintGiven = true
    this.#guard.reportServing(
      'clients that send no server name are still served as before: call `applyTo(server)` of `tlsOptions(…)`',
    )
  }

  /** `seen`: what was read; undefined where nothing could be. `pair`: what goes on serving. */
  failed(part: TlsEvent['part'], pair: KeyPair, problem: string, seen: KeyPairPem | undefined): void {
    const told = this.#told
    const isSame = seen === undefined ? told?.seen === undefined : told?.seen && areSamePair(told.seen, seen)
    if (told?.problem === problem && isSame) return
    this.#told = { problem, seen }
    publish('failed', part, pair, problem)
    this.#guard.reportServing(`the TLS server goes on with the ${part} that it has: ${problem}`)
  }
}

function publish(
  outcome: TlsEvent['outcome'],
  part: TlsEvent['part'],
  { fingerprint, notAfter }: KeyPair,
  problem: string | undefined,
): void {
  publishTls({ outcome, part, fingerprint, expiresAt: notAfter, problem })
}
