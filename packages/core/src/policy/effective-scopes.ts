import { ConfigurationError, describeValue } from '../configuration-error.ts'
import type { ScopeSet } from '../identity/caller.ts'
import type { VerifiedIdentity } from '../identity/verified-identity.ts'
import { parseCallerPattern, type CallerPattern } from './caller-pattern.ts'
import { covers, requireGrantedScope } from './scope.ts'

/** The policy's short form: caller id or pattern → the scopes it may use. */
export type GrantOptions = Readonly<Record<string, readonly string[]>>

interface Grant {
  readonly caller: CallerPattern
  readonly scopes: readonly string[]
}

/** What callers may do. Without one, a token's scopes decide alone and a certificate alone carries none. */
export class Grants {
  readonly #grants: readonly Grant[]

  constructor(options: GrantOptions) {
    this.#grants = Object.entries(options).map(([pattern, scopes]) => {
      const option = `grants['${pattern}']`
      if (!Array.isArray(scopes)) {
        throw new ConfigurationError(option, `expected an array of scopes, got ${describeValue(scopes)}`)
      }
      return {
        caller: parseCallerPattern(pattern, option),
        scopes: scopes.map((scope, i) => requireGrantedScope(scope, `${option}[${i}]`)),
      }
    })
  }

  /** Everything granted to one party, by whichever of its entries. */
  of(id: string): readonly string[] {
    return this.#grants.filter(({ caller }) => caller.matches(id)).flatMap(({ scopes }) => scopes)
  }
}

/**
 * token ∩ policy(service) ∩ policy(user), over the parties present. An intersection only ever takes away, so presenting
 * one credential less never yields more, and what two credentials allow is never added up.
 */
export function effectiveScopes(identity: VerifiedIdentity, grants: Grants | undefined): ScopeSet {
  const fromToken = identity.token?.claims.scopes
  if (grants === undefined) return new Scopes(fromToken ?? [])
  const parties = [identity.service, identity.user].filter((party) => party !== undefined)
  const [first, ...others] = parties.map(({ id }) => grants.of(id))
  if (first === undefined) return new Scopes([])
  // Grants may be wildcards; what a token lists is exact, so the intersection with it is a list again.
  if (fromToken === undefined) return new Scopes(first)
  return new Scopes(
    fromToken.filter((scope) =>
      [first, ...others].every((granted) => granted.some((grant) => covers(grant, scope))),
    ),
  )
}

class Scopes implements ScopeSet {
  readonly #exact: ReadonlySet<string>
  readonly #wildcards: readonly string[]

  constructor(scopes: readonly string[]) {
    this.#exact = new Set(scopes)
    this.#wildcards = scopes.filter((scope) => scope.endsWith(':*'))
  }

  has(scope: string): boolean {
    return this.#exact.has(scope) || this.#wildcards.some((grant) => covers(grant, scope))
  }

  [Symbol.iterator](): Iterator<string> {
    return this.#exact.values()
  }

  toJSON(): readonly string[] {
    return [...this.#exact]
  }
}
