export { countersign } from './countersign.ts'
export {
  callerOptional,
  everyRoute,
  requireScopes,
  requires,
  unprotected,
  type RouteDeclaration,
} from './declarations.ts'
export { resourceMetadata } from './resource-metadata.ts'
export { callerOf, decisionOf } from '@countersign/core/adapter'
export { sealRoutes } from './seal.ts'
export * from '@countersign/core'
