import type { Clock } from '../clock/clock.ts'
import { quoted } from '../refusal.ts'
import type { DecisionEvent } from './decision-event.ts'

/** Where refusals are told in words. `console`, pino and winston fit as they are. */
export interface Logger {
  warn(message: string): void
}

/**
 * Tells the first refusal of a kind in a minute (by code, route and issuer) and counts the rest, so that a service
 * that refuses is never silent and never drowned.
 */
export class RefusalLog {
  readonly #logger: Logger
  readonly #clock: Clock
  readonly #told = new Map<string, { until: number; more: number }>()

  constructor(logger: Logger, clock: Clock) {
    this.#logger = logger
    this.#clock = clock
  }

  tell(event: DecisionEvent): void {
    const more = this.#moreOf(JSON.stringify([event.code, event.route, event.issuer]))
    if (more !== undefined) this.#warn(sentence(event, more))
  }

  /** Tells which headers were deleted because they claim an identity and nobody whose word counts has sent them. */
  tellDeleted(names: readonly string[]): void {
    const more = this.#moreOf('headers')
    if (more === undefined) return
    const others = more === 0 ? '' : ` (and ${more} more requests with such headers in the last minute)`
    this.#warn(
      `countersign: deleted ${names.map(quoted).join(', ')} from a request: nobody whom \`certificates.forwarded\` trusts has sent them${others}`,
    )
  }

  /** Tells that the policy document cannot be used as it is now. */
  tellPolicy(problem: string): void {
    if (this.#moreOf(`policy ${problem}`) === undefined) return
    this.#warn(
      `countersign: the policy document cannot be used, the one before serves for a day at most: ${problem}`,
    )
  }

  /** Tells what is recorded instead of refused, and until when. */
  tellObserving(what: string, until: number): void {
    this.#warn(
      until > this.#clock.now()
        ? `countersign: observe mode: ${what} refuses nobody until ${new Date(until).toISOString()}, and records whom it would refuse`
        : `countersign: observe mode of ${what} ended at ${new Date(until).toISOString()}: refusals are refusals again`,
    )
  }

  /** How many of a kind were not told since the last one was; undefined where this one is not to be told either. */
  #moreOf(kind: string): number | undefined {
    const now = this.#clock.now()
    const told = this.#told.get(kind)
    if (told !== undefined && now < told.until && now >= told.until - minuteMs) {
      told.more += 1
      return undefined
    }
    // Kinds are few by nature (codes × routes × configured issuers); should they not be, start again.
    if (this.#told.size >= maxKinds) this.#told.clear()
    this.#told.set(kind, { until: now + minuteMs, more: 0 })
    return told?.more ?? 0
  }

  /** Tells which routes nobody may call because they do not say who may. */
  tellUndeclared(routes: string): void {
    this.#warn(
      `countersign: refused until they say who may call: ${routes}; put requireScopes('…') or unprotected('why') first`,
    )
  }

  /** Tells what the operator has to know of a server. Whoever calls this knows what was told before. */
  tellServing(message: string): void {
    this.#warn(`countersign: ${message}`)
  }

  #warn(message: string): void {
    try {
      const told: unknown = this.#logger.warn(message)
      if (told instanceof Promise) told.catch(() => undefined)
    } catch {
      // A logger that fails must not turn a refusal into an error of the application.
    }
  }
}

/** Writes one line to stderr. Where nobody reads that any more, it fails, which must not end the process. */
export const stderrLogger: Logger = {
  warn(message) {
    const { stderr } = process
    // One listener at most, and only until the line is out: whatever else goes wrong with stderr is not ours.
    stderr.off('error', ignore).once('error', ignore)
    stderr.write(`${message}\n`, (error) => {
      if (error === null || error === undefined) stderr.off('error', ignore)
    })
  },
}

const ignore = (): void => undefined

function sentence(event: DecisionEvent, more: number): string {
  const { code, route, id, expected, actual, issuer, advice, caller, mode } = event
  const compared = [
    expected === null ? '' : `expected ${expected}`,
    actual === null ? '' : `got ${actual}`,
  ].filter((part) => part !== '')
  return [
    `countersign: ${mode === 'observe' ? 'would have refused' : 'refused'} ${route} with ${code} (decision ${id})`,
    compared.length === 0 ? '' : `: ${compared.join(', ')}`,
    issuer === null ? '' : ` from ${issuer}`,
    caller === null ? '' : ` for ${quoted(caller)}`,
    advice === null ? '' : `; ${advice}`,
    more === 0 ? '' : ` (and ${more} more like it in the last minute)`,
  ].join('')
}

const minuteMs = 60_000
const maxKinds = 10_000
