import { isRepeated } from '../request/headers.ts'
import type { InboundRequest } from '../request/inbound-request.ts'
import { Refusal } from '../refusal.ts'
import { whyTooLong } from './length.ts'

/** A token as it was presented. Nothing in it is proven. */
export interface PresentedToken {
  /** RFC 6750 §2.1 or RFC 9449 §7.1. */
  readonly scheme: 'bearer' | 'dpop'
  readonly token: string
}

/**
 * The request's one Authorization field as it came, absent, or refused because there are several, or because a token is
 * in the query as well. Nothing in it is looked at: a value seen before on this connection needs no parsing at all.
 */
export function readAuthorization(request: InboundRequest): string | undefined | Refusal {
  if (hasTokenInQuery(request.originalUrl ?? request.url)) return inQuery
  const value = request.headers.authorization
  if (value === undefined) return undefined
  return isRepeated(request.rawHeaders, 'authorization') ? duplicated : value
}

/** The scheme in which something was presented, for the challenge of a refusal. */
export function presentedScheme(request: InboundRequest): PresentedToken['scheme'] | undefined {
  const [, scheme] = /^(bearer|dpop)(?: |$)/i.exec(request.headers.authorization ?? '') ?? []
  return scheme === undefined ? undefined : scheme.toLowerCase() === 'dpop' ? 'dpop' : 'bearer'
}

/** The token in an Authorization field, or why there is none. */
export function parseAuthorization(authorization: string): PresentedToken | Refusal {
  const end = authorization.indexOf(' ')
  const name = end === -1 ? authorization : authorization.slice(0, end)
  if (name === '') return noToken
  // The scheme is case-insensitive and may be followed by several spaces (RFC 9110 §11.4).
  const scheme = name.toLowerCase()
  if (scheme !== 'bearer' && scheme !== 'dpop') return unsupported(name)
  let start = name.length
  while (authorization.charCodeAt(start) === space) start += 1
  return presented(scheme, authorization.slice(start))
}

const space = 0x20

function presented(scheme: PresentedToken['scheme'], token: string): PresentedToken | Refusal {
  return token === '' ? noToken : (whyTooLong(token) ?? { scheme, token })
}

// RFC 6750 §2.3 tokens stand in logs, histories and referrers: one that came that way is no secret any more. What counts is
// a parameter of that name, however it is spelled; the same words in a path or in another parameter's value are no token.
function hasTokenInQuery(url = ''): boolean {
  const start = url.indexOf('?')
  if (start === -1) return false
  const query = url.slice(start)
  const mayHave = query.includes('access_token=') || encodedName.test(query)
  return mayHave && new URLSearchParams(query).getAll('access_token').some((token) => token !== '')
}

// Each `?` begins anew: were it one character more of a name, a target of nothing else would take quadratic time.
const encodedName = /[?&][^?&=]*%/

// A scheme that is not one of HTTP's own words may be a secret sent without a scheme: it is not repeated.
function unsupported(scheme: string): Refusal {
  const known = ['basic', 'digest', 'negotiate', 'token', 'signature', 'gnap'].includes(scheme.toLowerCase())
  return new Refusal('authorization_scheme_unsupported', {
    expected: 'Bearer or DPoP',
    actual: known ? scheme : 'another scheme',
  })
}

const duplicated = new Refusal('credential_duplicated', {
  expected: 'one Authorization field',
  actual: 'several',
  advice: 'find the hop that adds a second Authorization field instead of replacing the first',
})
const inQuery = new Refusal('token_in_query', {
  expected: 'a token in the Authorization field only',
  actual: '`access_token` in the query',
  advice: 'have the caller send `Authorization: Bearer <token>`, and take the token in the URL for leaked',
})
const noToken = new Refusal('authorization_malformed', { expected: 'Bearer <token>', actual: 'no token' })
