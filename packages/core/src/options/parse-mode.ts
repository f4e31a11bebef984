import { ConfigurationError } from '../configuration-error.ts'
import type { Mode } from '../policy/policy.ts'
import { requireKnownKeys } from './option-values.ts'

/** `enforce`: refused. `observe`: recorded, and let pass until that day. */
export type ModeOptions = 'enforce' | { readonly observe: ObserveOptions }

export interface ObserveOptions {
  /** The last day of observing, in UTC, such as `2027-01-31`; or an instant (RFC 3339). From then on refusals are refusals. */
  readonly until: string
}

/** Parses `mode`. Throws a ConfigurationError that says what to write instead. */
export function parseMode(mode: ModeOptions | undefined): Mode | undefined {
  if (mode === undefined || mode === 'enforce') return mode
  if (mode === ('observe' as unknown)) {
    throw new ConfigurationError('mode', `it needs an end: write mode: { observe: { until: '2027-01-31' } }`)
  }
  requireKnownKeys(mode, 'mode', ['observe'])
  requireKnownKeys(mode.observe, 'mode.observe', ['until'])
  const until = parseUntil(mode.observe.until)
  if (until === undefined) {
    throw new ConfigurationError(
      'mode.observe.until',
      "expected a day or an instant, such as '2027-01-31' or '2027-01-31T12:00:00Z'",
    )
  }
  return Object.freeze({ observe: Object.freeze({ until }) })
}

/** Milliseconds since the epoch: the end of a day in UTC, or an instant; undefined for anything else. */
function parseUntil(text: unknown): number | undefined {
  if (typeof text !== 'string') return undefined
  const isDay = /^\d{4}-\d\d-\d\d$/.test(text)
  const isInstant = /^\d{4}-\d\d-\d\dT\d\d:\d\d(:\d\d(\.\d{1,9})?)?(Z|[+-]\d\d:\d\d)$/.test(text)
  if (!isDay && !isInstant) return undefined
  const day = text.slice(0, 10)
  const midnight = Date.parse(`${day}T00:00:00Z`)
  // JavaScript takes the 31st of February for a day in March.
  if (Number.isNaN(midnight) || !new Date(midnight).toISOString().startsWith(day)) return undefined
  const at = isDay ? midnight + dayMs : Date.parse(text)
  return Number.isNaN(at) ? undefined : at
}

const dayMs = 86_400_000
