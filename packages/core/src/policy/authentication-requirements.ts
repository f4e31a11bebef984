import { ConfigurationError, describeValue } from '../configuration-error.ts'
import type { Caller } from '../identity/caller.ts'
import type { Proof } from '../identity/verified-identity.ts'
import { Refusal, quoted } from '../refusal.ts'
import { OtherRequirement, requireSome, type Requirement } from './requirement.ts'
import { lineOf, listed } from './requirement-text.ts'

/** A time span: seconds, or text such as `30s`, `5m`, `12h` or `7d`. */
export type Duration = number | `${number}${'s' | 'm' | 'h' | 'd'}`

/**
 * The user must have been authenticated within this time (`auth_time`). Who was not, or of whom the token does not say, is
 * asked to step up (RFC 9470): 401 with `max_age`.
 */
export function freshWithin(duration: Duration): Requirement {
  const maxAgeSeconds = parseDuration(duration)
  const check = (caller: Caller, nowMs: number): Refusal | undefined => {
    const at = caller.claims['auth_time']
    const age = typeof at === 'number' ? nowMs / 1000 - at : undefined
    // A user who will be authenticated in the future has not been.
    if (age !== undefined && age <= maxAgeSeconds && age >= -maxClockDifferenceSeconds) return undefined
    return new Refusal('authentication_insufficient', {
      expected: `an authentication within ${maxAgeSeconds} s`,
      actual: age === undefined ? 'no `auth_time`' : `${Math.round(age)} s ago`,
      advice: 'have the caller send its user to the issuer again, with the `max_age` of the challenge',
    })
  }
  const stepUp = { acrValues: [], maxAgeSeconds }
  return new OtherRequirement({ text: `freshWithin(${duration})`, stepUp, check })
}

/**
 * The user must have been authenticated in one of these classes (`acr`), named as the issuer names them. Who was not is
 * asked to step up (RFC 9470): 401 with `acr_values`.
 */
export function authenticatedWith(...acrValues: [string, ...string[]]): Requirement {
  requireSome(acrValues, 'authenticatedWith', "a class, such as authenticatedWith('urn:example:mfa')")
  for (const [i, value] of acrValues.entries()) {
    if (typeof value === 'string' && /^[\x21\x23-\x5B\x5D-\x7E]{1,256}$/.test(value)) continue
    throw new ConfigurationError(
      `authenticatedWith(…)[${i}]`,
      'expected the name of an authentication context class: printable characters without space, quote or backslash',
    )
  }
  const check = ({ claims: { acr } }: Caller): Refusal | undefined =>
    typeof acr === 'string' && acrValues.includes(acr)
      ? undefined
      : new Refusal('authentication_insufficient', {
          expected: `\`acr\`: ${listed(acrValues, ' or ')}`,
          actual: acr === undefined ? 'no `acr`' : quoted(acr),
          advice: 'have the caller send its user to the issuer again, with the `acr_values` of the challenge',
        })
  const stepUp = { acrValues: [...acrValues], maxAgeSeconds: undefined }
  return new OtherRequirement({ text: lineOf('authenticatedWith', acrValues), stepUp, check })
}

/**
 * Who calls must be proven by this, so that a copied token is not enough: `certificate`, the service by a certificate of
 * its connection; `boundToken`, the token by a key that the caller has; `dpop`, that by a proof in the very request. A
 * user's bearer token beside a certificate stays one: ask `allOf(provenBy('certificate'), provenBy('boundToken'))`.
 */
export function provenBy(...proofs: [ProofName, ...ProofName[]]): Requirement {
  requireSome(proofs, 'provenBy', "a proof, such as provenBy('certificate')")
  for (const [i, proof] of proofs.entries()) {
    if (proofNames.includes(proof)) continue
    throw new ConfigurationError(`provenBy(…)[${i}]`, "write 'certificate', 'boundToken' or 'dpop'")
  }
  return new OtherRequirement({
    text: lineOf('provenBy', proofs),
    check: (caller) =>
      caller.provenBy.some((proof) => proofs.some((asked) => asked === proof))
        ? undefined
        : new Refusal('proof_insufficient', {
            expected: `proven by ${proofs.join(' or ')}`,
            actual: `proven by ${caller.provenBy.join(', ')}`,
          }),
  })
}

/** What can be asked for: whatever holds more than a copied token could show. */
export type ProofName = Exclude<Proof, 'token'>

const proofNames: readonly string[] = ['certificate', 'boundToken', 'dpop'] satisfies ProofName[]

function parseDuration(duration: unknown): number {
  const [, amount, unit = 's'] = /^(\d{1,9})([smhd])$/.exec(String(duration)) ?? []
  const seconds = typeof duration === 'number' ? duration : Number(amount) * (unitSeconds[unit] ?? 1)
  if (Number.isInteger(seconds) && seconds > 0) return seconds
  throw new ConfigurationError(
    'freshWithin(duration)',
    `expected a time span such as '5m' or 300, got ${typeof duration === 'number' ? duration : describeValue(duration)}`,
  )
}

const unitSeconds: Readonly<Record<string, number>> = { s: 1, m: 60, h: 3600, d: 86_400 }
const maxClockDifferenceSeconds = 300
