// Who turns up at a service that is being moved: each row of a table in `docs/migrate` names one of these.
import type { BrokenTokenKind, TestIssuer, TokenOptions } from '@countersign/testing'

export interface Sent {
  /** `GET`, if not said. */
  readonly method?: string
  /** `/orders/1`, which needs the scope `orders:read`, if not said. */
  readonly path?: string
  readonly headers?: Readonly<Record<string, string | readonly string[]>>
}

export interface Issuers {
  /** The issuer that the service trusts. */
  readonly trusted: TestIssuer
  /** Another one, up and with real keys. */
  readonly stranger: TestIssuer
}

type Call = (issuers: Issuers) => Promise<Sent>

export const mayRead: TokenOptions = { audience: 'https://orders.internal', scopes: ['orders:read'] }

/** The good token, or what a change makes of it. */
const token =
  (change: TokenOptions = {}): Call =>
  async ({ trusted }) => ({ headers: await trusted.headersFor('checkout', { ...mayRead, ...change }) })

export const broken =
  (kind: BrokenTokenKind): Call =>
  async ({ trusted }) => ({
    headers: { authorization: `Bearer ${await trusted.broken(kind, 'checkout', mayRead)}` },
  })

const header =
  (authorization: string): Call =>
  () =>
    Promise.resolve({ headers: { authorization } })

/** The same at `/prices`, where nobody has to be known. */
const optional =
  (call: Call): Call =>
  async (issuers) => ({ ...(await call(issuers)), path: '/prices' })

export const goodToken = token()

const nothing: Call = () => Promise.resolve({})

export const callers: Readonly<Record<string, Call>> = {
  'a good token': goodToken,
  'no token': nothing,
  'another scheme (`Basic`)': header('Basic Y2hlY2tvdXQ6c2VjcmV0'),
  '`Bearer` and nothing behind it': header('Bearer '),
  'two `Authorization` fields': async ({ trusted }) => {
    const { authorization } = await trusted.headersFor('checkout', mayRead)
    return { headers: { authorization: [authorization, 'Bearer another'] } }
  },
  'a good token in the query': async ({ trusted }) => ({
    path: `/orders/1?access_token=${await trusted.token('checkout', mayRead)}`,
  }),
  'a token that is not a JWT': header('Bearer opaque'),
  'a token of another issuer': async ({ stranger }) => ({
    headers: await stranger.headersFor('checkout', mayRead),
  }),
  'a forged signature': broken('forged-signature'),
  '`alg: none`': broken('alg-none'),
  'an unknown `kid`': broken('unknown-kid'),
  'an expired token': broken('expired'),
  'a token that expired 20 seconds ago': token({ expiresIn: -20 }),
  'a token before its `nbf`': broken('not-yet-valid'),
  'no `exp`': broken('no-expiry'),
  'another audience': broken('wrong-audience'),
  'no `aud`': broken('no-audience'),
  'no `client_id`': token({ claims: { client_id: undefined } }),
  'no `jti`': token({ claims: { jti: undefined } }),
  '`typ: JWT`': broken('wrong-typ'),
  'a logout token (`typ: logout+jwt`)': token({ header: { typ: 'logout+jwt' } }),
  'an ID token for this service': broken('id-token'),
  'a token bound to a key (`cnf`)': token({
    claims: { cnf: { jkt: '0ZcOCORZNYy-DWpqq30jZyJGHTN0d2HglBV3uiguA4I' } },
  }),
  'an unknown `crit`': broken('critical-header'),
  'a token without the scope': token({ scopes: ['orders:write'] }),
  'optional: no token': optional(nothing),
  'optional: a good token': optional(goodToken),
  'optional: another scheme': optional(header('Basic Y2hlY2tvdXQ6c2VjcmV0')),
  'optional: an expired token': optional(broken('expired')),
  'an `OPTIONS` preflight': () =>
    Promise.resolve({
      method: 'OPTIONS',
      headers: {
        origin: 'https://shop.example',
        'access-control-request-method': 'GET',
        'access-control-request-headers': 'authorization',
      },
    }),
}

/** Sent while the issuer has never been reached. */
export const unreachable = 'any token, the issuer being down'
