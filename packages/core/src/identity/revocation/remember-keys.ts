import { hexOf } from '../certificate/der-values.ts'
import type { ParsedCertificate } from '../certificate/parsed-certificate.ts'

/**
 * Asks once for each key whether it made a signature: a list of megabytes is not hashed for every connection. Peers send the certificates
 * of their issuers anew each time, so keys are told apart by their octets; and as peers may send many, few are kept.
 */
export function rememberKeys(
  isMadeBy: (signer: ParsedCertificate) => boolean,
): (signer: ParsedCertificate) => boolean {
  const answers = new Map<string, boolean>()
  return (signer) => {
    const key = hexOf(signer.spki)
    const known = answers.get(key)
    if (known !== undefined) return known
    const answer = isMadeBy(signer)
    if (answers.size >= maxKeys) answers.clear()
    answers.set(key, answer)
    return answer
  }
}

const maxKeys = 64
