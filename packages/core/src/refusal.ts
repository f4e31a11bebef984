/** Where in the flow a request was refused. */
export type Stage = 'evidence' | 'identity' | 'policy' | 'enforcement'

/** Who has to act so that the request can succeed. */
export type Fault = 'caller' | 'operator' | 'dependency' | 'internal'

/** What the wire may say of a refusal: the coarse error of RFC 6750 §3.1, RFC 9449 §7.1 or RFC 9470 §3, or nothing. */
export type ChallengeError =
  | 'invalid_request'
  | 'invalid_token'
  | 'insufficient_scope'
  | 'invalid_dpop_proof'
  | 'use_dpop_nonce'
  | 'insufficient_user_authentication'

export interface RefusalEntry {
  readonly stage: Stage
  readonly status: 400 | 401 | 403 | 500 | 503
  /** Absent where the RFCs ask for a bare challenge or none at all. */
  readonly error?: ChallengeError
  readonly fault: Fault
  /** All that the caller is told. Coarse on purpose: many codes share one sentence. */
  readonly sentence: string
  /**
   * True where the connection cannot become good: HTTP/1 answers with `Connection: close`. HTTP/2 has no such header, so whoever
   * answers there ends the session (`request.stream.session.close()`).
   */
  readonly endsConnection?: true
}

const tokenRefused = {
  stage: 'identity',
  status: 401,
  error: 'invalid_token',
  fault: 'caller',
  sentence: 'the access token was not accepted',
} as const satisfies RefusalEntry

const proofRefused = {
  stage: 'identity',
  status: 401,
  error: 'invalid_dpop_proof',
  fault: 'caller',
  sentence: 'the DPoP proof was not accepted',
} as const satisfies RefusalEntry

const unavailable = {
  stage: 'identity',
  status: 503,
  fault: 'dependency',
  sentence: 'the credential cannot be checked now, try again later',
} as const satisfies RefusalEntry

const certificateRefused = {
  stage: 'identity',
  status: 403,
  fault: 'caller',
  sentence: 'the client certificate was not accepted',
} as const satisfies RefusalEntry

const requestMalformed = {
  stage: 'evidence',
  status: 400,
  error: 'invalid_request',
  fault: 'caller',
  sentence: 'the credential is malformed or presented more than once',
} as const satisfies RefusalEntry

// What a trusted proxy writes is its operator's to mend.
const forwardedMalformed = {
  ...requestMalformed,
  fault: 'operator',
} as const satisfies RefusalEntry

const notAllowed = {
  stage: 'policy',
  status: 403,
  fault: 'caller',
  sentence: 'the caller may not do this',
} as const satisfies RefusalEntry

const undecidable = {
  stage: 'policy',
  status: 503,
  fault: 'dependency',
  sentence: 'the request cannot be decided now, try again later',
} as const satisfies RefusalEntry

/** Every way in which a request can be refused. Codes are API: added, never renamed. */
export const refusals = {
  credential_missing: {
    stage: 'evidence',
    status: 401,
    fault: 'caller',
    sentence: 'a credential is required',
  },
  credential_duplicated: requestMalformed,
  authorization_malformed: requestMalformed,
  authorization_scheme_unsupported: {
    stage: 'evidence',
    status: 401,
    fault: 'caller',
    sentence: 'a credential of a supported kind is required',
  },
  token_oversized: requestMalformed,
  token_in_query: requestMalformed,
  dpop_proof_duplicated: requestMalformed,
  dpop_proof_unexpected: requestMalformed,
  forwarded_certificate_malformed: forwardedMalformed,
  forwarded_certificate_ambiguous: forwardedMalformed,
  forwarded_certificate_untrusted: requestMalformed,

  token_malformed: tokenRefused,
  token_critical_header: tokenRefused,
  token_type_mismatch: tokenRefused,
  algorithm_not_allowed: tokenRefused,
  issuer_unknown: tokenRefused,
  key_unknown: tokenRefused,
  key_ambiguous: tokenRefused,
  signature_invalid: tokenRefused,
  claim_missing: tokenRefused,
  claim_malformed: tokenRefused,
  token_expired: tokenRefused,
  token_not_yet_valid: tokenRefused,
  audience_mismatch: tokenRefused,
  token_lifetime_excessive: tokenRefused,
  token_inactive: tokenRefused,
  subject_not_permitted: tokenRefused,
  claim_mismatch: tokenRefused,
  actor_chain_too_deep: tokenRefused,
  confirmation_unsupported: tokenRefused,
  bound_token_as_bearer: tokenRefused,
  token_not_bound: tokenRefused,
  certificate_binding_missing: tokenRefused,
  certificate_binding_mismatch: tokenRefused,
  dpop_key_mismatch: tokenRefused,
  workload_not_assertable: tokenRefused,
  identity_mismatch: tokenRefused,

  dpop_proof_missing: proofRefused,
  dpop_proof_malformed: proofRefused,
  dpop_proof_mismatch: proofRefused,
  dpop_proof_expired: proofRefused,
  dpop_proof_signature_invalid: proofRefused,
  dpop_proof_replayed: proofRefused,
  dpop_nonce_required: {
    stage: 'identity',
    status: 401,
    error: 'use_dpop_nonce',
    fault: 'caller',
    sentence: 'the DPoP proof needs the nonce of this answer',
  },

  certificate_malformed: certificateRefused,
  certificate_expired: certificateRefused,
  certificate_not_yet_valid: certificateRefused,
  certificate_untrusted: certificateRefused,
  certificate_chain_unknown: { ...certificateRefused, endsConnection: true },
  certificate_algorithm_weak: certificateRefused,
  certificate_issuer_not_authorized: certificateRefused,
  certificate_extension_unsupported: certificateRefused,
  certificate_name_mismatch: certificateRefused,
  certificate_name_not_permitted: certificateRefused,
  certificate_not_a_leaf: certificateRefused,
  certificate_purpose_mismatch: certificateRefused,
  certificate_revoked: certificateRefused,
  certificate_rejected_by_tls: certificateRefused,
  certificate_identity_malformed: certificateRefused,
  svid_id_malformed: certificateRefused,
  svid_not_a_leaf: certificateRefused,
  trust_domain_unknown: certificateRefused,
  forwarded_certificate_unverified: certificateRefused,
  forwarded_certificate_mismatch: { ...certificateRefused, fault: 'operator' },

  scope_missing: {
    stage: 'policy',
    status: 403,
    error: 'insufficient_scope',
    fault: 'caller',
    sentence: 'the caller lacks a required scope',
  },
  authentication_insufficient: {
    stage: 'policy',
    status: 401,
    error: 'insufficient_user_authentication',
    fault: 'caller',
    sentence: 'a different or more recent authentication is required',
  },
  proof_insufficient: {
    stage: 'policy',
    status: 401,
    error: 'invalid_token',
    fault: 'caller',
    sentence: 'a credential bound to a key of the caller is required',
  },
  caller_not_allowed: notAllowed,
  decider_forbids: notAllowed,
  requirement_unmet: notAllowed,
  condition_failed: { ...notAllowed, fault: 'operator' },
  context_unavailable: undecidable,

  route_undeclared: {
    stage: 'enforcement',
    status: 403,
    fault: 'operator',
    sentence: 'this route does not say who may call it',
  },
  declaration_misplaced: {
    stage: 'enforcement',
    status: 500,
    fault: 'operator',
    sentence: 'this route is set up wrongly',
  },
  issuer_unavailable: unavailable,
  issuer_overloaded: unavailable,
  guard_overloaded: { ...unavailable, fault: 'operator' },
  introspection_unavailable: unavailable,
  introspection_malformed: unavailable,
  token_review_unavailable: unavailable,
  replay_store_unavailable: unavailable,
  bundle_unavailable: unavailable,
  revocation_unavailable: unavailable,
  policy_unavailable: undecidable,
  decider_unavailable: undecidable,
  guard_closed: {
    stage: 'enforcement',
    status: 503,
    fault: 'operator',
    sentence: 'the service is shutting down',
  },
  internal_error: {
    stage: 'enforcement',
    status: 500,
    fault: 'internal',
    sentence: 'the request could not be decided',
  },
} as const satisfies Record<string, RefusalEntry>

/** A key of the refusal table, such as `audience_mismatch`. */
export type RefusalCode = keyof typeof refusals

/** What the operator is told beside the code. Never holds a token, key, header or claim set. */
export interface RefusalDetail {
  /** What would have been accepted. */
  readonly expected?: string
  /** What came instead, quoted and cut short: it is an attacker's text. */
  readonly actual?: string
  /** What to write or change, where the usual cause is known. */
  readonly advice?: string
  /** The configured issuer that the credential names. Never an unconfigured one. */
  readonly issuer?: string
}

/** True where it is no verdict: who was needed for one could not be asked. */
export const isOutage = ({ code }: Refusal): boolean => refusals[code].status === 503

/** The same refusal, said to concern tokens of a configured issuer. */
export const refusalOf = (issuer: string, { code, detail }: Refusal): Refusal =>
  new Refusal(code, { ...detail, issuer })

/** Why a request was denied: a value, not an exception, since what a peer sends never throws. */
export class Refusal {
  readonly code: RefusalCode
  readonly detail: RefusalDetail

  constructor(code: RefusalCode, detail: RefusalDetail = nothing) {
    this.code = code
    this.detail = Object.freeze(detail)
    // Some are made once and shared by all requests that meet them.
    Object.freeze(this)
  }
}

/** Text of a peer made fit for a log line: quoted, printable, at most 80 characters. */
export function quoted(value: unknown): string {
  if (typeof value !== 'string') {
    return typeof value === 'object' ? (value === null ? 'null' : 'an object') : typeof value
  }
  if (value.length <= 80 && isPlain.test(value)) return `"${value}"`
  const cut = value.length > 80 ? `${value.slice(0, 80)}…` : value
  return JSON.stringify(cut).replaceAll(/[\u007f-\u009f\u2028\u2029\p{Cf}]/gu, '?')
}

// What JSON writes as it is.
const isPlain = /^[ !#-[\]-~]*$/

const nothing: RefusalDetail = Object.freeze({})
