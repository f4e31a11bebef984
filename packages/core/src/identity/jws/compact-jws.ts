import { Refusal, quoted } from '../../refusal.ts'
import { isAlgorithm, isSecretAlgorithm, type Algorithm, type SecretAlgorithm } from './algorithms.ts'
import type { KnownHeaders } from './known-headers.ts'
import { isOptionalString, parseJsonObject } from './json-object.ts'
import { decodeCanonical } from './public-key.ts'

/** A token whose outer form is right. Nothing in it is proven. */
export interface UnverifiedJws extends SignedText {
  readonly header: JwsHeader
  /** The payload's octets, decoded but not yet parsed. */
  readonly payload: Uint8Array
}

/** What a signature is of (RFC 7515 §5.2), and the signature. */
export interface SignedText {
  /** Header and payload as they came, and the dot between them: ASCII. */
  readonly signed: string
  readonly signature: Uint8Array
}

/** The protected header. `jku`, `x5u` and `x5c` never decide anything; `jwk` does in a proof alone, against `cnf`. */
export interface JwsHeader {
  /** One that Countersign knows. Whether it may be used is the issuer's to say, never the token's. */
  readonly alg: Algorithm | SecretAlgorithm
  readonly kid: string | undefined
  readonly typ: string | undefined
  /** Every member, as it came. */
  readonly all: Readonly<Record<string, unknown>>
}

/** Parses the JWS compact serialization (RFC 7515 §7.1) strictly: each token has one spelling only. `known`: headers that need not be read again. */
export function parseCompactJws(token: string, known?: KnownHeaders): UnverifiedJws | Refusal {
  const firstDot = token.indexOf('.')
  const secondDot = token.indexOf('.', firstDot + 1)
  if (firstDot === -1 || secondDot === -1 || token.includes('.', secondDot + 1)) {
    return malformed('three parts separated by dots', 'another number')
  }
  const encoded = token.slice(0, firstDot)
  const kept = known?.find(encoded)
  const header = kept === undefined ? decodeCanonical(encoded) : nothing
  const payload = secondDot === firstDot + 1 ? nothing : decodeCanonical(token.slice(firstDot + 1, secondDot))
  if (header === undefined || payload === undefined) {
    return malformed('canonical base64url', 'another encoding')
  }
  const parsed = kept ?? parseHeader(header)
  if (parsed instanceof Refusal) return parsed
  // Checked after the header, so that `alg: none` is named as what it is.
  const signature = decodeCanonical(token.slice(secondDot + 1))
  if (signature === undefined) return malformed('a signature in canonical base64url', 'none')
  return { header: parsed, payload, signed: token.slice(0, secondDot), signature }
}

/** Whether this is a signed token at all, however broken: its first part is a JSON object. */
export function isJws(token: string): boolean {
  const header = decodeCanonical(token.slice(0, Math.max(0, token.indexOf('.'))))
  return header !== undefined && parseJsonObject(header) !== undefined
}

const nothing = new Uint8Array()
// Members and elements: a header is read before anything is proven. A key or a chain of certificates has a dozen.
const maxHeaderValues = 64

function parseHeader(octets: Uint8Array): JwsHeader | Refusal {
  const header = parseJsonObject(octets, maxHeaderValues)
  if (header === undefined) return malformed('a header that is a JSON object', 'something else')
  const { alg, kid, typ } = header
  if (typeof alg !== 'string') return malformed('a header `alg` that is a string', quoted(alg))
  // `none` is not in the tables, whatever an issuer is configured to accept.
  if (!isAlgorithm(alg) && !isSecretAlgorithm(alg)) {
    return new Refusal('algorithm_not_allowed', { expected: 'a known algorithm', actual: quoted(alg) })
  }
  if (!isOptionalString(kid)) return malformed('a header `kid` that is a string', quoted(kid))
  if (!isOptionalString(typ)) return malformed('a header `typ` that is a string', quoted(typ))
  // No extension is understood, so any critical one must be refused (RFC 7515 §4.1.11); RFC 7797's `b64` among them.
  if ('crit' in header || 'b64' in header) {
    return new Refusal('token_critical_header', { expected: 'no `crit`' })
  }
  return { alg, kid, typ, all: header }
}

const malformed = (expected: string, actual: string): Refusal =>
  new Refusal('token_malformed', { expected, actual })
