// The hostile tokens: each is a correct access token with one thing wrong, named by its kind.
import { createHmac } from 'node:crypto'
import type { TokenDraft } from './access-token.ts'
import { base64urlJson, createSigningKey, signCompact, type SigningKey } from './signing-key.ts'

/** Every kind of broken token, for tests that go through them all. */
export const brokenTokenKinds = [
  'expired',
  'not-yet-valid',
  'wrong-audience',
  'wrong-issuer',
  'forged-signature',
  'alg-none',
  'hmac-with-public-key',
  'tampered-payload',
  'unknown-kid',
  'wrong-typ',
  'id-token',
  'no-expiry',
  'no-audience',
  'critical-header',
  'embedded-jwk',
  'truncated',
] as const

/** What is wrong with a token, in one word. The README's table says it in a sentence. */
export type BrokenTokenKind = (typeof brokenTokenKinds)[number]

/** Makes the token of this kind from a correct draft. `now` is in seconds since 1970. */
export async function breakToken(
  kind: BrokenTokenKind,
  draft: TokenDraft,
  key: SigningKey,
  now: number,
): Promise<string> {
  return recipes[kind]({ ...draft, key, now })
}

type Recipe = (token: TokenDraft & { readonly key: SigningKey; readonly now: number }) => Promise<string>

const recipes: Record<BrokenTokenKind, Recipe> = {
  /** Was valid until five minutes ago. */
  expired: ({ header, claims, key, now }) =>
    signCompact(header, { ...claims, iat: now - 600, exp: now - 300 }, key.sign),

  /** Will be valid in five minutes: `nbf` lies ahead. */
  'not-yet-valid': ({ header, claims, key, now }) =>
    signCompact(header, { ...claims, nbf: now + 300, exp: now + 600 }, key.sign),

  /** Meant for another service. */
  'wrong-audience': ({ header, claims, key }) =>
    signCompact(header, { ...claims, aud: 'another-service' }, key.sign),

  /** Signed by the issuer's key, but names another issuer. */
  'wrong-issuer': ({ header, claims, key }) =>
    signCompact(header, { ...claims, iss: 'https://another-issuer.test' }, key.sign),

  /** Signed by a stranger's key of the same type, under the issuer's `kid`. */
  'forged-signature': async ({ header, claims, key }) =>
    signCompact(header, claims, (await createSigningKey(key.alg)).sign),

  /** Says `alg: none` and has no signature. (RFC 8725 §3.2) */
  'alg-none': ({ header, claims }) =>
    signCompact({ ...header, alg: 'none' }, claims, async () => Buffer.of()),

  /** `HS256` with the published public key (SPKI PEM) as the secret. (RFC 8725 §2.1) */
  'hmac-with-public-key': ({ header, claims, key }) =>
    signCompact({ ...header, alg: 'HS256' }, claims, async (input) =>
      createHmac('sha256', key.publicPem).update(input).digest(),
    ),

  /** A scope was added after signing. */
  'tampered-payload': async ({ header, claims, key }) => {
    const [protectedHeader, , signature] = (await signCompact(header, claims, key.sign)).split('.')
    const scope = [claims['scope'], 'admin:everything'].filter(Boolean).join(' ')
    return `${protectedHeader}.${base64urlJson({ ...claims, scope })}.${signature}`
  },

  /** Signed by the issuer's key under a `kid` that it does not publish. */
  'unknown-kid': ({ header, claims, key }) => signCompact({ ...header, kid: 'unknown' }, claims, key.sign),

  /** An access token that calls itself a plain `JWT`. (RFC 9068 §4) */
  'wrong-typ': ({ header, claims, key }) => signCompact({ ...header, typ: 'JWT' }, claims, key.sign),

  /** An OpenID Connect ID token whose client is the service itself, so that even `aud` fits. */
  'id-token': ({ header, claims, key, now }) =>
    signCompact(
      { ...header, typ: 'JWT' },
      {
        ...claims,
        client_id: undefined,
        scope: undefined,
        jti: undefined,
        azp: claims['aud'],
        nonce: 'n-0S6',
        auth_time: now,
      },
      key.sign,
    ),

  /** Has no `exp`. */
  'no-expiry': ({ header, claims, key }) => signCompact(header, { ...claims, exp: undefined }, key.sign),

  /** Has no `aud`. */
  'no-audience': ({ header, claims, key }) => signCompact(header, { ...claims, aud: undefined }, key.sign),

  /** Demands an extension that nobody understands. (RFC 7515 §4.1.11) */
  'critical-header': ({ header, claims, key }) =>
    signCompact({ ...header, crit: ['urn:test:unknown'], 'urn:test:unknown': true }, claims, key.sign),

  /** Signed by a stranger who sends the key along in the header, under the issuer's `kid`. (RFC 8725 §3.10) */
  'embedded-jwk': async ({ header, claims, key }) => {
    const stranger = await createSigningKey(key.alg)
    return signCompact({ ...header, jwk: stranger.publicJwk }, claims, stranger.sign)
  },

  /** Lost its last ten characters. */
  truncated: async ({ header, claims, key }) => (await signCompact(header, claims, key.sign)).slice(0, -10),
}
