import { VerificationCache } from '../../cache/verification-cache.ts'
import { forwardedThumbprint, type ForwardedClient } from '../../evidence/forwarded/forwarded-client.ts'
import { Refusal, quoted } from '../../refusal.ts'
import { CertificateVerification } from '../certificate/certificate-trust.ts'
import { parseSpiffeId } from '../certificate/spiffe-id.ts'
import type { VouchedLeaf } from './vouched-leaf.ts'

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

  verify(client: ForwardedClient, nowMs: number): Verified | Promise<Verified> {
    const key = forwardedThumbprint(client) ?? ''
    const digest = `${key} ${client.uri ?? ''}`
    const known = this.#cache.find(key, digest, nowMs)
    if (known !== undefined) return known
    const insert = (verified: Verified): Verified => {
      if (!(verified instanceof Refusal)) this.#cache.insert(key, digest, verified)
      return verified
    }
    const { certificate } = client
    if (certificate === undefined) {
      const named = { uri: client.uri ?? '', notBefore: nowMs, notAfter: Infinity }
      return insert(this.#accept(named, nowMs))
    }
    // The ASN.1 library is loaded where a certificate has to be read, and not for names.
    return import('./vouched-leaf.ts').then(({ readVouchedLeaf }) => {
      const leaf = readVouchedLeaf(certificate.leaf, nowMs)
      return insert(leaf instanceof Refusal ? leaf : this.#accept(leaf, nowMs))
    })
  }

  #accept({ uri, notBefore, notAfter }: VouchedLeaf, nowMs: number): Verified {
    const spiffeId = parseSpiffeId(uri)
    if (spiffeId === undefined || spiffeId.path === '') {
      return new Refusal('svid_id_malformed', {
        expected: 'spiffe://<trust domain>/<path>',
        actual: quoted(uri),
      })
    }
    if (!this.#trustDomains.has(spiffeId.trustDomain)) {
      return new Refusal('trust_domain_unknown', {
        expected: [...this.#trustDomains].map(quoted).join(' or '),
        actual: quoted(spiffeId.trustDomain),
        advice:
          'name the trust domain in `certificates.forwarded.verifiedByProxy` if the proxy may vouch for it',
      })
    }
    return new CertificateVerification({
      id: spiffeId.uri,
      spiffeId,
      notBefore,
      notAfter: Math.min(notAfter, nowMs + vouchedForMs),
    })
  }
}

const vouchedForMs = 300_000
