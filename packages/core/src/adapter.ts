/** What the framework adapters are made with. Not for applications: it may change in any version. */
export { answer, endSession, endsConnection, refuse } from './adapters/answer.ts'
export { attachContext, callerOf, contextOf, decisionOf, requireCaller } from './adapters/attached-context.ts'
export { censusEntry, type KnownRoute } from './adapters/census-entry.ts'
export { closeFrame } from './adapters/close-frame.ts'
export { declaredAtOf, markDeclaration, placementOf } from './adapters/declared-handlers.ts'
export { grpcRequest, removeDeleted, type GrpcRequest } from './adapters/grpc-request.ts'
export { addTrailers, grpcRefusal, type GrpcStatus } from './adapters/grpc-status.ts'
export { ownAccessor } from './adapters/own-accessor.ts'
export { installLatch } from './adapters/response-latch.ts'
export { reportUnsealed, sealCensus, type SealAdvice } from './adapters/seal-census.ts'
export { listed, spelled, type ListRoutes } from './census.ts'
export { RequestContext } from './context.ts'
export { declaredAt } from './declared-at.ts'
export { rehearse, type Rehearsal } from './decision/rehearse.ts'
export { requireGuard, type Guard } from './guard.ts'
export { joinPlacements, placementInCode, withDocument, withFloor } from './policy/joined-placements.ts'
export { isPlacement, requirePlacement, type Placement } from './policy/placement.ts'
export { parseCallerPattern, type CallerPattern } from './policy/caller-pattern.ts'
export type { Occasion } from './policy/occasion.ts'
export type {
  Mode,
  Place,
  Policy,
  PolicyCaller,
  PolicyGrant,
  PolicyRoute,
  PolicySource,
} from './policy/policy.ts'
export { OtherRequirement, Requirement, type RequirementParts } from './policy/requirement.ts'
export { requireGrantedScope } from './policy/scope.ts'
export { Refusal, quoted } from './refusal.ts'
export { mounterFor, registerMounter, type MountableRoute, type Mounter } from './mounting.ts'
export { systemClock } from './clock/clock.ts'
export { createTlsServer } from './tls/tls-server.ts'
