import { ConfigurationError, describeValue } from '../configuration-error.ts'
import { parseCallerPattern } from './caller-pattern.ts'
import type { Policy } from './policy.ts'
import { requireGrantedScope } from './scope.ts'

/** The policy's short form: caller id or pattern → the scopes it may use. */
export type GrantOptions = Readonly<Record<string, readonly string[]>>

/** The policy that a guard's `grants` spell. */
export function policyOfGrants(options: GrantOptions): Policy {
  const callers = Object.entries(options).map(([pattern, scopes]) => {
    const path = `grants['${pattern}']`
    if (!Array.isArray(scopes)) {
      throw new ConfigurationError(path, `expected an array of scopes, got ${describeValue(scopes)}`)
    }
    return {
      name: pattern,
      is: [parseCallerPattern(pattern, path)],
      grants: scopes.map((scope, i) => ({
        scope: requireGrantedScope(scope, `${path}[${i}]`),
        until: undefined,
        via: undefined,
        reason: undefined,
        at: { path: `${path}[${i}]`, line: 0, column: 0 },
      })),
      mode: undefined,
      at: { path, line: 0, column: 0 },
    }
  })
  return { ...nothingElse, callers }
}

const nothingElse: Omit<Policy, 'callers'> = {
  service: undefined,
  zones: new Map(),
  calls: undefined,
  routes: new Map(),
  candidate: undefined,
}
