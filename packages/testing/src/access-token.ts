// What a correct RFC 9068 access token of the test issuer says, before anything is broken.
import { createHash, randomUUID } from 'node:crypto'

/** What a token should say. Everything has a default, so `idp.token('checkout')` is a valid token. */
export interface TokenOptions {
  /** The `scope` claim. Default: none, and no `scope` claim. */
  readonly scopes?: readonly string[]
  /** The `aud` claim. Default: the issuer's `audience` option, else `orders`. */
  readonly audience?: string | readonly string[]
  /** The user on whose behalf the subject calls: becomes `sub`, and the subject stays `client_id`. Default: none. */
  readonly user?: string
  /** Binds the token to a proof key (RFC 9449 §6.1), to a client certificate (RFC 8705 §3.1), or to one of each. */
  readonly boundTo?: BoundTo | readonly BoundTo[]
  /** Seconds from `now` until the token expires. Default: 300. */
  readonly expiresIn?: number
  /** When the token is issued. Default: what the issuer's clock shows. */
  readonly now?: Date
  /** Claims to add or replace; `undefined` leaves a claim out. */
  readonly claims?: Readonly<Record<string, unknown>>
  /** Header members to add or replace; `undefined` leaves a member out. */
  readonly header?: Readonly<Record<string, unknown>>
}

/** A key by its thumbprint, or a certificate by its DER. */
export type BoundTo = { readonly thumbprint: string } | { readonly der: Uint8Array }

/** A token's two readable parts, before it is signed. */
export interface TokenDraft {
  readonly header: Readonly<Record<string, unknown>>
  readonly claims: Readonly<Record<string, unknown>>
}

/** What the issuer adds to the options of a token. */
export interface TokenDefaults {
  readonly issuer: string
  readonly audience: string
  readonly alg: string
  readonly kid: string
  /** In seconds since 1970. */
  readonly now: number
}

/** Drafts an `at+jwt` for `subject`: a workload's own token, or a user's token that the workload holds. */
export function draftAccessToken(
  subject: string,
  options: TokenOptions,
  defaults: TokenDefaults,
): TokenDraft {
  const { alg, kid, now } = defaults
  const claims = {
    iss: defaults.issuer,
    aud: options.audience ?? defaults.audience,
    // A token whose `sub` is its `client_id` speaks for the workload itself. (RFC 9068 §2.2)
    sub: options.user ?? subject,
    client_id: subject,
    iat: now,
    exp: now + (options.expiresIn ?? 300),
    jti: randomUUID(),
    scope: options.scopes?.join(' '),
    cnf:
      options.boundTo === undefined ? undefined : Object.assign({}, ...[options.boundTo].flat().map(confirm)),
  }
  return {
    header: { alg, typ: 'at+jwt', kid, ...options.header },
    claims: { ...claims, ...options.claims },
  }
}

const confirm = (to: BoundTo): Record<string, string> =>
  'der' in to
    ? { 'x5t#S256': createHash('sha256').update(to.der).digest('base64url') }
    : { jkt: to.thumbprint }
