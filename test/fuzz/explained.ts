// Why something is refused that jose accepts: each way in which the library is stricter on purpose, and how to tell that a
// mutant is one of it. Whatever is refused for no reason that stands here is a finding.
import type { Members, Original } from './original.ts'

/** What can be read in a mutant by a reader that forgives as much as jose does. */
export interface Reading {
  readonly text: string
  readonly kind: Original['kind']
  readonly headerText: string
  readonly payloadText: string
  readonly header: Members
  readonly claims: Members
}

export interface Explanation {
  readonly codes: readonly string[]
  readonly because: string
  isSo(reading: Reading): boolean
}

const malformed = ['token_malformed', 'dpop_proof_malformed']

export const explanations: readonly Explanation[] = [
  {
    codes: malformed,
    because: 'a token has one spelling: no padding, no white space, no bits left over (RFC 7515 §2)',
    isSo: ({ text }) =>
      text.split('.').some((segment) => Buffer.from(segment, 'base64url').toString('base64url') !== segment),
  },
  {
    // Whose a token is, is asked of the first `iss` or `sub` before the whole is read.
    codes: [...malformed, 'issuer_unknown', 'claim_malformed', 'claim_missing'],
    because:
      'a member named twice is read by one as the first and by another as the last (RFC 7515 §4, RFC 7519 §4)',
    isSo: ({ headerText, payloadText }) => [headerText, payloadText].some(namesTwice),
  },
  {
    codes: malformed,
    because: 'JSON in a token starts with no byte order mark (RFC 8259 §8.1)',
    isSo: ({ headerText, payloadText }) =>
      [headerText, payloadText].some((json) => json.startsWith('\ufeff')),
  },
  {
    codes: malformed,
    because: '`kid` is a string (RFC 7515 §4.1.4), also where there is one key and nobody needs it',
    isSo: ({ header }) => Object.hasOwn(header, 'kid') && typeof header['kid'] !== 'string',
  },
  {
    codes: ['token_critical_header', 'dpop_proof_malformed'],
    because:
      'no extension is known, so neither `crit` nor `b64` is right in any form (RFC 7515 §4.1.11, RFC 7797)',
    isSo: ({ header }) => Object.hasOwn(header, 'crit') || Object.hasOwn(header, 'b64'),
  },
  {
    codes: ['signature_invalid', 'dpop_proof_signature_invalid'],
    because:
      'a signature by RSA is as long as the modulus (RFC 8017 §8.1.2), also where OpenSSL takes it without its leading zeros',
    isSo: ({ text, header }) =>
      /^[PR]S/.test(String(header['alg'])) &&
      Buffer.from(text.slice(text.lastIndexOf('.') + 1), 'base64url').length % 64 !== 0,
  },
  {
    codes: ['token_oversized'],
    because: 'what is longer than 8192 characters is not looked at',
    isSo: ({ text }) => text.length > 8192,
  },
  {
    codes: malformed,
    because: 'JSON in a token is not deeper than 64 levels',
    isSo: ({ headerText, payloadText }) => [headerText, payloadText].some((json) => levelsOf(json) > 64),
  },
  {
    codes: malformed,
    because: 'a token has no more than 512 values in it, and what anybody can sign no more than 64',
    isSo: ({ kind, headerText, payloadText }) =>
      valuesOf(headerText) > 64 || valuesOf(payloadText) > (kind === 'proof' ? 64 : 512),
  },
  {
    codes: ['claim_malformed', 'dpop_proof_malformed'],
    because: 'a time is a second that there is a date for (ECMA-262 §21.4.1.1)',
    isSo: ({ claims }) => times.some((name) => Math.abs(Number(claims[name])) > 8.64e12),
  },
  {
    codes: ['key_unknown'],
    because: 'a JWT-SVID names its key: keys are never tried in turn',
    isSo: ({ header, claims }) =>
      header['kid'] === undefined && String(claims['sub']).startsWith('spiffe://'),
  },
  {
    codes: ['dpop_proof_malformed'],
    because: '`typ` of a proof is `dpop+jwt`, as RFC 9449 §4.2 writes it',
    isSo: ({ header }) => header['typ'] !== 'dpop+jwt',
  },
  {
    codes: ['dpop_proof_malformed'],
    because: 'an id that has to be remembered is not longer than 256 characters',
    isSo: ({ claims }) => String(claims['jti']).length > 256,
  },
  {
    codes: ['dpop_proof_malformed'],
    because: 'a claim that RFC 9449 §4.2 has is what it says, also where nobody asked for it',
    isSo: ({ claims }) => ['nonce'].some((name) => Object.hasOwn(claims, name) && !isText(claims[name])),
  },
  {
    codes: ['dpop_proof_malformed'],
    because:
      'what a key says of itself is text, and it says nothing that belongs to keys of another kind (RFC 7517 §4)',
    isSo: ({ header }) => {
      const { kty, key_ops: _, ext: __, ...members } = objectOf(header['jwk'])
      const decisive = [...keyMembers, ...(kty === 'RSA' ? [] : ['oth'])]
      return decisive.some((name) => Object.hasOwn(members, name) && !isText(members[name]))
    },
  },
  {
    codes: ['dpop_proof_mismatch'],
    because: '`htu` is a URI (RFC 3986), not whatever a browser makes one of',
    isSo: ({ claims }) => !/^https:\/\/api\.example\.com[\x21-\x5B\x5D-\x7E]*$/i.test(String(claims['htu'])),
  },
]

const times = ['exp', 'iat', 'nbf', 'auth_time']
const keyMembers = ['kid', 'alg', 'use', 'crv', 'x', 'y', 'n', 'e', 'p', 'q', 'dp', 'dq', 'qi']

export function readingOf(text: string, kind: Original['kind']): Reading {
  const [headerText = '', payloadText = ''] = text
    .split('.')
    .map((segment) => Buffer.from(segment.replaceAll(/\s/g, ''), 'base64url').toString())
  return { text, kind, headerText, payloadText, header: parsed(headerText), claims: parsed(payloadText) }
}

function parsed(json: string): Members {
  try {
    return objectOf(JSON.parse(json.replace(/^\ufeff/, '')))
  } catch {
    return {}
  }
}

const objectOf = (value: unknown): Members =>
  typeof value === 'object' && value !== null && !Array.isArray(value) ? { ...value } : {}

const isText = (value: unknown): boolean => typeof value === 'string' && value !== ''

/** True if the text has more names than what a parser keeps of it. */
function namesTwice(json: string): boolean {
  const written = [...json.matchAll(/"(?:[^"\\]|\\.)*"\s*:/g)].length
  let kept = 0
  try {
    JSON.parse(json.replace(/^\ufeff/, ''), (_, value: unknown) => {
      if (typeof value === 'object' && value !== null && !Array.isArray(value)) {
        kept += Object.keys(value).length
      }
      return value
    })
  } catch {
    return false
  }
  return written > kept
}

const withoutTexts = (json: string): string => json.replaceAll(/"(?:[^"\\]|\\.)*"/g, '0')

/** Commas and brackets that open. */
const valuesOf = (json: string): number =>
  [...json.replaceAll(/"(?:[^"\\]|\\.)*"/g, '').matchAll(/[,[{]/g)].length

function levelsOf(json: string): number {
  let [level, deepest] = [0, 0]
  for (const [bracket] of withoutTexts(json).matchAll(/[[\]{}]/g)) {
    level += bracket === '[' || bracket === '{' ? 1 : -1
    deepest = Math.max(deepest, level)
  }
  return deepest
}
