export { countersign } from './countersign.ts'
export { callerOptional, requireScopes, requires, unprotected } from './declarations.ts'
export { callerOf } from './request-context.ts'
export { createTlsServer } from './tls-server.ts'
export type { TlsServerOptions } from '@countersign/core/adapter'
export {
  CallerUnavailableError,
  ConfigurationError,
  allOf,
  anyOf,
  authenticated,
  callerIs,
  createGuard,
  defineOptions,
  scopes,
  type Caller,
  type Guard,
  type GuardOptions,
  type IssuerOptions,
  type Requirement,
} from '@countersign/core'
