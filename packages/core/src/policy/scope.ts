import { ConfigurationError } from '../configuration-error.ts'

/**
 * Declare your scope names once, and a misspelt one no longer compiles:
 * `declare module '@countersign/core' { interface Register { scope: 'orders:read' | 'orders:write' } }`
 */
export interface Register {}

/** A scope name: any string until `Register` narrows it. */
export type ScopeName = Register extends { scope: infer Name extends string } ? Name : string

/** Checks a scope named in a requirement: an exact RFC 6749 scope token, no wildcard. */
export function requireScopeName(scope: unknown, option: string): string {
  if (typeof scope !== 'string' || !scopeToken.test(scope)) {
    throw new ConfigurationError(
      option,
      'expected a scope such as `orders:read`: printable characters without space, quote or backslash',
    )
  }
  if (isWildcard(scope)) {
    throw new ConfigurationError(
      option,
      `a requirement names the scope it needs: write \`${scope.slice(0, -1)}read\` instead of \`${scope}\``,
    )
  }
  return scope
}

/** Checks a scope named in a grant: exact, or `resource:*` for every action on a resource. */
export function requireGrantedScope(scope: unknown, option: string): string {
  if (typeof scope !== 'string' || !scopeToken.test(scope)) {
    throw new ConfigurationError(option, 'expected a scope such as `orders:read` or `orders:*`')
  }
  if (scope.includes('*') && !/^[a-z0-9._-]+:\*$/.test(scope)) {
    throw new ConfigurationError(
      option,
      `a wildcard stands for the whole action only: write \`orders:*\`, not \`${scope}\``,
    )
  }
  return scope
}

/** True if a policy grant gives the scope. `orders:*` covers `orders:read`, but neither `orders` nor `orders:a:b`. */
export function covers(grant: string, scope: string): boolean {
  if (grant === scope) return true
  if (!isWildcard(grant)) return false
  const [, resource] = /^([a-z0-9._-]+):[a-z0-9._-]+$/.exec(scope) ?? []
  return resource !== undefined && grant === `${resource}:*`
}

const isWildcard = (scope: string): boolean => scope.endsWith(':*')

const scopeToken = /^[\x21\x23-\x5B\x5D-\x7E]{1,256}$/
