import { Refusal, quoted } from '../../refusal.ts'
import { claimMissing } from '../claim-refusals.ts'
import { isRecord } from '../jws/json-object.ts'

/** What an answer is held against. */
export interface AnswerExpectations {
  readonly issuer: string
  /** Clients whose tokens are accepted where the answer names no audience. */
  readonly clients: ReadonlySet<string>
}

/** An answer that says that a token is active, with every member of its type. Its time and audience are not checked. */
export interface ActiveAnswer {
  /** The members of RFC 7662 §2.2, with `iss` added. */
  readonly claims: Readonly<Record<string, unknown>>
  /** Seconds since the epoch. */
  readonly exp: number
  /** How it is known that the token is meant for this service: `aud` has to name it, or its client is one of `clients`. */
  readonly boundBy: 'audience' | 'client'
}

/** Reads the members of an introspection response (RFC 7662 §2.2). A server's mistake is told apart from a bad token. */
export function parseAnswer(
  answer: Readonly<Record<string, unknown>>,
  { issuer, clients }: AnswerExpectations,
): ActiveAnswer | Refusal {
  if (answer['active'] === false) return inactive
  if (answer['active'] !== true) return malformed('`active`: true or false', kindOf(answer['active']))
  const claims = claimsIn(answer)
  const wrong = wrongMember(claims)
  if (wrong !== undefined) return wrong
  if (claims['iss'] !== undefined && claims['iss'] !== issuer) {
    return malformed(`\`iss\` ${quoted(issuer)}`, quoted(claims['iss']))
  }
  const otherKind = wrongKind(claims)
  if (otherKind !== undefined) return otherKind
  const { exp } = claims
  // Without it, nobody knows for how long the answer holds.
  if (typeof exp !== 'number') return claimMissing('exp')
  const boundBy = bindingOf(claims, clients)
  if (boundBy instanceof Refusal) return boundBy
  return { claims: Object.freeze({ ...claims, iss: issuer }), exp, boundBy }
}

// Servers write null, or an audience of nobody, where they mean that there is none.
const claimsIn = (answer: Readonly<Record<string, unknown>>): Record<string, unknown> =>
  Object.fromEntries(
    Object.entries(answer).filter(
      ([name, value]) =>
        value !== null &&
        name !== 'active' &&
        !(name === 'aud' && Array.isArray(value) && value.length === 0),
    ),
  )

function wrongMember(claims: Readonly<Record<string, unknown>>): Refusal | undefined {
  for (const [name, { is, expected }] of members) {
    const value = claims[name]
    if (value !== undefined && !is(value)) return malformed(`\`${name}\`: ${expected}`, kindOf(value))
  }
  return undefined
}

interface Member {
  readonly is: (value: unknown) => boolean
  readonly expected: string
}

const text: Member = { is: (value) => typeof value === 'string', expected: 'a string' }
const time: Member = { is: (value) => Number.isFinite(value), expected: 'a number of seconds' }
const names: Member = {
  is: (value) => [value].flat().every((name) => typeof name === 'string' && name !== ''),
  expected: 'a string or an array of strings',
}
const object: Member = { is: isRecord, expected: 'an object' }

const members: ReadonlyMap<string, Member> = new Map([
  ['scope', text],
  ['client_id', text],
  ['username', text],
  ['token_type', text],
  ['token_use', text],
  ['exp', time],
  ['iat', time],
  ['nbf', time],
  ['sub', text],
  ['aud', names],
  ['iss', text],
  ['jti', text],
  ['cnf', object],
])

/** Servers also know refresh tokens, and call them active: those are no credential here. */
function wrongKind({
  token_type: type,
  token_use: use,
  cnf,
}: Readonly<Record<string, unknown>>): Refusal | undefined {
  const kind = typeof type === 'string' ? type.toLowerCase() : undefined
  if (kind !== undefined && kind !== 'bearer' && kind !== 'dpop') return notAnAccessToken('token_type', type)
  if (use !== undefined && use !== 'access_token') return notAnAccessToken('token_use', use)
  const isBound = isRecord(cnf) && typeof cnf['jkt'] === 'string' && cnf['jkt'] !== ''
  // RFC 9449 §6.2: without the key that it is bound to, the token would pass for a bearer token.
  return kind === 'dpop' && !isBound
    ? malformed('`cnf` with `jkt`, as `token_type` is "DPoP"', 'none')
    : undefined
}

function bindingOf(
  { aud, client_id: client, token_type: type }: Readonly<Record<string, unknown>>,
  clients: ReadonlySet<string>,
): 'audience' | 'client' | Refusal {
  if (aud !== undefined) return 'audience'
  if (typeof client !== 'string' || !clients.has(client)) {
    return new Refusal('audience_mismatch', {
      expected: '`aud`, or a `client_id` that `clients` names',
      actual: client === undefined ? 'neither' : `no \`aud\`, \`client_id\` ${quoted(client)}`,
      advice:
        'have the authorization server name the audience of its tokens in introspection responses, or list the ' +
        'clients whose tokens are meant for this service in `clients`',
    })
  }
  // What has neither an audience nor a type is what servers say of refresh tokens.
  return type === undefined ? notAnAccessToken('token_type', undefined) : 'client'
}

const notAnAccessToken = (member: 'token_type' | 'token_use', actual: unknown): Refusal =>
  new Refusal('token_type_mismatch', {
    expected: member === 'token_use' ? '`token_use` "access_token"' : '`token_type` "Bearer" or "DPoP"',
    actual: actual === undefined ? `no \`${member}\`` : quoted(actual),
    advice: 'make sure that the caller sends its access token, not its refresh token',
  })

const malformed = (expected: string, actual: string): Refusal =>
  new Refusal('introspection_malformed', { expected, actual })

// Text in the wrong place is not repeated: it may be the token itself.
const kindOf = (value: unknown): string => (typeof value === 'string' ? 'text' : quoted(value))

const inactive = new Refusal('token_inactive', {
  expected: 'a token that its issuer calls active',
  actual: 'inactive: expired, revoked, or none of its tokens',
})
