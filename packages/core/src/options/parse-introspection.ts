import type { Clock } from '../clock/clock.ts'
import { ConfigurationError, describeValue } from '../configuration-error.ts'
import { Introspector, type IntrospectorOptions } from '../identity/introspection/introspector.ts'
import type { KeySource } from '../identity/trust/key-source.ts'
import type { FetchDocument } from '../identity/trust/fetch-document.ts'
import type { Verification } from '../identity/trust/trusted-issuer.ts'
import { Refusal } from '../refusal.ts'
import type { IssuerOptions } from './issuer-options.ts'
import { mayUse as mayUseUrl, parseDiscoveryUrl, requireSafeUrl, type IssuerContext } from './issuer-url.ts'
import { readCa, requireKnownKeys, requireNumber, requireStrings, requireWhole } from './option-values.ts'
import { parseClientAuthentication, type ClientAuthenticationOptions } from './parse-client-authentication.ts'

/**
 * Opaque tokens: the issuer is asked what each of them means (RFC 7662).
 *
 * ```ts
 * introspection: {
 *   clientId: 'orders',
 *   authentication: { method: 'private_key_jwt', key: './orders.key', algorithm: 'ES256', keyId: 'orders-1' },
 * }
 * ```
 *
 * A token is asked about once, and what the issuer said is relied on for `cacheSeconds`, never past the token's `exp`:
 * that is how long a revoked token can still work. While the issuer cannot be asked, requests with tokens that are not
 * known are answered 503, and nothing is remembered of it. However many unknown tokens arrive, no more than
 * `maxConcurrent` are asked about at a time; 128 more may wait, and the rest is answered 503 as well.
 */
export interface IntrospectionOptions {
  /**
   * The introspection endpoint. Default: the one that the issuer's metadata names, `mtls_endpoint_aliases` included
   * (OIDC Discovery, RFC 8414, RFC 8705 §5).
   */
  readonly endpoint?: string
  /** The name under which the authorization server knows this service. */
  readonly clientId: string
  /** How this service proves that. An authorization server that answers anybody tells anybody what tokens mean. */
  readonly authentication: ClientAuthenticationOptions
  /**
   * Whether answers have to be signed (RFC 9701). They are then verified with the issuer's own keys and algorithms: what
   * ends TLS between this service and its issuer can no longer say who calls. Default: false.
   */
  readonly signedResponse?: boolean
  /** Seconds for which an answer is relied on, from 0 to 300. Default: 30. */
  readonly cacheSeconds?: number
  /**
   * Clients whose tokens are meant for this service although the issuer names no audience for them. Without `aud` and
   * without this, a token could have been issued for anybody, and is refused as `audience_mismatch`. Default: none.
   */
  readonly clients?: readonly string[]
  /** Tokens asked about at a time, from 1 to 1000. Default: 32. */
  readonly maxConcurrent?: number
}

/** What introspection takes from the issuer that it belongs to. */
export interface IntrospectionContext {
  readonly issuer: string
  /** Where the issuer's metadata is, if not at the well-known places. */
  readonly metadataUrl?: URL | undefined
  readonly keys: Pick<KeySource, 'find'>
  readonly algorithms: ReadonlySet<string>
  readonly audiences: ReadonlySet<string>
  readonly ca: string | undefined
  readonly clockToleranceSeconds: number
  /** Whether a URL may be used: https, or what configuration names. */
  readonly mayUse: (url: URL) => boolean
  readonly clock: Clock
  readonly fetch: FetchDocument
  readonly newId: () => string
}

/** Parses `introspection` of an issuer, if it has any. */
export function parseIntrospector(
  options: IssuerOptions,
  verification: Verification,
  algorithms: ReadonlySet<string>,
  option: string,
  context: IssuerContext & Pick<IntrospectionContext, 'audiences'>,
): Introspector | undefined {
  const { issuer, introspection, ca } = options
  if (introspection === undefined) return undefined
  const introspector = parseIntrospection(introspection, `${option}.introspection`, {
    ...context,
    issuer,
    ca: readCa(ca, `${option}.ca`),
    metadataUrl: parseDiscoveryUrl(options, option, context),
    keys: verification.kind === 'keys' ? verification.keys : noKeys,
    algorithms,
    mayUse: (url) => mayUseUrl(url, context),
  })
  if (introspection.signedResponse !== true || verification.kind === 'keys') return introspector
  throw new ConfigurationError(
    `${option}.introspection.signedResponse`,
    'answers are signed with keys of the issuer, and this one has a `secret`',
  )
}

const noKeys: Pick<KeySource, 'find'> = { find: () => new Refusal('key_unknown') }

/** Parses `introspection` of an issuer. Throws a ConfigurationError that says what to write instead. */
export function parseIntrospection(
  options: IntrospectionOptions,
  option: string,
  context: IntrospectionContext,
): Introspector {
  requireKnownKeys(options, option, [
    'endpoint',
    'clientId',
    'authentication',
    'signedResponse',
    'cacheSeconds',
    'clients',
    'maxConcurrent',
  ])
  const { issuer, ca, keys, algorithms, audiences, clockToleranceSeconds, mayUse, clock, fetch } = context
  const { clientId, authentication, signedResponse = false, cacheSeconds = 30, clients = [] } = options
  if (typeof clientId !== 'string' || !/^[\x20-\x7e]+$/.test(clientId)) {
    throw new ConfigurationError(
      `${option}.clientId`,
      `expected the name that the authorization server has for this service, got ${describeValue(clientId)}`,
    )
  }
  if (typeof signedResponse !== 'boolean') {
    throw new ConfigurationError(
      `${option}.signedResponse`,
      `write true or false, got ${describeValue(signedResponse)}`,
    )
  }
  return new Introspector({
    issuer,
    endpoint: parseEndpoint(options.endpoint, `${option}.endpoint`, context),
    mayUse,
    ca,
    authentication: parseClientAuthentication(authentication, `${option}.authentication`, {
      ...context,
      clientId,
    }),
    signature: signedResponse ? { keys, algorithms } : undefined,
    clockToleranceSeconds,
    audiences,
    clients: new Set(requireStrings(clients, `${option}.clients`)),
    cacheMs: requireNumber(cacheSeconds, `${option}.cacheSeconds`, 0, 300) * 1000,
    maxConcurrent: requireWhole(options.maxConcurrent ?? 32, `${option}.maxConcurrent`, 1, 1000),
    clock,
    fetch,
  })
}

function parseEndpoint(
  endpoint: unknown,
  option: string,
  { mayUse, metadataUrl }: IntrospectionContext,
): IntrospectorOptions['endpoint'] {
  return endpoint === undefined ? { metadataUrl } : requireSafeUrl(endpoint, option, mayUse)
}
