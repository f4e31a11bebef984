import type { Clock } from '../clock/clock.ts'
import type { Caller } from '../identity/caller.ts'
import type { InboundRequest } from '../request/inbound-request.ts'
import type { Occasion } from './occasion.ts'

/** What a context provider is asked about. */
export interface ContextQuestion {
  readonly caller: Caller
  readonly request: InboundRequest
  /** As the framework registered it, such as `GET /orders/:id`. */
  readonly route: string
  readonly params: Readonly<Record<string, unknown>>
  /** Aborted when nobody waits for the answer any more. */
  readonly signal: AbortSignal
}

/**
 * Adds what conditions may look at as `context.<name>`: device, location, risk… Asked only for requests whose condition needs it.
 * Whatever fails, or takes longer than `contextTimeoutMs`, is not there, and the condition denies.
 */
export type ContextProvider = (question: ContextQuestion) => unknown

interface ContextProvidersOptions {
  readonly providers: Readonly<Record<string, ContextProvider>>
  readonly timeoutMs: number
  readonly clock: Clock
}

/** Asks context providers, not long and not too many at a time. INVARIANT: what could not be had is left out, never made up. */
export class ContextProviders {
  readonly #options: ContextProvidersOptions
  #underWay = 0

  constructor(options: ContextProvidersOptions) {
    this.#options = options
  }

  /** What the named providers say of this request. Never rejects. */
  async collect(
    names: readonly string[],
    caller: Caller,
    { request, route, params }: Omit<Occasion, 'context'>,
  ): Promise<Readonly<Record<string, unknown>>> {
    const { providers, timeoutMs, clock } = this.#options
    const found: Record<string, unknown> = Object.create(null) as Record<string, unknown> // no inherited name passes for one that was said
    const asked = names.filter((name) => Object.hasOwn(providers, name))
    if (this.#underWay >= maxUnderWay || clock.schedule === undefined) return found
    const late = new AbortController()
    const ended = Promise.withResolvers<void>()
    const takeBack = clock.schedule(() => {
      late.abort()
      ended.resolve()
    }, timeoutMs)
    const question = Object.freeze({ caller, request, route, params, signal: late.signal })
    const ask = async (name: string): Promise<void> => {
      try {
        const said = await providers[name]?.(question)
        if (said !== undefined && !late.signal.aborted) found[name] = said
      } catch {
        // Not there, then: the condition that needs it denies.
      }
    }
    this.#underWay += 1
    await Promise.race([Promise.all(asked.map(ask)), ended.promise])
    this.#underWay -= 1
    takeBack()
    return Object.freeze(found)
  }
}

/** More than one process has at a time, unless whoever they ask has stopped answering. */
const maxUnderWay = 1024
