import { Refusal, quoted } from '../../refusal.ts'
import { textNames } from './general-names.ts'
import type { ParsedCertificate } from './parsed-certificate.ts'
import { parseWorkloadId, readWorkloadId, type SpiffeId } from './spiffe-id.ts'
import type { CertificatePurpose } from './path-flaws.ts'
import { validatePath, validityOf, type PathQuestion, type VerifiedPath } from './validate-path.ts'

/** An X.509-SVID that was verified, and while it may be relied on. Milliseconds since the epoch. */
export interface VerifiedSvid {
  readonly spiffeId: SpiffeId
  readonly path: VerifiedPath
  readonly notBefore: number
  readonly notAfter: number
}

/** The roots of each trust domain, which can never vouch for another one; or why there are none now. */
export type Bundles = ReadonlyMap<string, readonly ParsedCertificate[] | Refusal>

/** Verifies an X.509-SVID (X509-SVID §5) against the bundle of the very trust domain that it names. */
export function verifySvid(
  presented: Omit<PathQuestion, 'anchors' | 'purpose'>,
  bundles: Bundles,
  purpose: CertificatePurpose,
): VerifiedSvid | Refusal {
  const { leaf } = presented
  const spiffeId = spiffeIdOf(leaf)
  if (spiffeId instanceof Refusal) return spiffeId
  const anchors = bundles.get(spiffeId.trustDomain)
  if (anchors === undefined) {
    return new Refusal('trust_domain_unknown', {
      expected: [...bundles.keys()].map(quoted).join(' or '),
      actual: quoted(spiffeId.trustDomain),
      advice:
        'add the trust domain and its bundle to `certificates.trustDomains` if it may call this service',
    })
  }
  if (anchors instanceof Refusal) return anchors
  const path = leafFlaw(leaf) ?? validatePath({ ...presented, anchors, purpose })
  if (path instanceof Refusal) return path
  return workloadAbove(path) ?? { spiffeId, path, ...validityOf(path) }
}

// X509-SVID §3.1: the SPIFFE ID of an authority has no path. One that has is a workload's, and workloads issue nothing.
function workloadAbove(path: VerifiedPath): Refusal | undefined {
  for (const { subjectAltNames } of path.slice(1, -1)) {
    const workload = textNames(subjectAltNames, 'uri').find((uri) => parseWorkloadId(uri) !== undefined)
    if (workload === undefined) continue
    return new Refusal('certificate_issuer_not_authorized', {
      expected: 'an issuer that is no workload',
      actual: quoted(workload),
    })
  }
  return undefined
}

// X509-SVID §2: exactly one URI name. The first of several would be the attacker's choice.
function spiffeIdOf(leaf: ParsedCertificate): SpiffeId | Refusal {
  const names = leaf.subjectAltNames
  const uris = textNames(names, 'uri')
  const [uri] = uris
  if (uri === undefined || uris.length !== 1) {
    return new Refusal('svid_id_malformed', {
      expected: 'exactly one URI name',
      actual: names === 'unreadable' ? 'names that cannot be read' : String(uris.length),
    })
  }
  return readWorkloadId(uri)
}

// X509-SVID §4: a leaf signs nothing but its own handshakes, and says so. Its purpose is checked with its path.
function leafFlaw({ isCa, keyUsage }: ParsedCertificate): Refusal | undefined {
  if (isCa) return new Refusal('svid_not_a_leaf', { expected: 'cA false', actual: 'cA true' })
  if (keyUsage?.certSign === true || keyUsage?.crlSign === true) {
    return new Refusal('svid_not_a_leaf', {
      expected: 'no keyCertSign and no cRLSign',
      actual: 'one of them',
    })
  }
  if (keyUsage?.digitalSignature !== true) {
    return new Refusal('certificate_purpose_mismatch', {
      expected: 'keyUsage with digitalSignature',
      actual: 'none',
    })
  }
  return undefined
}
