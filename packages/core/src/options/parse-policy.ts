import { ConfigurationError, describeValue } from '../configuration-error.ts'
import { FixedValue, type Live } from '../identity/trust/live.ts'
import { TrustSources } from '../identity/peer/trust-sources.ts'
import { pollMs } from '../identity/trust/refresh-times.ts'
import { policyOfGrants, type GrantOptions } from '../policy/grant-options.ts'
import type { PolicySource } from '../policy/policy.ts'
import { PolicyInForce } from '../policy/policy-in-force.ts'
import type { DocumentSource, LiveContext } from './document-source.ts'
import { requireEntries } from './option-values.ts'
import { parseLive } from './parse-live.ts'

/** A policy, followed, and what can be told of its source. */
export interface ParsedPolicy {
  readonly policy: Live<PolicyInForce> | undefined
  readonly sources: TrustSources
}

interface PolicyOptions {
  readonly grants?: GrantOptions | undefined
  readonly policy?: PolicySource | undefined
}

/** Parses `policy`, or its short form `grants`. Throws a ConfigurationError that says what to write instead. */
export function parsePolicy(
  { grants, policy }: PolicyOptions,
  context: Omit<LiveContext, 'sources' | 'isRequired'>,
): ParsedPolicy {
  const sources = new TrustSources()
  if (policy === undefined) {
    const short = grants === undefined ? undefined : policyOfGrants(requireEntries(grants, 'grants'))
    return { policy: short === undefined ? undefined : new FixedValue(new PolicyInForce(short)), sources }
  }
  if (grants !== undefined) {
    throw new ConfigurationError(
      'grants',
      'they stand in the policy document: leave `grants` out beside `policy`',
    )
  }
  const { source, parse } = requirePolicySource(policy)
  const name = typeof source === 'string' && !source.includes('\n') ? source : 'policy'
  const live = parseLive(
    source as DocumentSource, // checked by parseLive, which refuses whatever is none
    'policy',
    {
      expected: "policyDocument('./countersign.policy.yaml') of @countersign/policy",
      isText: (text) => text.includes('\n') || text.trimStart().startsWith('{'),
      parse: (octets) => new PolicyInForce(parse(octets, name)),
      intervalOf: () => pollMs,
      maxStaleMs: 24 * 3_600_000,
      maxBytes: 1024 * 1024,
      accept: 'application/yaml, application/json',
      isSigned: false,
    },
    { ...context, sources, isRequired: true },
  )
  return { policy: live, sources }
}

function requirePolicySource(policy: unknown): PolicySource {
  if (typeof policy === 'object' && policy !== null && 'source' in policy && 'parse' in policy) {
    if (typeof policy.parse === 'function') return policy as PolicySource // its document is checked when it is read
  }
  throw new ConfigurationError(
    'policy',
    `expected policyDocument('./countersign.policy.yaml') of @countersign/policy, got ${describeValue(policy)}`,
  )
}
