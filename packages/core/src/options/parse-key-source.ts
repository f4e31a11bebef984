import { readFileSync } from 'node:fs'
import { ConfigurationError, describeValue } from '../configuration-error.ts'
import type { KeyLocation } from '../identity/trust/key-location.ts'
import type { KeyFormat } from '../identity/trust/key-set.ts'
import { GivenKeys, type KeySource } from '../identity/trust/key-source.ts'
import { PublishedKeys } from '../identity/trust/published-keys.ts'
import type { IssuerOptions } from './issuer-options.ts'
import { mayUse, parseDiscoveryUrl, requireSafeUrl, type IssuerContext } from './issuer-url.ts'
import { readCa, requireNumber } from './option-values.ts'

/** Parses where an issuer's keys are. Throws a ConfigurationError that says what to write instead. */
export function parseKeySource(options: IssuerOptions, option: string, context: IssuerContext): KeySource {
  const { issuer, profile, jwks } = options
  requireOneLocation(options, option)
  const discoveryUrl = parseDiscoveryUrl(options, option, context)
  // The bundle is what a trust domain has in place of metadata (SPIFFE Trust Domain and Bundle §5).
  const format = profile === 'jwt-svid' ? 'spiffe-bundle' : 'jwks'
  const ca = readCa(options.ca, `${option}.ca`)
  const bearer = parseBearerFile(options.bearerFile, `${option}.bearerFile`)
  const maxStaleSeconds = requireNumber(
    options.maxStaleSeconds ?? 86_400,
    `${option}.maxStaleSeconds`,
    60,
    604_800,
  )
  if (typeof jwks === 'object') return parseGivenKeys(issuer, jwks, format, option)
  return new PublishedKeys({
    issuer,
    location: parseLocation(options, discoveryUrl, option, context),
    format,
    ca,
    bearer,
    maxStaleMs: maxStaleSeconds * 1000,
    clock: context.clock,
    fetch: context.fetch,
  })
}

// `discoveryUrl` may stand beside either: presets write it, and introspection reads it too.
function requireOneLocation({ profile, jwks, jwksUri, bearerFile }: IssuerOptions, option: string): void {
  if (jwks !== undefined && jwksUri !== undefined) {
    throw new ConfigurationError(`${option}.jwks`, 'write either `jwks` or `jwksUri`')
  }
  if (profile === 'jwt-svid' && jwks === undefined && jwksUri === undefined) {
    throw new ConfigurationError(
      `${option}.jwks`,
      'a trust domain is not discovered: write its bundle or the path of one in `jwks`, or its URL in `jwksUri`',
    )
  }
  if (bearerFile !== undefined && jwks !== undefined) {
    throw new ConfigurationError(
      `${option}.bearerFile`,
      'nothing is fetched where `jwks` gives the keys: leave it out, or write `jwksUri`',
    )
  }
}

function parseGivenKeys(issuer: string, jwks: unknown, format: KeyFormat, option: string): KeySource {
  try {
    const keys = new GivenKeys(issuer, jwks, format)
    // A bundle may lack them, and be replaced. This one never is.
    if (keys.state.keys === 0) throw new Error('expected at least one `jwt-svid` key')
    return keys
  } catch (error) {
    throw new ConfigurationError(
      `${option}.jwks`,
      error instanceof Error ? error.message : 'expected a JWK Set',
    )
  }
}

function parseLocation(
  { issuer, jwks, jwksUri }: IssuerOptions,
  discoveryUrl: URL | undefined,
  option: string,
  context: IssuerContext,
): KeyLocation {
  if (jwks !== undefined) {
    if (typeof jwks === 'string' && jwks !== '') return { kind: 'file', path: requirePath(jwks, option) }
    throw new ConfigurationError(
      `${option}.jwks`,
      `expected a JWK Set, or the path of a JSON file, got ${describeValue(jwks)}`,
    )
  }
  const may = (url: URL): boolean => mayUse(url, context)
  if (jwksUri === undefined) return { kind: 'discovery', issuer, url: discoveryUrl, mayUse: may }
  return { kind: 'url', url: requireSafeUrl(jwksUri, `${option}.jwksUri`, may) }
}

function requirePath(jwks: string, option: string): string {
  if (/^\s*[[{]/.test(jwks)) {
    throw new ConfigurationError(`${option}.jwks`, 'expected an object, got its text: write JSON.parse(…)')
  }
  if (!/^https?:/i.test(jwks)) return jwks
  throw new ConfigurationError(
    `${option}.jwks`,
    'expected the path of a file, got a URL: write it in `jwksUri`',
  )
}

// The file may come later than this process, and is written anew before what it holds expires.
function parseBearerFile(path: unknown, option: string): (() => string) | undefined {
  if (path === undefined) return undefined
  if (typeof path === 'string' && path !== '') return () => readFileSync(path, 'utf8').trim()
  throw new ConfigurationError(option, `expected the path of a file, got ${describeValue(path)}`)
}
