/** What the framework adapters are made with. Not for applications: it may change in any version. */
export { RequestContext } from './context.ts'
export { requireGuard, type Guard } from './guard.ts'
export { joinPlacements, requirePlacement, type Placement } from './policy/placement.ts'
export { Requirement } from './policy/requirement.ts'
export { Refusal } from './refusal.ts'
export { mounterFor, registerMounter, type MountableRoute, type Mounter } from './mounting.ts'
export { createTlsServer } from './tls/tls-server.ts'
