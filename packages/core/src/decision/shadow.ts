import type { Clock } from '../clock/clock.ts'
import { publishCandidate, type CandidateEvent } from '../events/channels.ts'
import type { Authentication } from '../identity/authentication.ts'
import type { Live } from '../identity/trust/live.ts'
import { whenKnown } from '../identity/when-known.ts'
import type { ContextProviders } from '../policy/context-providers.ts'
import type { Occasion } from '../policy/occasion.ts'
import { withDocument } from '../policy/joined-placements.ts'
import type { Placement } from '../policy/placement.ts'
import type { PolicyInForce } from '../policy/policy-in-force.ts'
import type { Requirement } from '../policy/requirement.ts'
import type { Refusal, RefusalCode } from '../refusal.ts'
import { Judge } from './judge.ts'

/** Requests of one caller to one route that a policy and its candidate decide differently. */
export interface CandidateDifference extends CandidateEvent {
  readonly requests: number
  /** Milliseconds since the epoch. */
  readonly firstAt: number
  readonly lastAt: number
}

interface ShadowOptions {
  readonly clock: Clock
  readonly policy: Pick<Live<PolicyInForce>, 'current'> | undefined
  readonly contexts: ContextProviders | undefined
  readonly undeclared: Requirement | undefined
}

/** Decides by the candidate of the policy what was decided by the policy, and tells where they differ. It changes nothing else. */
export class Shadow {
  readonly #options: ShadowOptions
  readonly #judge: Judge
  readonly #differences = new Map<
    string,
    { -readonly [Key in keyof CandidateDifference]: CandidateDifference[Key] }
  >()

  constructor(options: ShadowOptions) {
    this.#options = options
    const { clock, policy, contexts } = options
    // Others are asked about what is decided, not about what might be.
    this.#judge = new Judge({
      clock,
      contexts,
      deciders: [],
      role: 'candidate',
      policy: { current: (now) => policy?.current(now)?.candidate },
    })
  }

  /** `refusal`: what the policy in force said. */
  compare(
    refusal: Refusal | undefined,
    authentication: Authentication,
    {
      code,
      occasion,
      registered,
    }: { readonly code: Placement | undefined; readonly occasion: Occasion; readonly registered: string },
  ): void {
    const candidate = this.#options.policy === undefined ? undefined : this.#judge.policy
    if (candidate === undefined) return
    const tell = (other: RefusalCode | undefined, caller: string | undefined): void => {
      // Where both refuse, another reason changes nothing for whoever calls.
      if ((other === undefined) === (refusal === undefined)) return
      this.#count({
        route: registered,
        caller: caller ?? null,
        code: refusal?.code ?? null,
        candidate: other ?? null,
      })
    }
    try {
      const document = candidate.routeOf(occasion).placement
      const asked = document === undefined ? (code ?? this.#options.undeclared) : withDocument(code, document)
      if (asked === undefined) tell('route_undeclared', undefined)
      else {
        const now = this.#options.clock.now()
        const verdict = whenKnown(this.#judge.judge(authentication, asked, occasion, now), (known) =>
          tell(known.refusal?.code, known.caller?.id),
        )
        if (verdict instanceof Promise) verdict.catch(() => tell('internal_error', undefined))
      }
    } catch {
      tell('internal_error', undefined)
    }
  }

  differences(): readonly CandidateDifference[] {
    return [...this.#differences.values()].map((difference) => Object.freeze({ ...difference }))
  }

  #count(event: CandidateEvent): void {
    publishCandidate(event)
    const at = this.#options.clock.now()
    const key = JSON.stringify([event.route, event.caller, event.code, event.candidate])
    const known = this.#differences.get(key)
    if (known !== undefined) {
      known.requests += 1
      known.lastAt = at
    } else if (this.#differences.size < maxEntries) {
      this.#differences.set(key, { ...event, requests: 1, firstAt: at, lastAt: at })
    }
  }
}

const maxEntries = 10_000
