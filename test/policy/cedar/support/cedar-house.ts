// A guard with Cedar beside its policy, asked on a route: how tests of the adapter ask.
import { authenticated } from '@countersign/core'
import { cedarDecider, type CedarOptions } from '@countersign/policy/cedar'
import { checkout, openPolicyHouse } from '../../guard/support/policy-house.ts'

const document = `
version: 1
callers:
  checkout: { is: [${checkout.spiffeId}], grants: [orders:read] }
zones: { shop: [checkout] }
`

export const service = `Service::"${checkout.spiffeId}"`

/** One rule, or several, and what else Cedar is given. */
export function openCedarHouse(policies: string, options: Omit<CedarOptions, 'policies'> = {}) {
  const house = openPolicyHouse(document, { deciders: [cedarDecider({ policies, ...options })] })
  const asking = { svid: checkout, code: authenticated() }
  return {
    ...house,
    /** `allow`, or the code of the refusal; of the service checkout unless said otherwise. */
    ask: (more: Partial<Parameters<typeof house.ask>[0]> = {}) => house.ask({ ...asking, ...more }),
    /** Why, for the operator. */
    why: async (more: Partial<Parameters<typeof house.ask>[0]> = {}) => {
      const decision = await house.decide({ ...asking, ...more })
      return decision.outcome === 'allow' ? 'allow' : decision.refusal.detail.actual
    },
  }
}
