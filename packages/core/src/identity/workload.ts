import { Recurring } from '../cache/recurring.ts'
import { Refusal, quoted } from '../refusal.ts'
import { parseWorkloadId } from './certificate/spiffe-id.ts'
import type { TokenVerification } from './token/token-verification.ts'

/** A service that calls. */
export interface Workload {
  /**
   * Canonical: a SPIFFE ID, `<issuer>#client=<client_id>`, or `<issuer>#sub=<sub>` where the issuer knows workloads by
   * their subject alone; of a certificate that is no SVID, `x509:<authority>#dns=<name>` or `x509:<authority>#<attribute>=<value>`.
   */
  readonly id: string
  readonly spiffeId: string | undefined
  /** Of the token that names it; undefined where a certificate alone does. */
  readonly issuer: string | undefined
  readonly clientId: string | undefined
}

/** The workload that a token was issued to for itself. */
export function tokenWorkload({ claims, issuer }: TokenVerification): Workload | Refusal {
  const { clientId, sub, all } = claims
  const iss = issuer.issuer
  // The trust domain's own keys signed this, and the subject was read as a SPIFFE ID in that domain to find them.
  if (issuer.profile.name === 'jwt-svid') return { id: sub, spiffeId: sub, issuer: iss, clientId: undefined }
  const spiffeId = issuer.workload === undefined ? undefined : all[issuer.workload.claim]
  if (spiffeId !== undefined) return spiffeWorkload(spiffeId, clientId, issuer)
  return clientId === undefined
    ? { id: `${iss}#sub=${sub}`, spiffeId: undefined, issuer: iss, clientId }
    : clientOf(iss, clientId)
}

/**
 * The workload that acts with somebody else's token now: its outermost actor (RFC 8693 §4.1), as far as it can be told to be
 * one. A subject alone could as well be a person's, so it counts where it is the client that the token was issued to.
 */
export function actingWorkload({ claims, issuer }: TokenVerification): Workload | undefined | Refusal {
  const [actor] = claims.actors
  const { clientId } = claims
  const iss = issuer.issuer
  // What an issuer says of another issuer's subjects is for the record only.
  if (actor === undefined || actor.issuer !== iss) return undefined
  const spiffeId =
    issuer.workload === undefined
      ? undefined
      : (actor.claims[issuer.workload.claim] ?? spiffeIdIn(actor.subject))
  if (spiffeId !== undefined) return spiffeWorkload(spiffeId, actor.clientId, issuer)
  const client = actor.clientId ?? (actor.subject === clientId ? clientId : undefined)
  return client === undefined ? undefined : clientOf(iss, client)
}

// An issuer has no fragment (RFC 8414 §2), so the id says both.
function clientOf(issuer: string, clientId: string): Workload {
  const make = (id: string): Workload => ({ id, spiffeId: undefined, issuer, clientId })
  return clients.of(`${issuer}#client=${clientId}`, make)
}

const clients = new Recurring<Workload>()

const spiffeIdIn = (subject: string): string | undefined =>
  subject.startsWith('spiffe://') ? subject : undefined

// An issuer speaks only for the trust domains it was given: it must not name a workload of another one.
function spiffeWorkload(
  claimed: unknown,
  clientId: string | undefined,
  { issuer, workload }: TokenVerification['issuer'],
): Workload | Refusal {
  const parsed = typeof claimed === 'string' ? parseWorkloadId(claimed) : undefined
  if (parsed !== undefined && workload?.trustDomains.has(parsed.trustDomain) === true) {
    return { id: parsed.uri, spiffeId: parsed.uri, issuer, clientId }
  }
  return new Refusal('workload_not_assertable', {
    issuer,
    expected: `\`${workload?.claim}\`: a SPIFFE ID in ${[...(workload?.trustDomains ?? [])].map(quoted).join(' or ')}`,
    actual: quoted(claimed),
  })
}
