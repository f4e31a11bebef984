export { CountersignModule, type AsyncGuardOptions } from './countersign-module.ts'
export { CountersignGuard } from './countersign-guard.ts'
export { COUNTERSIGN_GUARD } from './providers.ts'
export { Caller, callerOf, decisionOf } from './caller.ts'
export { guardGateways } from './guard-gateways.ts'
export { requires, resourceMetadata, type Middleware } from './middlewares.ts'
export {
  AllowUnprotected,
  CallerOptional,
  RequireScopes,
  Requires,
  Unprotected,
} from '@countersign/decorators'
export * from '@countersign/core'
