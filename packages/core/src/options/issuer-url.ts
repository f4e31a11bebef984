import type { Clock } from '../clock/clock.ts'
import { ConfigurationError, describeValue } from '../configuration-error.ts'
import type { FetchDocument } from '../identity/trust/fetch-document.ts'
import type { IssuerOptions } from './issuer-options.ts'

/** What every issuer of a guard shares. */
export interface IssuerContext {
  readonly audience: unknown
  readonly clockToleranceSeconds: number
  readonly dangerouslyAllowHttp: ReadonlySet<string>
  /** Canonical ids of the callers that `grants` names. */
  readonly grantedIds: readonly string[]
  readonly clock: Clock
  readonly fetch: FetchDocument
  /** A fresh, unguessable id. */
  readonly newId: () => string
}

/** RFC 8414 §2: a URL without query or fragment. It is kept as written, since tokens repeat it character by character. */
export function requireIssuerUrl(
  issuer: unknown,
  option: string,
  context: IssuerContext,
): asserts issuer is string {
  if (typeof issuer !== 'string' || !URL.canParse(issuer)) {
    throw new ConfigurationError(
      option,
      `expected a URL such as 'https://idp.internal', got ${describeValue(issuer)}`,
    )
  }
  const url = new URL(issuer)
  if (/[?#\s]/.test(issuer) || hasCredentials(url)) {
    throw new ConfigurationError(
      option,
      'an issuer has no query, fragment or user name: write the URL as it stands in `iss`',
    )
  }
  if (!mayUse(url, context)) {
    throw new ConfigurationError(
      option,
      `expected https, got \`${issuer}\`: write https://, or name it in \`dangerouslyAllowHttp\` on a development machine`,
    )
  }
}

/** A URL that secrets are sent to, or keys are taken from: https, or one that the operator named, and no password in it. */
export function requireSafeUrl(given: unknown, option: string, may: (url: URL) => boolean): URL {
  const url = typeof given === 'string' && URL.canParse(given) ? new URL(given) : undefined
  if (url !== undefined && may(url) && !hasCredentials(url)) return url
  throw new ConfigurationError(
    option,
    'expected an https URL without user name and password, or one that `dangerouslyAllowHttp` names',
  )
}

/** Where an issuer's metadata is, if not at the well-known places. Keys and the introspection endpoint are found there. */
export const parseDiscoveryUrl = (
  { discoveryUrl }: IssuerOptions,
  option: string,
  context: IssuerContext,
): URL | undefined =>
  discoveryUrl === undefined
    ? undefined
    : requireSafeUrl(discoveryUrl, `${option}.discoveryUrl`, (url) => mayUse(url, context))

/** HTTPS, or exactly a URL that the operator named as one that may go without. */
export const mayUse = (
  url: URL,
  { dangerouslyAllowHttp }: Pick<IssuerContext, 'dangerouslyAllowHttp'>,
): boolean =>
  url.protocol === 'https:' ||
  (url.protocol === 'http:' &&
    [...dangerouslyAllowHttp].some((allowed) => URL.canParse(allowed) && new URL(allowed).href === url.href))

export const hasCredentials = ({ username, password }: URL): boolean => username !== '' || password !== ''
