import type { Clock } from '../../clock/clock.ts'
import { Refusal, refusalOf } from '../../refusal.ts'
import type { IntrospectingIssuer, TrustedIssuer } from '../trust/trusted-issuer.ts'
import { checkClaims } from './check-claims.ts'
import { parseClaims } from './claims.ts'
import { introspected, introspectedOfClient } from './profile.ts'
import { TokenVerification } from './token-verification.ts'

/** Verifies an opaque token: its issuer says what it means (RFC 7662), and that is held against the same rules. */
export async function introspectToken(
  token: string,
  issuer: IntrospectingIssuer,
  clock: Clock,
): Promise<TokenVerification | Refusal> {
  const askedAtMs = clock.now()
  const answer = await issuer.introspector.introspect(token)
  if (answer instanceof Refusal) return answer
  const { claims: said, boundBy, cacheUntilMs } = answer
  const profile = boundBy === 'client' ? introspectedOfClient : introspected
  const claims = parseClaims(withSubject(said, issuer), issuer, profile)
  if (claims instanceof Refusal) {
    const refusal = refusalOf(issuer.issuer, claims)
    return said['sub'] === undefined ? withoutSubject(refusal) : refusal
  }
  const now = clock.now()
  const refusal = checkClaims(claims, issuer, now, profile)
  if (refusal !== undefined) return refusalOf(issuer.issuer, refusal)
  return new TokenVerification(claims, issuer, token.length, {
    key: undefined,
    answer: { askedAtMs, goodUntilMs: cacheUntilMs },
  })
}

// Some servers leave the subject of a client's own token out. Others hide users' subjects, and a user must not turn into
// the client: so the operator has to have said that such tokens are workloads'. A copy, since what was said is shared.
function withSubject(
  said: Readonly<Record<string, unknown>>,
  { represents }: TrustedIssuer,
): Record<string, unknown> {
  const isWorkload =
    represents === 'workload' || (typeof represents === 'function' && represents(said) === 'workload')
  return said['sub'] === undefined && isWorkload ? { ...said, sub: said['client_id'] } : { ...said }
}

const withoutSubject = ({ code, detail }: Refusal): Refusal =>
  new Refusal(code, {
    ...detail,
    advice:
      "the issuer names no subject; if it leaves out only its clients' own, write `represents: 'workload'`, or a function " +
      'of the claims that tells them',
  })
