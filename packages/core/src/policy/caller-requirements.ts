import { ConfigurationError } from '../configuration-error.ts'
import { Refusal, quoted } from '../refusal.ts'
import { parseCallerPattern } from './caller-pattern.ts'
import { OtherRequirement, Requirement, requireSome } from './requirement.ts'
import { lineOf, listed } from './requirement-text.ts'

/**
 * The caller must be one of these. `*` stands for exactly one whole path segment of a SPIFFE ID, never for the trust
 * domain: `callerIs('spiffe://prod.example/ns/shop/sa/*')`. Beside a user, it is the calling service that counts.
 */
export function callerIs(...patterns: [string, ...string[]]): Requirement {
  requireSome(patterns, 'callerIs', "a caller, such as callerIs('spiffe://prod.example/ns/shop/sa/checkout')")
  const parsed = patterns.map((pattern, i) => parseCallerPattern(pattern, `callerIs(…)[${i}]`))
  return new OtherRequirement({
    text: lineOf('callerIs', patterns),
    check: (caller) =>
      parsed.some((pattern) => pattern.matches(caller.id))
        ? undefined
        : new Refusal('caller_not_allowed', {
            expected: listed(patterns, ' or '),
            actual: quoted(caller.id),
          }),
  })
}

/** The calling service must be in one of these zones of the policy document. Without a document it is in none. */
export function callerIn(...zones: [string, ...string[]]): Requirement {
  requireSome(zones, 'callerIn', "a zone, such as callerIn('shop')")
  for (const [i, zone] of zones.entries()) {
    if (typeof zone === 'string' && /^[\x21-\x7E]{1,256}$/.test(zone)) continue
    throw new ConfigurationError(
      `callerIn(…)[${i}]`,
      'expected the name of a zone, such as `shop`: printable characters without space',
    )
  }
  return new OtherRequirement({
    text: lineOf('callerIn', zones),
    check: (caller) =>
      zones.some((zone) => caller.zones.includes(zone))
        ? undefined
        : new Refusal('caller_not_allowed', {
            expected: `a caller in ${zones.length === 1 ? 'the zone' : 'one of the zones'} ${listed(zones, ', ')}`,
            actual: `${quoted(caller.id)} in ${caller.zones.length === 0 ? 'no zone' : listed(caller.zones, ', ')}`,
            advice: 'if it belongs there, name it under `zones` in the policy document',
          }),
  })
}

/** Anyone whose credential was verified. */
export function authenticated(): Requirement {
  return new Authenticated()
}

/** Of its own type, so that what it makes of another requirement can be told when that is written. */
export class Authenticated extends Requirement {
  readonly text = 'authenticated()'
  readonly scopes: readonly string[] = none
  readonly contexts: readonly string[] = none

  constructor() {
    super()
    Object.freeze(this)
  }

  check(): undefined {
    return undefined
  }
}

const none: readonly string[] = Object.freeze([])
