import { Refusal, quoted } from '../../refusal.ts'
import { claimMalformed } from '../claim-refusals.ts'
import { isRecord } from '../jws/json-object.ts'

/** The keys that a token is bound to (RFC 7800). Where it names several, each must be proven. */
export interface Confirmation {
  /** Thumbprint of the key that signs DPoP proofs (RFC 9449 §6.1). */
  readonly jkt: string | undefined
  /** SHA-256 of the client certificate (RFC 8705 §3.1). */
  readonly certificateThumbprint: string | undefined
}

/**
 * Parses `cnf`. What stands beside a member that is understood is passed over, since that one is enforced; a claim with
 * nothing in it that is understood would turn a bound token into a bearer token, and is refused (RFC 7800 §3.1).
 */
export function parseConfirmation(cnf: unknown): Confirmation | undefined | Refusal {
  if (cnf === undefined) return undefined
  if (!isRecord(cnf)) return claimMalformed('`cnf`: an object', cnf)
  const { jkt, 'x5t#S256': certificateThumbprint } = cnf
  if (jkt === undefined && certificateThumbprint === undefined) {
    return new Refusal('confirmation_unsupported', {
      expected: '`cnf` with `jkt` or `x5t#S256`',
      actual: Object.keys(cnf).slice(0, 4).map(quoted).join(', ') || 'nothing in it',
    })
  }
  if (!isOptionalThumbprint(jkt)) return claimMalformed('`cnf.jkt`: a SHA-256 thumbprint', jkt)
  if (!isOptionalThumbprint(certificateThumbprint)) {
    return claimMalformed('`cnf["x5t#S256"]`: a SHA-256 thumbprint', certificateThumbprint)
  }
  return Object.freeze({ jkt, certificateThumbprint })
}

// 32 octets in base64url: of the 43rd character, two bits are always zero.
const isOptionalThumbprint = (value: unknown): value is string | undefined =>
  value === undefined || (typeof value === 'string' && /^[A-Za-z0-9_-]{42}[AEIMQUYcgkosw048]$/.test(value))
