import { channel } from 'node:diagnostics_channel'
import type { RefusalCode } from '../refusal.ts'
import type { DecisionEvent } from './decision-event.ts'

/** One message a decision: allowed and refused alike. */
export const decisionChannel: string = 'countersign:decision'
/** One message each time an issuer's keys were fetched, or could not be. */
export const keysChannel: string = 'countersign:keys'

/** One message each time what certificates are held against was read, or could not be. */
export const trustChannel: string = 'countersign:trust'

/** One message for each request with headers that claim an identity, sent by nobody whose word counts. */
export const headersChannel: string = 'countersign:headers'

/** Headers that were deleted from a request, and refused it where the guard says so. */
export interface HeadersEvent {
  /** Their names, lower-case, at most twenty. Never a value. */
  readonly names: readonly string[]
  /** How many requests had any, since the guard was made. */
  readonly requests: number
}

/** One message each time what TLS servers serve with was replaced, or could not be. */
export const tlsChannel: string = 'countersign:tls'

/** An attempt to replace the certificate of a TLS server, or the authorities that it names to its clients. */
export interface TlsEvent {
  /** `failed`: what was served before goes on being served. */
  readonly outcome: 'replaced' | 'failed'
  readonly part: 'certificate' | 'authorities'
  /** SHA-256 of the certificate that is served now, as OpenSSL writes it: `AB:CD:…`. */
  readonly fingerprint: string
  /** Until when it is valid, in milliseconds since the epoch. */
  readonly expiresAt: number
  /** Why it failed, for the operator; undefined where it did not. */
  readonly problem: string | undefined
}

/** One message for each request that the candidate of a policy decides otherwise than the policy. */
export const candidateChannel: string = 'countersign:candidate'

/** A request that a policy and its candidate decide differently. */
export interface CandidateEvent {
  /** As the framework registered it, such as `GET /orders/:id`. */
  readonly route: string
  /** `caller.id`; null where nobody was identified. */
  readonly caller: string | null
  /** Why the policy refuses it; null where it allows it. */
  readonly code: RefusalCode | null
  /** Why the candidate would; null where it would allow it. */
  readonly candidate: RefusalCode | null
}

/** In what state a source of trust is: see `KeySourceState`. */
export type KeyStatus = 'waiting' | 'fresh' | 'stale' | 'expired'

/** An attempt to fetch the keys of an issuer. */
export interface KeysEvent {
  readonly issuer: string
  /** `refreshed`: another key set than before. `unchanged`: the same, confirmed. */
  readonly outcome: 'refreshed' | 'unchanged' | 'failed'
  /** In what state the keys are after it. */
  readonly status: KeyStatus
  /** How many keys serve now. */
  readonly keys: number
  /** Why it failed, for the operator; undefined where it did not. */
  readonly problem: string | undefined
}

/** An attempt to read roots, or what is revoked, from their source. */
export interface TrustEvent {
  /** The option that names it, such as `certificates.trustDomains['prod.example']`. */
  readonly source: string
  /** `refreshed`: another content than before. `unchanged`: the same, confirmed. */
  readonly outcome: 'refreshed' | 'unchanged' | 'failed'
  /** In what state it is after that. */
  readonly status: KeyStatus
  /** Why it failed, for the operator; undefined where it did not. */
  readonly problem: string | undefined
}

const decisions = channel(decisionChannel)
const keys = channel(keysChannel)
const headers = channel(headersChannel)
const trust = channel(trustChannel)
const tls = channel(tlsChannel)
const candidates = channel(candidateChannel)

/** False while nobody listens: then the event need not even be made. */
export const hasDecisionListeners = (): boolean => decisions.hasSubscribers

export const publishDecision = (event: DecisionEvent): void => decisions.publish(Object.freeze(event))

export const publishKeys = (event: KeysEvent): void => {
  if (keys.hasSubscribers) keys.publish(Object.freeze(event))
}

export const publishTrust = (event: TrustEvent): void => {
  if (trust.hasSubscribers) trust.publish(Object.freeze(event))
}

export const publishHeaders = (event: HeadersEvent): void => {
  if (headers.hasSubscribers) headers.publish(Object.freeze(event))
}

export const publishTls = (event: TlsEvent): void => {
  if (tls.hasSubscribers) tls.publish(Object.freeze(event))
}

export const publishCandidate = (event: CandidateEvent): void => {
  if (candidates.hasSubscribers) candidates.publish(Object.freeze(event))
}
