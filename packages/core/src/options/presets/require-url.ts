import { ConfigurationError, describeValue } from '../../configuration-error.ts'

/**
 * A URL that a preset builds on, as it was written: http or https, and nothing in it that no issuer has. Whether http may
 * be used is decided where the guard's other URLs are checked.
 */
export function requireUrl(value: unknown, option: string, example: string): string {
  if (typeof value !== 'string' || !URL.canParse(value)) {
    throw new ConfigurationError(option, `expected a URL such as '${example}', got ${describeValue(value)}`)
  }
  const { protocol, username, password } = new URL(value)
  if (!/^https?:$/.test(protocol) || username !== '' || password !== '' || /[?#\s]/.test(value)) {
    throw new ConfigurationError(
      option,
      `expected an https URL without query, fragment or user name, such as '${example}'`,
    )
  }
  if (value.endsWith('/')) {
    throw new ConfigurationError(option, `write it without the final slash, such as '${example}'`)
  }
  return value
}
