import type { PeerCertificate } from '../../evidence/peer-certificate.ts'
import { Refusal } from '../../refusal.ts'

/**
 * What is said of the certificate of a resumed session. It shows the leaf alone, so where the path of the full handshake was not kept
 * and cannot be completed, nobody can tell the caller from a stranger: it is refused, and so is the connection, since nothing that
 * is sent on it can change that.
 */
export function orUnknownChain<Verified>(
  { isResumed }: PeerCertificate,
  verdict: Verified | Refusal,
): Verified | Refusal {
  const isOpen = verdict instanceof Refusal && verdict.code === 'certificate_untrusted'
  return isOpen && isResumed === true ? chainUnknown : verdict
}

const chainUnknown = new Refusal('certificate_chain_unknown', {
  expected: 'a certificate whose path was found in a full handshake, or leads to a root without others',
  actual: 'a resumed TLS session, which shows the leaf alone',
  advice:
    'name the issuing certificates in `certificates.intermediates` if the caller is one of yours: sessions that this process has not seen begin, behind a balancer or in a cluster, need them',
})
