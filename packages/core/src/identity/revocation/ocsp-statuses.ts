import { hash } from 'node:crypto'
import { hexOf } from '../certificate/der-values.ts'
import type { ParsedCertificate } from '../certificate/parsed-certificate.ts'
import { CoolDowns } from './ocsp-cool-downs.ts'
import { maxWaiting, maxWaitMs, OcspFlights } from './ocsp-flights.ts'
import { OcspMemory } from './ocsp-memory.ts'
import type { StatusQuestion } from './ocsp-request.ts'
import {
  OcspResponder,
  type OcspLanding,
  type OcspResponderOptions,
  type OcspResponderState,
} from './ocsp-responder.ts'
import { chooseResponder } from './ocsp-responder-choice.ts'
import type { RevocationStatus } from './revocation-status.ts'

export interface OcspStatusesOptions extends OcspResponderOptions {
  /** Where authorities answer, `http` or `https`: the only URLs that are ever asked. At least one. */
  readonly responders: readonly URL[]
  /** How many certificates are remembered, and as many again that are revoked. */
  readonly maxEntries: number
  /** Told of the end of each question, good or bad. */
  readonly landed: (landing: OcspLanding) => void
}

/**
 * What authorities say of their certificates over OCSP (RFC 6960, RFC 5019). An answer is asked for where it is needed, relied on for as
 * long as it says, and refreshed ahead of its end while requests are served.
 * INVARIANT: two questions about one certificate never begin within one cool-down, whoever asks and however they end.
 * So an outage costs one question per certificate and cool-down, and nobody waits for it more than once.
 * The state is for the operator to look at, not for readiness: a caller whose certificate is foreign to a responder can make it fail.
 */
export class OcspStatuses {
  readonly #options: OcspStatusesOptions
  readonly #responders: readonly OcspResponder[]
  readonly #memory: OcspMemory
  readonly #asked: CoolDowns
  /** Of each responder its own: one that is slow or down keeps nobody from asking another. */
  readonly #flights: ReadonlyMap<OcspResponder, OcspFlights>
  /** Issuer → what tells its certificates from those of others. */
  readonly #issuers = new WeakMap<ParsedCertificate, string>()
  #waiting = 0
  #isClosed = false

  constructor(options: OcspStatusesOptions) {
    this.#options = options
    this.#responders = options.responders.map((url) => new OcspResponder(url, options))
    this.#memory = new OcspMemory(options.maxEntries)
    this.#asked = new CoolDowns(options.maxEntries)
    this.#flights = new Map(this.#responders.map((one) => [one, new OcspFlights(options.clock)]))
  }

  /**
   * The status that is known now; undefined where there is none, or none in time. Synchronous. Both certificates are of a path that holds. A
   * status in the last fifth of its time is asked for anew beside, and serves until it ends.
   */
  statusOf(
    certificate: ParsedCertificate,
    issuer: ParsedCertificate,
    nowMs: number,
  ): RevocationStatus | undefined {
    const question = { certificate, issuer }
    const known = this.#memory.find(this.#keyOf(question), nowMs)
    if (known?.askAgainAt === undefined || nowMs < known.askAgainAt) return known
    const asking = this.#askingFor(question, true)
    asking?.flights?.runAside(asking.key, asking.work)
    return { ...known, askAgainAt: nowMs + lookAgainMs }
  }

  /** The same, without asking anybody. */
  recall(question: StatusQuestion, nowMs: number): RevocationStatus | undefined {
    return this.#memory.find(this.#keyOf(question), nowMs)
  }

  /**
   * Asks for every status that is not known, and resolves when all answers came, well or badly, or after 2 seconds (where the clock
   * has timers). What came of it `statusOf` says. Never rejects. False, at once, where too many wait already.
   */
  async learn(questions: readonly StatusQuestion[]): Promise<boolean> {
    const flights: Promise<void>[] = []
    for (const question of questions) {
      const asking = this.#askingFor(question)
      if (asking === undefined) continue
      const flight = this.#waiting < maxWaiting ? asking.flights?.run(asking.key, asking.work) : undefined
      if (flight === undefined) return false
      flights.push(flight)
    }
    if (flights.length > 0) await this.#wait(Promise.all(flights))
    return true
  }

  /** For health checks, in the order of the configuration. */
  get state(): readonly OcspResponderState[] {
    return this.#responders.map(({ state }) => state)
  }

  /** Ends what is under way. What is asked from now on ends at once, and nobody is told. */
  close(): void {
    this.#isClosed = true
    for (const responder of this.#responders) responder.close()
  }

  async #wait(answers: Promise<unknown>): Promise<void> {
    const enough = Promise.withResolvers<void>()
    const cancel = this.#options.clock.schedule?.(enough.resolve, maxWaitMs)
    this.#waiting += 1
    await Promise.race([answers, enough.promise])
    this.#waiting -= 1
    cancel?.()
  }

  /** What there is to ask about a certificate; undefined where it is known, was just asked, or nobody is there to be asked. */
  #askingFor(question: StatusQuestion, isAhead = false): Asking | undefined {
    const now = this.#options.clock.now()
    const key = this.#keyOf(question)
    if (!isAhead && this.#memory.find(key, now) !== undefined) return undefined
    // Before the certificate is read once more: in an outage every request comes here.
    const isUnderWay = (): boolean => [...this.#flights.values()].some((flights) => flights.has(key))
    if (this.#asked.isCoolingDown(key, now) && !isUnderWay()) return undefined
    const responder = chooseResponder(question.certificate, this.#responders)
    if (responder === undefined) return undefined
    return { key, flights: this.#flights.get(responder), work: () => this.#ask(key, question, responder) }
  }

  async #ask(key: string, question: StatusQuestion, responder: OcspResponder): Promise<void> {
    const { clock, landed } = this.#options
    this.#asked.begin(key, clock.now())
    const landing = await responder.ask(question, (answer) => this.#memory.accept(key, answer, clock.now()))
    if (!this.#isClosed) landed(landing)
  }

  // An authority is a name with a key (RFC 5280 §6.1.1): either may have certificates of the same number under another one.
  #keyOf({ certificate, issuer }: StatusQuestion): string {
    const known = this.#issuers.get(issuer)
    const authority =
      known ?? hash('sha256', `${hexOf(issuer.spki)} ${issuer.subject.comparable}`, 'base64url')
    if (known === undefined) this.#issuers.set(issuer, authority)
    return `${authority} ${certificate.serialNumber}`
  }
}

interface Asking {
  readonly key: string
  readonly flights: OcspFlights | undefined
  readonly work: () => Promise<void>
}

/** How long a status that is being asked about anew is taken for one that need not be. */
const lookAgainMs = 5000
