import { ConfigurationError, describeValue } from '../configuration-error.ts'

/** A header's name in lower case. With an underscore it could be another spelling of itself. */
export function requireHeaderName(value: unknown, name: string): string {
  if (typeof value === 'string' && /^[A-Za-z0-9]+(?:-[A-Za-z0-9]+)*$/.test(value) && value.length <= 100) {
    return value.toLowerCase()
  }
  throw new ConfigurationError(
    name,
    `expected the name of a header, letters, digits and single dashes, got ${describeValue(value)}`,
  )
}
