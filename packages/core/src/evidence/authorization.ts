import { isRepeated } from '../request/headers.ts'
import type { InboundRequest } from '../request/inbound-request.ts'
import { Refusal } from '../refusal.ts'

/**
 * The request's one Authorization field as it came, absent, or refused because there are several.
 * Nothing in it is looked at: a value seen before on this connection needs no parsing at all.
 */
export function readAuthorization(request: InboundRequest): string | undefined | Refusal {
  const value = request.headers.authorization
  if (value === undefined) return undefined
  return isRepeated(request.rawHeaders, 'authorization') ? duplicated : value
}

/** The bearer token in an Authorization field (RFC 6750 §2.1), or why there is none. */
export function parseBearer(authorization: string): string | Refusal {
  if (authorization.startsWith('Bearer ')) {
    const token = authorization.slice(7)
    if (token.charCodeAt(0) !== space) return bounded(token)
  }
  // The scheme is case-insensitive and may be followed by several spaces (RFC 9110 §11.4).
  const [, scheme, token] = /^([^ ]*) *(.*)$/s.exec(authorization) ?? []
  if (scheme === undefined || scheme === '' || token === undefined) return noToken
  if (scheme.toLowerCase() !== 'bearer') return unsupported(scheme)
  return bounded(token)
}

/** Longer tokens are refused before anything is decoded. */
const maxTokenLength = 8192

function bounded(token: string): string | Refusal {
  if (token.length <= maxTokenLength) return token === '' ? noToken : token
  return new Refusal('token_oversized', {
    expected: `at most ${maxTokenLength} characters`,
    actual: `${token.length}`,
  })
}

// A scheme that is not one of HTTP's own words may be a secret sent without a scheme: it is not repeated.
function unsupported(scheme: string): Refusal {
  const known = ['basic', 'digest', 'dpop', 'negotiate', 'token', 'signature', 'gnap'].includes(
    scheme.toLowerCase(),
  )
  return new Refusal('authorization_scheme_unsupported', {
    expected: 'Bearer',
    actual: known ? scheme : 'another scheme',
  })
}

const space = 0x20
const duplicated = new Refusal('credential_duplicated', {
  expected: 'one Authorization field',
  actual: 'several',
  advice: 'find the hop that adds a second Authorization field instead of replacing the first',
})
const noToken = new Refusal('authorization_malformed', { expected: 'Bearer <token>', actual: 'no token' })
