export { countersign } from './countersign.ts'
export { callerOptional, requireScopes, requires, unprotected } from './declarations.ts'
export { resourceMetadata } from './resource-metadata.ts'
export { callerOf } from './request-context.ts'
export { createTlsServer } from './tls-server.ts'
export type { TlsServerOptions } from '@countersign/core/adapter'
export {
  CallerUnavailableError,
  ConfigurationError,
  allOf,
  anyOf,
  auth0,
  authenticated,
  authenticatedWith,
  callerIs,
  createGuard,
  defineOptions,
  entraId,
  freshWithin,
  githubActions,
  google,
  keycloak,
  kubernetes,
  okta,
  provenBy,
  scopes,
  spiffe,
  type Caller,
  type Guard,
  type GuardOptions,
  type IssuerOptions,
  type Requirement,
} from '@countersign/core'
