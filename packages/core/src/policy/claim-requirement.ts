import { ConfigurationError } from '../configuration-error.ts'
import { claimAt } from '../identity/token/scope-claims.ts'
import { Refusal, quoted } from '../refusal.ts'
import { OtherRequirement, requireSome, type Requirement } from './requirement.ts'
import { lineOf, listed } from './requirement-text.ts'

/** What a claim can be compared with. */
export type ClaimValue = string | number | boolean

/**
 * The token must have this claim with one of these values; a claim that is a list must contain one of them:
 * `claim('permissions', 'orders:read')`, `claim(['realm_access', 'roles'], 'clerk', 'admin')`. Values are compared exactly and by
 * type. A claim that is missing, and a caller without a token, do not meet it.
 */
export function claim(
  path: string | readonly [string, ...string[]],
  ...values: [ClaimValue, ...ClaimValue[]]
): Requirement {
  const keys = parsePath(path)
  requireNoIdentity(keys)
  requireSome(values, 'claim', "a value, such as claim('permissions', 'orders:read')")
  const accepted: ReadonlySet<unknown> = new Set(values.map((value, i) => requireClaimValue(value, i)))
  const name = keys.join('.')
  const texts = values.map(printed)
  return new OtherRequirement({
    text: lineOf('claim', [name, ...texts]),
    check: ({ claims }) => {
      const value = claimAt(claims, keys)
      const isMet = Array.isArray(value) ? value.some((each) => accepted.has(each)) : accepted.has(value)
      if (isMet) return undefined
      return new Refusal('requirement_unmet', {
        expected: `\`${name}\`: ${listed(texts, ' or ')}`,
        actual: value === undefined ? `no \`${name}\`` : described(value),
        advice: 'have the issuer write it into the tokens of those who may call',
      })
    },
  })
}

function parsePath(path: unknown): readonly [string, ...string[]] {
  const keys: readonly unknown[] = Array.isArray(path) ? [...path] : [path]
  if (isPath(keys)) return keys
  throw new ConfigurationError(
    'claim(path, …)',
    "expected the name of a claim, or a path such as ['realm_access', 'roles']",
  )
}

// `__proto__` is a name that libraries read in different ways, and nobody means it.
const isPath = (keys: readonly unknown[]): keys is readonly [string, ...string[]] =>
  keys.length > 0 &&
  keys.every((key) => typeof key === 'string' && /^\P{C}+$/u.test(key) && key !== '__proto__')

// What names a party names it only together with who says so: another issuer's `alice` is another alice.
function requireNoIdentity([name, ...rest]: readonly [string, ...string[]]): void {
  const kind = rest.length === 0 ? identities.get(name) : undefined
  if (kind === undefined) return
  throw new ConfigurationError(
    'claim(path, …)',
    `\`${name}\` names a party only together with its issuer: write callerIs('https://idp.internal#${kind}=…')`,
  )
}

const identities: ReadonlyMap<string, string> = new Map([
  ['sub', 'sub'],
  ['client_id', 'client'],
])

function requireClaimValue(value: unknown, i: number): ClaimValue {
  if (typeof value === 'string' || typeof value === 'boolean' || Number.isFinite(value)) {
    return value as ClaimValue // one of the three kinds
  }
  throw new ConfigurationError(`claim(…)[${i + 1}]`, 'expected text, a finite number, true or false')
}

const described = (value: unknown): string =>
  Array.isArray(value) ? 'a list that has none of it' : printed(value)

const printed = (value: unknown): string =>
  typeof value === 'number' || typeof value === 'boolean' ? String(value) : quoted(value)
