import { hash } from 'node:crypto'
import { ConfigurationError, describeValue } from '../configuration-error.ts'
import { subjectAttributes, type CertificateIdentity } from '../identity/certificate/verify-named.ts'
import type { NamedRoots } from '../identity/peer/trusted-roots.ts'
import type { CertificateAuthorityOptions } from './guard-options.ts'
import { requireEntries, requireKnownKeys } from './option-values.ts'
import { bundles } from './parse-bundle.ts'
import type { LiveContext } from './document-source.ts'
import { parseLive } from './parse-live.ts'

/** Parses `certificates.authorities`. Throws a ConfigurationError that says what to write instead. */
export function parseAuthorities(
  options: Readonly<Record<string, CertificateAuthorityOptions>>,
  context: LiveContext,
): readonly NamedRoots[] {
  const authorities = Object.entries(requireEntries(options, 'certificates.authorities')).map(
    ([name, authority]) => {
      const option = `certificates.authorities['${name}']`
      if (!/^[a-z0-9._-]{1,64}$/.test(name)) {
        throw new ConfigurationError(option, 'expected a name of lower-case letters, digits and `._-`')
      }
      requireKnownKeys(authority, option, ['roots', 'identity'])
      const identity = requireIdentity(authority.identity, `${option}.identity`)
      return { name, identity, roots: parseLive(authority.roots, `${option}.roots`, bundles, context) }
    },
  )
  requireDistinctRoots(authorities, context.clock.now())
  return authorities
}

function requireIdentity(identity: CertificateIdentity, option: string): CertificateIdentity {
  if (identity === 'dns') return identity
  requireKnownKeys(identity, option, ['subject'])
  if (subjectAttributes.includes(identity.subject)) return Object.freeze({ subject: identity.subject })
  throw new ConfigurationError(
    `${option}.subject`,
    `expected one of ${subjectAttributes.join(', ')}, got ${describeValue(identity.subject)}`,
  )
}

// With one root in two of them, one caller would have two names, and which one counts would be a matter of order. Of what comes
// later, the first authority counts.
function requireDistinctRoots(authorities: readonly NamedRoots[], nowMs: number): void {
  const owners = new Map<string, string>()
  for (const { name, roots } of authorities) {
    for (const { der } of roots.current(nowMs)?.roots ?? []) {
      const root = hash('sha256', der, 'base64url')
      const other = owners.get(root)
      if (other !== undefined && other !== name) {
        throw new ConfigurationError(
          `certificates.authorities['${name}'].roots`,
          `has a root that \`${other}\` has as well: one root vouches for one kind of names`,
        )
      }
      owners.set(root, name)
    }
  }
}
