import { ConfigurationError, describeValue } from '../configuration-error.ts'
import { isTrustDomain } from '../identity/certificate/spiffe-id.ts'

/**
 * Matches canonical caller ids: `spiffe://td/path`, `<issuer>#client=<id>`, `<issuer>#sub=<sub>`, or `x509:<authority>#dns=<name>`
 * and other names of certificates.
 */
export interface CallerPattern {
  readonly text: string
  /** True where it is one id, without any wildcard. */
  readonly isExact: boolean
  matches(id: string): boolean
}

/**
 * Parses a pattern. `*` stands for exactly one whole path segment of a SPIFFE ID, or for the whole name behind
 * `#client=`, `#sub=` or `#dns=` and the like; never for a trust domain, an issuer, or part of a name.
 */
export function parseCallerPattern(text: unknown, option: string): CallerPattern {
  if (typeof text !== 'string') {
    throw new ConfigurationError(option, `expected a caller id, got ${describeValue(text)}`)
  }
  return text.startsWith('spiffe://') ? spiffePattern(text, option) : issuerPattern(text, option)
}

function spiffePattern(text: string, option: string): CallerPattern {
  const [trustDomain = '', ...segments] = text.slice('spiffe://'.length).split('/')
  if (!isTrustDomain(trustDomain) || segments.length === 0 || !segments.every(isSegment)) {
    throw new ConfigurationError(
      option,
      `expected \`spiffe://<trust domain>/<path>\` with \`*\` only for a whole path segment, got \`${text}\``,
    )
  }
  if (!segments.includes('*')) return exact(text)
  const start = `spiffe://${trustDomain}/`
  return {
    text,
    isExact: false,
    matches: (id) => {
      if (!id.startsWith(start)) return false
      const actual = id.slice(start.length).split('/')
      return (
        actual.length === segments.length &&
        segments.every((segment, i) => segment === '*' || segment === actual[i])
      )
    },
  }
}

function issuerPattern(text: string, option: string): CallerPattern {
  const [, prefix, name] = named.exec(text) ?? []
  if (prefix === undefined || name === undefined || (name !== '*' && name.includes('*'))) {
    throw new ConfigurationError(
      option,
      `expected \`spiffe://<trust domain>/<path>\`, \`<issuer>#client=<client_id>\`, \`<issuer>#sub=<sub>\` or \`x509:<authority>#dns=<name>\`, got \`${text}\``,
    )
  }
  return name === '*' ? { text, isExact: false, matches: (id) => id.startsWith(prefix) } : exact(text)
}

const exact = (text: string): CallerPattern => ({ text, isExact: true, matches: (id) => id === text })

const named = /^((?:https?:\/\/[^#\s]+#(?:client|sub)|x509:[a-z0-9._-]+#[a-zA-Z]+)=)(.+)$/

const isSegment = (segment: string): boolean =>
  segment === '*' || (/^[A-Za-z0-9._-]+$/.test(segment) && segment !== '.' && segment !== '..')
