import { Refusal, quoted } from '../../refusal.ts'
import { isAlgorithm } from '../jws/algorithms.ts'
import { parseCompactJws } from '../jws/compact-jws.ts'
import { isRecord, parseJsonObject } from '../jws/json-object.ts'
import { isSignedWith } from '../jws/verify-signature.ts'
import type { FetchedDocument } from '../trust/fetch-document.ts'
import type { KeySource } from '../trust/key-source.ts'

/** What a signed introspection response is held against (RFC 9701). */
export interface SignedAnswerExpectations {
  readonly issuer: string
  /** The issuer's own keys. */
  readonly keys: Pick<KeySource, 'find'>
  /** From configuration, never from the answer. */
  readonly algorithms: ReadonlySet<string>
  /** This service, as the authorization server knows it: as a client, and as what tokens are meant for. */
  readonly clientId: string
  readonly audiences: ReadonlySet<string>
  readonly clockToleranceSeconds: number
}

/** The media type that is asked for, and that must come (RFC 9701 §4, §5). */
export const signedAnswerType = 'application/token-introspection+jwt'

/** The members of RFC 7662 in a signed introspection response, once it is known to be the issuer's, for us, and fresh. */
export async function verifySignedAnswer(
  { headers, octets }: FetchedDocument,
  expected: SignedAnswerExpectations,
  nowMs: number,
): Promise<Readonly<Record<string, unknown>> | Refusal> {
  const [mediaType = ''] = (headers['content-type'] ?? '').split(';')
  if (mediaType.trim().toLowerCase() !== signedAnswerType) {
    return malformed(
      signedAnswerType,
      quoted(mediaType),
      'register this client for signed introspection responses',
    )
  }
  const text = Buffer.from(octets).toString('latin1').trim()
  const jws = parseCompactJws(text)
  if (jws instanceof Refusal) return malformed('a compact JWS', 'something else')
  const { alg, kid, typ } = jws.header
  // The type keeps any other token of the issuer from passing for an answer (RFC 9701 §5, RFC 8725 §3.11).
  if (!types.includes(typ?.toLowerCase() ?? '')) {
    return malformed('`typ` "token-introspection+jwt"', quoted(typ))
  }
  if (!isAlgorithm(alg) || !expected.algorithms.has(alg)) {
    return malformed([...expected.algorithms].join(', '), quoted(alg))
  }
  const key = await expected.keys.find(alg, kid)
  if (key instanceof Refusal) return isUnavailable(key) ? key : malformed('a key of the issuer', quoted(kid))
  if (!(await isSignedWith(jws, key.import(alg), alg))) return malformed('a valid signature', 'another')
  const said = parseJsonObject(jws.payload)
  return said === undefined ? malformed('a JSON object', 'something else') : membersIn(said, expected, nowMs)
}

function membersIn(
  said: Readonly<Record<string, unknown>>,
  { issuer, clientId, audiences, clockToleranceSeconds: tolerance }: SignedAnswerExpectations,
  nowMs: number,
): Readonly<Record<string, unknown>> | Refusal {
  const { iss, aud, iat, token_introspection: answer } = said
  if (iss !== issuer) return malformed(`\`iss\` ${quoted(issuer)}`, quoted(iss))
  // RFC 9701 §5 wants this service there and leaves open by which name: its example, and Glewlwyd, write the resource.
  const names: readonly unknown[] = [clientId, ...audiences]
  if (![aud].flat().some((name) => names.includes(name))) {
    return malformed(`\`aud\` ${names.map(quoted).join(' or ')}`, quoted(aud))
  }
  if ('sub' in said || 'exp' in said) return malformed('neither `sub` nor `exp`', 'one of them')
  const age = typeof iat === 'number' ? nowMs / 1000 - iat : NaN
  // An old answer, said again, would bring a revoked token back. NaN is in no range.
  if (!(age <= maxAgeSeconds + tolerance && age >= -tolerance)) return malformed('a fresh `iat`', 'another')
  return isRecord(answer) ? answer : malformed('`token_introspection`: an object', quoted(answer))
}

// What is wrong with the keys of the issuer is said as it is; what is wrong with the answer is the server's mistake.
const isUnavailable = ({ code }: Refusal): boolean =>
  code === 'issuer_unavailable' || code === 'issuer_overloaded'

const malformed = (expected: string, actual: string, advice?: string): Refusal =>
  new Refusal('introspection_malformed', { expected, actual, ...(advice === undefined ? {} : { advice }) })

const types: readonly string[] = ['token-introspection+jwt', signedAnswerType]
const maxAgeSeconds = 60
