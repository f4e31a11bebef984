import type { Algorithm, SecretAlgorithm } from '../identity/jws/algorithms.ts'
import type { ProfileName } from '../identity/token/profile.ts'
import type { IntrospectionOptions } from './parse-introspection.ts'
import type { Represents } from '../identity/trust/trusted-issuer.ts'

/**
 * All about one issuer. Presets (`keycloak`, `entraId`, `auth0`, `okta`, `google`, `kubernetes`, `githubActions`,
 * `spiffe`) fill this in; what they give can be spread and changed: `{ ...keycloak(url), audience: 'orders' }`.
 */
export interface IssuerOptions {
  /** The `iss` of its tokens, character by character. Its keys are discovered from here unless said otherwise. */
  readonly issuer: string
  /**
   * Which kind of token it issues. Default `at+jwt` (RFC 9068). `oauth` for issuers that do not mark access tokens by
   * `typ`; `id-token` for platforms that hand their workloads ID tokens; `kubernetes` for projected service account
   * tokens; `jwt-svid` for a SPIFFE trust domain.
   */
  readonly profile?: ProfileName

  /** Its keys themselves (RFC 7517): a JWK Set, or the path of a JSON file, which is read again when it changes. */
  readonly jwks?: { readonly keys: readonly object[] } | string
  /** Where its keys are, if discovery must not be used. */
  readonly jwksUri?: string
  /** Where its metadata is, if this service reaches the issuer under another name. It must still name `issuer`. */
  readonly discoveryUrl?: string
  /** PEM of the authorities behind its HTTPS certificates, where those are private: text, or the path of a file. */
  readonly ca?: string
  /** Path of a file whose content is sent as bearer token when keys are fetched. Read anew each time. */
  readonly bearerFile?: string
  /** Seconds for which keys go on serving when it cannot be reached, from 60 to 604,800. Default: 86,400. */
  readonly maxStaleSeconds?: number

  /** Opaque tokens: the issuer is asked what each of them means (RFC 7662). At most one issuer of a guard can have this. */
  readonly introspection?: IntrospectionOptions
  /** The API server that is asked, once a minute at most, whether a token is still good (profile `kubernetes`). Default: none. */
  readonly tokenReview?: TokenReviewOptions

  /** Audience of this issuer's tokens, where it differs from the guard's. */
  readonly audience?: string | readonly [string, ...string[]]
  /** Signature algorithms it may use. Default: RS256, PS256, ES256, Ed25519 and its old name EdDSA. */
  readonly algorithms?: readonly [Algorithm | SecretAlgorithm, ...(Algorithm | SecretAlgorithm)[]]
  /**
   * The secret that this service shares with the issuer, instead of keys: text in UTF-8, or octets; 32 at least, and as many
   * as the hash has. Needs `algorithms: ['HS256']` (or HS384, HS512). Whoever can verify such a token can also make one.
   */
  readonly secret?: string | Uint8Array
  /** The longest lifetime, `iat` to `exp`, in seconds. Default: 86,400. */
  readonly maxLifetimeSeconds?: number

  /** Where scopes are. Default: `scope`. Claims of strings may hold several, separated by spaces; arrays one each. */
  readonly scopeClaims?:
    | readonly ClaimName[]
    | { readonly user: readonly ClaimName[]; readonly workload: readonly ClaimName[] }
  /**
   * The only scopes that callers can have by its tokens, whether those say so or `grants` do; `orders:*` stands for every
   * action on a resource. Default: all.
   */
  readonly mayGrant?: readonly string[]

  /**
   * What its tokens stand for. Default `auto`: a workload where `sub` equals `client_id`, a user otherwise. Say it
   * where the issuer lets users choose a subject that could equal a client's id. A function is given verified claims.
   */
  readonly represents?: Represents
  /** The claim that names a workload by SPIFFE ID. Needs `trustDomains`. */
  readonly workloadClaim?: string
  /** The trust domains whose workloads this issuer may name. */
  readonly trustDomains?: readonly [string, ...string[]]
  /** The only subjects accepted, exactly; or `granted`: only callers whom `grants` names. Default: all. */
  readonly subjects?: readonly [string, ...string[]] | 'granted'
  /** Claims that must have this value, or one of these. Default: none. */
  readonly requiredClaims?: readonly RequiredClaimOption[]
  /**
   * Tells access tokens from the issuer's other tokens where `typ` does not (profile `oauth`). Default: true for a token
   * with `client_id`, `scope` or `scp`, none of which ID tokens have.
   */
  readonly isAccessToken?: (claims: Readonly<Record<string, unknown>>) => boolean
}

/** Where a Kubernetes API server reviews tokens. This service needs the role `system:auth-delegator` there. */
export interface TokenReviewOptions {
  /** Such as `https://10.96.0.1:443`. */
  readonly apiServer: string
  /** PEM of the authorities behind its HTTPS certificate: text, or the path of a file. Default: the public ones. */
  readonly ca?: string
  /** Path of the file with this service's own token. Read anew each time. */
  readonly bearerFile: string
}

/** A claim by its name, or by the names on the way to it: `['realm_access', 'roles']`. */
export type ClaimName = string | readonly [string, ...string[]]

export interface RequiredClaimOption {
  readonly claim: ClaimName
  readonly value: ClaimValue | readonly [ClaimValue, ...ClaimValue[]]
}

type ClaimValue = string | number | boolean
