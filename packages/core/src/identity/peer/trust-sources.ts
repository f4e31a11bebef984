import { publishTrust } from '../../events/channels.ts'
import type { OcspLanding, OcspResponderState } from '../revocation/ocsp-responder.ts'
import type { Live, LiveState } from '../trust/live.ts'

interface SourceName {
  /** The option that names it, such as `certificates.trustDomains['prod.example']`. */
  readonly source: string
  /** False where callers are accepted without it, as without lists of what is revoked under `soft-fail`. */
  readonly isRequired: boolean
}

/** What a source of roots, or of revocations, can say of itself. */
export interface TrustSourceState extends SourceName, LiveState {}

/** Those who are asked about single certificates. */
interface Responders {
  readonly state: readonly OcspResponderState[]
  /** Ends what is under way. */
  close(): void
}

/** Where all that certificates are held against comes from, and who is told when it is replaced. */
export class TrustSources {
  readonly #sources: { readonly name: SourceName; readonly live: Live<unknown> }[] = []
  #responders: Responders | undefined
  readonly #listeners = new Set<() => void>()
  #told: ((state: TrustSourceState) => void) | undefined

  /** Keeps a source. */
  add<L extends Live<unknown>>(name: SourceName, make: (landed: (isReplaced: boolean) => void) => L): L {
    const live: L = make((isReplaced) => {
      // A source that the application supplies may speak before it is made.
      queueMicrotask(() => {
        tell(name, live.state, isReplaced)
        this.#told?.({ ...name, ...live.state })
      })
      if (isReplaced) this.#replaced()
    })
    this.#sources.push({ name, live })
    return live
  }

  /** Calls the listener whenever something was replaced, before it is used. The result ends that. */
  onReplaced(listener: () => void): () => void {
    this.#listeners.add(listener)
    return () => void this.#listeners.delete(listener)
  }

  /** Calls the listener after every attempt to read a source, with what came of it. */
  onAttempt(listener: (state: TrustSourceState) => void): void {
    this.#told = listener
  }

  /** Resolves when each has been tried once. Never rejects. */
  async prepared(): Promise<void> {
    await Promise.all(this.#sources.map(({ live }) => live.prepared()))
  }

  /** Keeps those who are asked about single certificates, whose failure is told and keeps no service from being ready. */
  addResponders(responders: Responders): void {
    this.#responders = responders
  }

  get states(): readonly TrustSourceState[] {
    const responders = (this.#responders?.state ?? []).map(({ responder, status, answeredAt, problem }) => ({
      source: nameOf(responder),
      isRequired: false,
      status: status === 'failed' ? ('stale' as const) : status,
      readAt: answeredAt,
      problem,
    }))
    return [...this.#sources.map(({ name, live: { state } }) => ({ ...name, ...state })), ...responders]
  }

  close(): void {
    for (const { live } of this.#sources) live.close()
    this.#responders?.close()
  }

  /** Told of what a responder said of a certificate. Whoever is known to be revoked is not asked about again while that lasts. */
  tellAnswer({ responder, outcome, problem }: OcspLanding): void {
    if (outcome === 'revoked') this.#replaced()
    const isFailed = outcome === 'failed'
    publishTrust({
      source: nameOf(responder),
      outcome: isFailed ? 'failed' : 'refreshed',
      status: isFailed ? 'stale' : 'fresh',
      problem,
    })
  }

  #replaced(): void {
    for (const listener of this.#listeners) {
      try {
        listener()
      } catch {
        // Servers of an application listen too. What fails there keeps nobody else from being told, nor ends the process.
      }
    }
  }
}

const nameOf = (responder: string): string => `certificates.revocation.ocsp.responders['${responder}']`

function tell({ source }: SourceName, { status, problem }: LiveState, isReplaced: boolean): void {
  const outcome = problem !== undefined ? 'failed' : isReplaced ? 'refreshed' : 'unchanged'
  publishTrust({ source, outcome, status, problem })
}
