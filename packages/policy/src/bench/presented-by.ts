import type { Policy, PolicyCaller, Rehearsal } from '@countersign/core/adapter'
import type { PolicyTestCaller } from './parse-policy-tests.ts'

type Presented = Pick<Rehearsal, 'service' | 'user' | 'scopes' | 'hasToken' | 'hasCertificate' | 'claims'>

/** What the caller of a test case presents, by the names that the policy gives it. INVARIANT: its names are the policy's. */
export function presentedBy(caller: PolicyTestCaller | undefined, policy: Policy): Presented {
  if (caller === undefined) return nobody
  const entry = policy.callers.find(({ name }) => name === caller.name)
  const user = policy.callers.find(({ name }) => name === caller.user)
  const ids = entry === undefined ? [] : idsOf(entry)
  const token = ids.find((id) => !isOfCertificate(id))
  const certificate = ids.find(isOfCertificate)
  const via = caller.via ?? (certificate === undefined ? 'token' : 'certificate')
  const own = via === 'certificate' ? (certificate ?? token) : (token ?? certificate)
  const isPerson = user === undefined && own?.includes('#sub=') === true && certificate === undefined
  return {
    service: isPerson ? undefined : own,
    user: isPerson ? own : user && idsOf(user)[0],
    scopes: caller.scopes,
    // Who calls for a user has the user's token.
    hasToken: via !== 'certificate' || user !== undefined,
    hasCertificate: via !== 'token',
    claims: caller.claims,
  }
}

const nobody: Presented = {
  service: undefined,
  user: undefined,
  scopes: undefined,
  hasToken: false,
  hasCertificate: false,
  claims: {},
}

/** The ids of an entry; of a pattern, one that it matches. */
const idsOf = ({ is }: PolicyCaller): readonly string[] =>
  is.map(({ text }) => text.replaceAll('*', 'example'))

const isOfCertificate = (id: string): boolean => id.startsWith('spiffe://') || id.startsWith('x509:')
