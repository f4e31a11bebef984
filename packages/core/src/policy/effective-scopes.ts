import { ConfigurationError, describeValue } from '../configuration-error.ts'
import type { ScopeSet } from '../identity/caller.ts'
import type { VerifiedIdentity } from '../identity/verified-identity.ts'
import { parseCallerPattern, type CallerPattern } from './caller-pattern.ts'
import { ScopesInBits } from './scope-bits.ts'
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
 * token ∩ what its issuer may give ∩ policy(service) ∩ policy(user), over the parties present. Only ever an intersection:
 * what two credentials allow is never added up, and a token never has more than it says.
 */
export function effectiveScopes(identity: VerifiedIdentity, grants: Grants | undefined): ScopeSet {
  const { scopes: fromToken } = identity.token?.claims ?? {}
  const mayGrant = identity.token?.issuer.mayGrant
  const limits = [
    ...(grants === undefined ? [] : partiesOf(identity).map((id) => grants.of(id))),
    ...(mayGrant === undefined ? [] : [mayGrant]),
  ]
  const isWithin = (scope: string): boolean =>
    limits.every((limit) => limit.some((grant) => covers(grant, scope)))
  if (fromToken !== undefined) return new Scopes(fromToken.filter(isWithin), [])
  // Credentials that only say who calls have what policy grants to every party. What an issuer may give is no grant.
  const common = grants === undefined ? [] : limits.flat().filter(isWithin)
  return new Scopes(
    common,
    common.filter((grant) => grant.endsWith(':*')),
  )
}

// A user's token without a certificate still comes from a service: the client that it was issued to. Else a service
// could get rid of its own limits by leaving its certificate out.
function partiesOf({ service, user, token }: VerifiedIdentity): readonly string[] {
  const { iss, clientId } = token?.claims ?? {}
  const client = clientId === undefined ? undefined : `${iss}#client=${clientId}`
  return [service?.id ?? client, user?.id].filter((id) => id !== undefined)
}

class Scopes extends ScopesInBits {
  readonly #exact: ReadonlySet<string>
  /** Of policy alone: what looks like a wildcard in a token is a scope of that very name. */
  readonly #wildcards: readonly string[]

  constructor(exact: readonly string[], wildcards: readonly string[]) {
    super()
    this.#exact = new Set(exact)
    this.#wildcards = wildcards
    Object.freeze(this)
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
