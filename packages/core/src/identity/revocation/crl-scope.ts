import { contextContainer, contextTag, MalformedDer, readWhole, tags } from '../certificate/der.ts'
import { hexOf, takeFlag } from '../certificate/der-values.ts'
import type { DistinguishedName } from '../certificate/distinguished-name.ts'
import type { ParsedCertificate } from '../certificate/parsed-certificate.ts'
import { distributionPointsOf, pointNamesIn } from './distribution-points.ts'
import { allReasons, reasonsOf, type RevocationReasons } from './revocation-reasons.ts'

/** Which of its issuer's certificates a list is about (issuingDistributionPoint, RFC 5280 §5.2.5). */
export interface CrlScope {
  /** Equal for lists of equal scope, of one issuer. */
  readonly comparable: string
  /** Only certificates that have a distribution point of one of these names. */
  readonly pointNames: readonly string[] | undefined
  readonly onlyUsers: boolean
  readonly onlyAuthorities: boolean
  readonly reasons: RevocationReasons
  /** Why it is a list of nothing that is asked about here. */
  readonly unusable: string | undefined
}

/** Reads the value of an issuingDistributionPoint. Throws `MalformedDer`. */
export function parseCrlScope(der: Uint8Array, issuer: DistinguishedName): CrlScope {
  return readWhole(der, tags.sequence, (reader) => {
    // RFC 5280 §5.2.5: it restricts something.
    if (reader.isAtEnd) throw new MalformedDer('a scope that says nothing')
    const point = reader.takeOptional(contextContainer(0))
    const onlyUsers = takeFlag(reader, contextTag(1))
    const onlyAuthorities = takeFlag(reader, contextTag(2))
    const reasons = reasonsOf(reader.takeOptional(contextTag(3)))
    const isIndirect = takeFlag(reader, contextTag(4))
    const isOfAttributes = takeFlag(reader, contextTag(5))
    const indirect = isIndirect ? 'an indirect list' : undefined
    return {
      comparable: hexOf(der),
      pointNames: point && pointNamesIn(point, issuer),
      onlyUsers,
      onlyAuthorities,
      reasons,
      unusable: isOfAttributes ? 'a list of attribute certificates' : indirect,
    }
  })
}

/** For which reasons a list of this scope would tell that a certificate was revoked; none where it is not about it. */
export function reasonsFor(
  { pointNames, onlyUsers, onlyAuthorities, reasons }: CrlScope,
  certificate: ParsedCertificate,
): RevocationReasons {
  const isOfKind = certificate.isCa ? !onlyUsers : !onlyAuthorities
  if (!isOfKind) return 0
  if (pointNames === undefined) return reasons
  const points = distributionPointsOf(certificate)
  return pointNames.reduce((sum, name) => sum | ((points.get(name) ?? 0) & reasons), 0)
}

/** The scope of a list that does not restrict itself. */
export const wholeScope: CrlScope = {
  comparable: '',
  pointNames: undefined,
  onlyUsers: false,
  onlyAuthorities: false,
  reasons: allReasons,
  unusable: undefined,
}
