import type { Refusal } from '../../refusal.ts'
import { flaw, type Link } from '../certificate/path-flaws.ts'
import type { VerifiedPath } from '../certificate/validate-path.ts'
import type { RevocationStatus } from './revocation-status.ts'

/** What is known of the certificate at this depth of a path; undefined where nobody knows. */
export type StatusOf = (path: VerifiedPath, depth: number) => RevocationStatus | undefined

/** Whether a certificate of which nobody knows anything is refused (`hard`), or only one that is known to be revoked. */
export type RevocationMode = 'hard' | 'soft'

/** What revokes a path, or leaves open whether it is. Every certificate counts, but for the anchor, which only its operator takes back. */
export function revocationFlaw(
  path: VerifiedPath,
  statusOf: StatusOf,
  mode: RevocationMode,
): Refusal | undefined {
  let open: Link | undefined
  for (const [depth, certificate] of path.slice(0, -1).entries()) {
    const link = { certificate, depth }
    const status = statusOf(path, depth)
    if (status?.kind === 'revoked') {
      const what = `was revoked at ${new Date(status.at).toISOString()}`
      return flaw(link, 'certificate_revoked', 'a certificate that is not revoked', what)
    }
    if (status === undefined) open ??= link
  }
  if (open === undefined || mode === 'soft') return undefined
  return flaw(open, 'revocation_unavailable', 'a current answer whether it was revoked', 'has none')
}
