import { VerificationCache } from '../../cache/verification-cache.ts'
import { forwardedThumbprint, type ForwardedClient } from '../../evidence/forwarded/forwarded-client.ts'
import { Refusal, quoted } from '../../refusal.ts'
import { CertificateVerification } from '../peer/certificate-verification.ts'
import { readWorkloadId } from '../certificate/spiffe-id.ts'
import { readVouchedLeaf, type VouchedLeaf } from './vouched-leaf.ts'

type Verified = CertificateVerification | Refusal

/**
 * Clients that a proxy has verified itself, and which are believed to be who it says: no path is validated here. For workloads of
 * the named trust domains only, and for a few minutes, since nobody here sees the end of what the proxy relied on.
 */
export class VouchedClients {
  readonly #trustDomains: ReadonlySet<string>
  readonly #cache: VerificationCache<CertificateVerification>

  constructor(trustDomains: ReadonlySet<string>, maxCacheEntries: number) {
    this.#trustDomains = trustDomains
    this.#cache = new VerificationCache(maxCacheEntries)
  }

  verify(client: ForwardedClient, nowMs: number): Verified {
    const key = `${forwardedThumbprint(client) ?? ''} ${client.uri ?? ''}`
    const known = this.#cache.find(key, nowMs)
    if (known !== undefined) return known
    const leaf = leafOf(client, nowMs)
    const verified = leaf instanceof Refusal ? leaf : this.#accept(leaf, nowMs)
    if (!(verified instanceof Refusal)) this.#cache.insert(key, verified)
    return verified
  }

  #accept({ uri, notBefore, notAfter }: VouchedLeaf, nowMs: number): Verified {
    const spiffeId = readWorkloadId(uri)
    if (spiffeId instanceof Refusal) return spiffeId
    if (!this.#trustDomains.has(spiffeId.trustDomain)) {
      return new Refusal('trust_domain_unknown', {
        expected: [...this.#trustDomains].map(quoted).join(' or '),
        actual: quoted(spiffeId.trustDomain),
        advice:
          'name the trust domain in `certificates.forwarded.verifiedByProxy` if the proxy may vouch for it',
      })
    }
    return new CertificateVerification(
      { id: spiffeId.uri, spiffeId, notBefore, notAfter: Math.min(notAfter, nowMs + vouchedForMs) },
      () => true, // nobody here sees what the proxy relied on
    )
  }
}

// A name alone says nothing of how long it holds.
const leafOf = ({ certificate, uri = '' }: ForwardedClient, nowMs: number): VouchedLeaf | Refusal =>
  certificate === undefined
    ? { uri, notBefore: nowMs, notAfter: Infinity }
    : readVouchedLeaf(certificate.leaf, nowMs)

const vouchedForMs = 300_000
