// Issuers as their vendors document them: metadata and keys served over real HTTPS on loopback, tokens of their shapes.
import { createGuard, type Guard, type GuardOptions, type IssuerOptions } from '@countersign/core'
import { createTestClock, type TestClock } from '@countersign/testing'
import { openSite, type IssuerSite } from './issuer-site.ts'
import { createRawSigner } from './raw-signer.ts'

/** A token's two readable parts. What a header does not say is left as the vendor writes it: RS256 and the key's id. */
export interface Shape {
  readonly header?: Readonly<Record<string, unknown>>
  readonly claims: Readonly<Record<string, unknown>>
}

export interface ScriptedIssuer {
  readonly site: IssuerSite
  readonly clock: TestClock
  /** Seconds since the epoch, as the shapes want it. */
  readonly now: number
  /** Issuer options that reach the script instead of the vendor: the preset's own, and where to look. */
  reached(preset: IssuerOptions): IssuerOptions
  /** A guard of this one issuer, for the audience `orders` unless told otherwise. */
  guard(preset: IssuerOptions, options?: Partial<GuardOptions>): Guard
  /** The shape, signed with the issuer's key. `undefined` leaves a member out. */
  sign(
    shape: Shape,
    claims?: Readonly<Record<string, unknown>>,
    header?: Readonly<Record<string, unknown>>,
  ): string
}

// RSA keys take their time: every script has the same one, as all of these vendors sign with RS256.
const signer = createRawSigner('RS256')
const kid = 'i6lGk3FZzxRcUb2C3nEQ7syHJlY'
const jwk = { ...signer.jwk, kid, alg: 'RS256', use: 'sig' }

/** Opens an issuer that names itself `issuer`, and shows metadata and keys at the vendor's own paths. */
export async function openScript(issuer: string, paths = openIdPaths): Promise<ScriptedIssuer> {
  const site = await openSite((origin) => ({
    [paths.metadata]: { issuer, jwks_uri: `${origin}${paths.keys}` },
    [paths.keys]: { keys: [jwk] },
  }))
  const clock = createTestClock()
  const reached = (preset: IssuerOptions): IssuerOptions => ({
    ...preset,
    discoveryUrl: `${site.origin}${paths.metadata}`,
    ca: site.ca,
  })
  return {
    site,
    clock,
    now: clock.now() / 1000,
    reached,
    guard: (preset, options = {}) => guardOf(reached(preset), clock, options),
    sign: (shape, claims, header) => signShape(shape, claims, header),
  }
}

/** A guard of one issuer, which takes the time from the script. */
export const guardOf = (
  issuer: IssuerOptions,
  clock: TestClock,
  options: Partial<GuardOptions> = {},
): Guard => createGuard({ audience: 'orders', log: false, ...options, issuers: [issuer] }, { clock })

export const signShape: (...parts: Parameters<ScriptedIssuer['sign']>) => string = (shape, claims, header) =>
  signer.jws({ alg: 'RS256', kid, ...shape.header, ...header }, { ...shape.claims, ...claims })

/** The key set that every script publishes. */
export const publishedKeys = { keys: [jwk] }

/** The same key as a SPIFFE bundle marks it, without `alg`. */
export const bundleKey = { ...signer.jwk, kid, use: 'jwt-svid' }

const openIdPaths = { metadata: '/.well-known/openid-configuration', keys: '/keys' }
