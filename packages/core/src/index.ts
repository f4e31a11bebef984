export { createGuard, type Environment, type Guard, type Readiness } from './guard.ts'
export {
  defineOptions,
  type CertificateOptions,
  type GuardOptions,
  type IssuerOptions,
} from './options/guard-options.ts'
export { allOf, anyOf, authenticated, callerIs, scopes, type Requirement } from './policy/requirement.ts'
export type { Register, ScopeName } from './policy/scope.ts'
export type { CallerOptional, Placement, Unprotected } from './policy/placement.ts'
export { callerOptional, unprotected } from './policy/placement.ts'
export type { GrantOptions } from './policy/effective-scopes.ts'
export type { Caller, ScopeSet } from './identity/caller.ts'
export type { Proof, User, Workload } from './identity/verified-identity.ts'
export type { Algorithm } from './identity/trust/algorithms.ts'
export type { FetchDocument, FetchedDocument, FetchOptions } from './identity/trust/fetch-document.ts'
export type { KeySourceState } from './identity/trust/key-source.ts'
export type { Represents } from './identity/trust/trusted-issuer.ts'
export type { Allow, Decision, Deny, RefusalResponse } from './decision/decision.ts'
export type { InboundRequest } from './request/inbound-request.ts'
export type { CensusEntry } from './census.ts'
export type { Clock } from './clock/clock.ts'
export type { Logger } from './events/refusal-log.ts'
export type { DecisionEvent } from './events/decision-event.ts'
export { decisionChannel, keysChannel, type KeysEvent } from './events/channels.ts'
export { ConfigurationError } from './configuration-error.ts'
export { CallerUnavailableError } from './caller-unavailable-error.ts'
export {
  refusals,
  type ChallengeError,
  type Fault,
  type Refusal,
  type RefusalCode,
  type RefusalDetail,
  type RefusalEntry,
  type Stage,
} from './refusal.ts'
