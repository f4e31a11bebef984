import type { Clock } from '../../clock/clock.ts'
import type { PresentedToken } from '../../evidence/authorization.ts'
import { readProof } from '../../evidence/dpop.ts'
import { connectionOf, type InboundRequest } from '../../request/inbound-request.ts'
import { Refusal, type RefusalCode, type RefusalDetail } from '../../refusal.ts'
import type { Peer } from '../peer/peer.ts'
import type { TokenVerification } from '../token/token-verification.ts'
import type { TrustedIssuer } from '../trust/trusted-issuer.ts'
import { equalInConstantTime } from './equal-text.ts'
import type { ProofVerifier } from './proof-verifier.ts'

/** That what a token is bound to was proven for one request. */
export interface Proven {
  /** The nonce for the caller's next proof, where it should use another one (RFC 9449 §8.2). */
  readonly nextNonce: string | undefined
}

/**
 * Checks whatever a token is bound to against this request and this connection, and that it is presented as what it is: a
 * bound token never as a bearer token (RFC 9449 §7.2), a bearer token never as a bound one. Where a token is bound to
 * several keys each is proven. A proof is used up last, so that only a request that may go on consumes it.
 */
export function checkBinding(
  { claims: { confirmation }, issuer }: TokenVerification,
  { scheme, token }: PresentedToken,
  request: InboundRequest,
  peer: Pick<Peer, 'thumbprint'>,
  proofs: ProofVerifier | undefined,
  clock: Clock,
): Proven | Refusal | Promise<Proven | Refusal> {
  const jkt = confirmation?.jkt
  if (jkt === undefined && scheme === 'dpop') {
    return refused(issuer, 'token_not_bound', {
      expected: 'a token with `cnf.jkt`',
      actual: 'a token that is not bound to a key',
      advice: 'have the caller send it as `Bearer`, or ask its issuer for a DPoP-bound token',
    })
  }
  if (jkt !== undefined && scheme !== 'dpop') {
    return refused(issuer, 'bound_token_as_bearer', {
      expected: '`Authorization: DPoP <token>` and a proof',
      actual: 'a DPoP-bound token sent as Bearer',
    })
  }
  const expected = confirmation?.certificateThumbprint
  if (expected !== undefined) {
    const mismatch = checkCertificate(expected, peer.thumbprint(), issuer)
    if (mismatch !== undefined) return mismatch
  }
  if (jkt === undefined && proofs?.isRequired === true) {
    return refused(issuer, 'token_not_bound', {
      expected: 'a DPoP-bound token: `dpop.required` is set',
      actual: 'a token that is not bound by DPoP',
    })
  }
  if (jkt === undefined) {
    // A proof beside a bearer token says that its sender takes the token for bound: one of the two is not what it seems.
    const isUnexpected = proofs !== undefined && request.headers['dpop'] !== undefined
    return isUnexpected
      ? refused(issuer, 'dpop_proof_unexpected', {
          expected: 'no `DPoP` field beside a bearer token',
          actual: 'one',
        })
      : nothingNew
  }
  if (proofs === undefined) {
    return refused(issuer, 'confirmation_unsupported', {
      expected: 'a token that is not bound by DPoP',
      actual: '`cnf.jkt`',
      advice: "write `dpop: { externalUrl: 'https://…' }` with the URL that callers use for this service",
    })
  }
  const proof = readProof(request)
  if (proof instanceof Refusal) return proof
  const { method, originalUrl, url } = request
  const target = originalUrl ?? url ?? ''
  const inbound = { proof, method: method ?? '', target, connection: connectionOf(request) }
  return proofs.verify(inbound, token, jkt).then((verified) => {
    if (verified instanceof Refusal) return refused(issuer, verified.code, verified.detail)
    const nonce = proofs.freshNonce(clock.now())
    return nonce === verified.nonce ? nothingNew : { nextNonce: nonce }
  })
}

// RFC 8705 §3: the token names the very certificate; whether anybody issued that one does not matter to the binding.
function checkCertificate(
  expected: string,
  actual: string | undefined,
  issuer: TrustedIssuer,
): Refusal | undefined {
  if (actual === undefined) {
    return refused(issuer, 'certificate_binding_missing', {
      expected: 'the client certificate that the token is bound to',
      actual: 'a connection without one',
      advice: 'end TLS in this service and have it ask for client certificates: createTlsServer does',
    })
  }
  if (equalInConstantTime(actual, expected)) return undefined
  return refused(issuer, 'certificate_binding_mismatch', {
    expected: 'the client certificate that the token is bound to',
    actual: 'another one',
    advice: 'have the caller ask for a new token after its certificate was renewed',
  })
}

const refused = ({ issuer }: TrustedIssuer, code: RefusalCode, detail: RefusalDetail): Refusal =>
  new Refusal(code, { ...detail, issuer })

const nothingNew: Proven = Object.freeze({ nextNonce: undefined })
