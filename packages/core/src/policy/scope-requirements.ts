import type { Caller } from '../identity/caller.ts'
import { Refusal, quoted } from '../refusal.ts'
import { OtherRequirement, requireSome, type Requirement } from './requirement.ts'
import { lineOf, listed } from './requirement-text.ts'
import { AskedScopes } from './scope-bits.ts'
import { requireScopeName, type ScopeName } from './scope.ts'

/** The caller must have all of these scopes. */
export function scopes(...names: [ScopeName, ...ScopeName[]]): Requirement {
  const named = requireScopeNames(names, 'scopes')
  const asked = new AskedScopes(named)
  return new OtherRequirement({
    text: lineOf('scopes', named),
    scopes: named,
    check: (caller) => (asked.areAllIn(caller.scopes) ? undefined : lacksSome(named, caller)),
    missing: (caller) => missingOf(named, caller),
  })
}

/** The caller must have at least one of these scopes. */
export function anyScope(...names: [ScopeName, ...ScopeName[]]): Requirement {
  const named = requireScopeNames(names, 'anyScope')
  const asked = new AskedScopes(named)
  return new OtherRequirement({
    text: lineOf('anyScope', named),
    scopes: named,
    check: (caller) =>
      asked.isAnyIn(caller.scopes)
        ? undefined
        : lacks(caller, listed(named, ' or '), `one of ${listed(named, ' ')}`),
    missing: (caller) => (asked.isAnyIn(caller.scopes) ? [] : named.slice(0, 1)),
  })
}

/**
 * The caller must have all of these scopes on behalf of a user: what token, service and user are all allowed. A service's own
 * call is refused, whatever it may do by itself. Narrower than `scopes`, which takes both.
 */
export function userScopes(...names: [ScopeName, ...ScopeName[]]): Requirement {
  const named = requireScopeNames(names, 'userScopes')
  const asked = new AskedScopes(named)
  return new OtherRequirement({
    text: lineOf('userScopes', named),
    scopes: named,
    check: (caller) => {
      if (caller.user === undefined) return callsForNobody(named, caller)
      return asked.areAllIn(caller.scopes) ? undefined : lacksSome(named, caller)
    },
    missing: (caller) => (caller.user === undefined ? undefined : missingOf(named, caller)),
  })
}

function requireScopeNames(names: readonly unknown[], requirement: string): readonly string[] {
  requireSome(names, requirement, `a scope, such as ${requirement}('orders:read')`)
  return names.map((name, i) => requireScopeName(name, `${requirement}(…)[${i}]`))
}

function lacksSome(named: readonly string[], caller: Caller): Refusal {
  return lacks(caller, listed(named, ' '), listed(missingOf(named, caller), ' '))
}

const missingOf = (named: readonly string[], caller: Caller): readonly string[] =>
  named.filter((name) => !caller.scopes.has(name))

function lacks(caller: Caller, expected: string, missing: string): Refusal {
  const held = listed([...caller.scopes].slice(0, 16), ' ')
  return new Refusal('scope_missing', {
    expected,
    actual: held === '' ? 'no scopes' : held,
    advice: `grant ${quoted(caller.id)} what is missing (${missing}): by its issuer, and in \`grants\` where the guard has any`,
  })
}

// No scope would help here, so it is not the scopes that are said to be missing.
const callsForNobody = (named: readonly string[], caller: Caller): Refusal =>
  new Refusal('caller_not_allowed', {
    expected: `a user with ${listed(named, ' ')}`,
    actual: `${quoted(caller.id)} without a user`,
    advice: 'have the caller present the token of the user it calls for, in place of its own',
  })
