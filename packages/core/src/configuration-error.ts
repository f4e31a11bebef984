/**
 * Thrown while a guard, a route or a server is being set up, never while a request is answered.
 * The message names the option, what was given (unless it is secret) and what to write instead.
 */
export class ConfigurationError extends Error {
  /** Stable across versions: branch on this, not on the message. */
  readonly code = 'configuration_invalid'
  /** Path of the option at fault, such as `issuers[0].jwksUri`. */
  readonly option: string
  /** What is wrong with it, for those who name the place in their own way. */
  readonly problem: string

  constructor(option: string, problem: string) {
    super(`\`${option}\`: ${problem}`)
    this.name = 'ConfigurationError'
    this.option = option
    this.problem = problem
  }
}

/** How a wrong value is named in a message: its shape only, since an option can hold a secret. */
export function describeValue(value: unknown): string {
  if (value === null) return 'null'
  if (Array.isArray(value)) return value.length === 0 ? 'an empty array' : 'an array'
  if (value === '') return 'an empty string'
  return typeof value === 'object' ? 'an object' : `a ${typeof value}`
}
