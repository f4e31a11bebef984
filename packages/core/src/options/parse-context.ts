import type { Clock } from '../clock/clock.ts'
import { ConfigurationError, describeValue } from '../configuration-error.ts'
import { ContextProviders, type ContextProvider } from '../policy/context-providers.ts'
import type { Decider } from '../policy/decider.ts'
import { requireEntries, requireWhole } from './option-values.ts'

interface ContextOptions {
  readonly context?: Readonly<Record<string, ContextProvider>>
  readonly contextTimeoutMs?: number
}

/** Parses `context`. Throws a ConfigurationError that says what to write instead. */
export function parseContext(
  { context, contextTimeoutMs = defaultTimeoutMs }: ContextOptions,
  clock: Clock,
): ContextProviders | undefined {
  const timeoutMs = requireWhole(contextTimeoutMs, 'contextTimeoutMs', 1, 10_000)
  if (context === undefined) return undefined
  const providers = { ...requireEntries(context, 'context') }
  for (const [name, provider] of Object.entries(providers)) {
    if (!/^[A-Za-z_][A-Za-z0-9_]{0,63}$/.test(name)) {
      throw new ConfigurationError(
        `context['${name}']`,
        'a name is written in conditions as `context.name`: letters, digits and `_`',
      )
    }
    if (typeof provider === 'function') continue
    throw new ConfigurationError(`context.${name}`, `expected a function, got ${describeValue(provider)}`)
  }
  return new ContextProviders({ providers, timeoutMs, clock })
}

/** Parses `deciders`. Throws a ConfigurationError that says what to write instead. */
export function parseDeciders(deciders: unknown): readonly Decider[] {
  if (deciders === undefined) return []
  if (!Array.isArray(deciders)) {
    throw new ConfigurationError('deciders', `expected a list of deciders, got ${describeValue(deciders)}`)
  }
  return [...deciders].map((decider: unknown, i) => requireDecider(decider, `deciders[${i}]`))
}

function requireDecider(decider: unknown, option: string): Decider {
  const { name, decide, timeoutMs } = (
    typeof decider === 'object' && decider !== null ? decider : {}
  ) as Partial<Decider> // each member is checked
  if (typeof name !== 'string' || name === '' || typeof decide !== 'function') {
    throw new ConfigurationError(option, `expected { name, decide(question) }, got ${describeValue(decider)}`)
  }
  if (timeoutMs !== undefined) requireWhole(timeoutMs, `${option}.timeoutMs`, 1, 10_000)
  return decider as Decider // as checked above; it may be of a class, so it is kept as it is
}

const defaultTimeoutMs = 100
