import type { ParsedCertificate } from './parsed-certificate.ts'

type ByName = ReadonlyMap<string, readonly ParsedCertificate[]>

interface Pool {
  readonly intermediates: ByName
  readonly anchors: ByName
}

/**
 * The intermediates above a leaf that signatures lead from up to an anchor. `isIssuedBy` is asked from the anchors down, so of what
 * a stranger has made up no key is ever used: slow ones in a pool would cost a hundred milliseconds for each connection.
 */
export function rootedAuthorities(
  leaf: ParsedCertificate,
  { intermediates, anchors }: Pool,
  isIssuedBy: (subject: ParsedCertificate, issuer: ParsedCertificate, isAnchor: boolean) => boolean,
): ReadonlySet<ParsedCertificate> {
  const below = Map.groupBy(namedAbove(leaf, intermediates), ({ issuer }) => issuer.comparable)
  const rooted = new Set<ParsedCertificate>()
  for (const [name, subjects] of below) {
    for (const subject of subjects) {
      if (byKeyId(anchors.get(name), subject).some((anchor) => isIssuedBy(subject, anchor, true))) {
        rooted.add(subject)
      }
    }
  }
  // A set is walked to its end, which lies further away with each that is added: each authority once, whatever the pool.
  for (const issuer of rooted) {
    for (const subject of below.get(issuer.subject.comparable) ?? []) {
      if (!rooted.has(subject) && isIssuedBy(subject, issuer, false)) rooted.add(subject)
    }
  }
  return rooted
}

/** What could stand above the leaf after names alone. */
function namedAbove(leaf: ParsedCertificate, intermediates: ByName): Set<ParsedCertificate> {
  const above = new Set<ParsedCertificate>()
  const queue = [leaf]
  const seen = new Set<string>()
  for (const { issuer } of queue) {
    if (seen.has(issuer.comparable)) continue
    seen.add(issuer.comparable)
    for (const one of intermediates.get(issuer.comparable) ?? []) {
      above.add(one)
      queue.push(one)
    }
  }
  return above
}

/** Key identifiers are written by whoever signs, so they only say where to look first. */
export function byKeyId(
  issuers: readonly ParsedCertificate[] | undefined,
  { authorityKeyId }: ParsedCertificate,
): readonly ParsedCertificate[] {
  if (issuers === undefined || issuers.length < 2 || authorityKeyId === undefined) return issuers ?? []
  const isNamed = ({ subjectKeyId }: ParsedCertificate): boolean => subjectKeyId === authorityKeyId
  return [...issuers.filter(isNamed), ...issuers.filter((issuer) => !isNamed(issuer))]
}
