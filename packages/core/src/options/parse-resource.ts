import { ConfigurationError, describeValue } from '../configuration-error.ts'
import type { ResourceOptions } from '../enforcement/resource-metadata.ts'
import { hasCredentials } from './issuer-url.ts'
import { requireKnownKeys } from './option-values.ts'

/** Parses `resource`. Throws a ConfigurationError that says what to write instead. */
export function parseResource(given: unknown): ResourceOptions {
  const options = typeof given === 'string' ? { identifier: given } : given
  requireKnownKeys(options, 'resource', ['identifier', 'name', 'documentation', 'policyUri', 'tosUri'])
  const { identifier, ...rest } = options as Record<string, unknown> // an object: its keys have just been looked at
  // RFC 9728 §1.2: https, no fragment; a query would end up in front of the well-known path, a password in the document.
  if (
    typeof identifier !== 'string' ||
    !/^https:\/\/[^?#\s"\\]+$/.test(identifier) ||
    !URL.canParse(identifier) ||
    hasCredentials(new URL(identifier))
  ) {
    throw new ConfigurationError(
      typeof given === 'string' ? 'resource' : 'resource.identifier',
      `expected the https URL that callers use for this service, got ${describeValue(identifier)}`,
    )
  }
  for (const [name, value] of Object.entries(rest)) {
    if (value === undefined || (typeof value === 'string' && value !== '')) continue
    throw new ConfigurationError(`resource.${name}`, `expected text, got ${describeValue(value)}`)
  }
  return Object.freeze({ identifier, ...rest })
}
