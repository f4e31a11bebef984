import { Refusal, quoted } from '../../refusal.ts'
import type { TrustedIssuer } from '../trust/trusted-issuer.ts'
import type { TokenClaims } from './claims.ts'
import type { TokenProfile } from './profile.ts'
import { claimAt } from './scope-claims.ts'

/** In time, for us, and about whom its issuer may speak of. The issuer was matched before its key was touched. */
export function checkClaims(
  claims: TokenClaims,
  issuer: TrustedIssuer,
  nowMs: number,
  { needsAudience }: TokenProfile = issuer.profile,
): Refusal | undefined {
  const namesAudience = claims.aud.length > 0 || needsAudience
  return (
    checkTime(claims, issuer, nowMs / 1000) ??
    (namesAudience ? checkAudience(claims, issuer) : undefined) ??
    checkSubject(claims, issuer)
  )
}

function checkTime(
  { exp, iat, nbf }: TokenClaims,
  { clockToleranceSeconds: tolerance, maxLifetimeSeconds }: TrustedIssuer,
  now: number,
): Refusal | undefined {
  // Compared so that a clock which says no number lets nobody in.
  if (!(now < exp + tolerance)) {
    return new Refusal('token_expired', {
      expected: 'a token in time',
      actual: `expired ${seconds(now - exp)} ago`,
    })
  }
  const start = Math.max(nbf ?? -Infinity, iat ?? -Infinity)
  if (!(now >= start - tolerance)) {
    return new Refusal('token_not_yet_valid', {
      expected: 'a token in time',
      actual: `valid in ${seconds(start - now)}`,
    })
  }
  // Who does not say when it was issued is taken to have been issued now.
  const lifetime = exp - (iat ?? now)
  if (lifetime <= maxLifetimeSeconds) return undefined
  return new Refusal('token_lifetime_excessive', {
    expected: `at most ${maxLifetimeSeconds} s from \`iat\` to \`exp\``,
    actual: seconds(lifetime),
    advice: 'have the issuer give shorter tokens, or raise `maxLifetimeSeconds` for it on purpose',
  })
}

function checkAudience({ aud }: TokenClaims, { audiences }: TrustedIssuer): Refusal | undefined {
  if (aud.some((audience) => audiences.has(audience))) return undefined
  return new Refusal('audience_mismatch', {
    expected: [...audiences].map(quoted).join(' or '),
    actual: aud.slice(0, 4).map(quoted).join(', '),
    advice: 'ask the issuer for a token whose `aud` names this service, or add that audience to `audience`',
  })
}

function checkSubject({ sub, all }: TokenClaims, issuer: TrustedIssuer): Refusal | undefined {
  if (issuer.subjects?.has(sub) === false) {
    return new Refusal('subject_not_permitted', {
      expected: 'a subject that `subjects` or `grants` names',
      actual: quoted(sub),
      advice: 'name it if this service is meant to know it',
    })
  }
  for (const { path, values } of issuer.requiredClaims) {
    const value = claimAt(all, path)
    if (values.has(value)) continue
    return new Refusal('claim_mismatch', {
      expected: `\`${path.join('.')}\`: ${[...values].map(String).join(' or ')}`,
      actual: value === undefined ? 'none' : quoted(value),
    })
  }
  return undefined
}

const seconds = (value: number): string => `${Math.max(1, Math.round(value))} s`
