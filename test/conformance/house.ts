// Who calls whom in the suite: one issuer, one authority, a guard that trusts both, and tokens of every kind.
import { createGuard, type Guard, type GuardOptions } from '@countersign/core'
import { policyDocument } from '@countersign/policy'
import { createTestCa, createTestIssuer, createTestProofKey } from '@countersign/testing'

/** How an issuer's tokens name the workloads that certificates name. */
export const workloads = { workloadClaim: 'spiffe_id', trustDomains: ['test.example'] } as const
export const issuer = await createTestIssuer(workloads)
export const otherIssuer = await createTestIssuer({ issuer: 'https://other.test' })
const ca = await createTestCa()
export const proofKey = await createTestProofKey()
export const checkout = await ca.svid('/checkout')
export const reports = await ca.svid('/reports')
/** Of the same name, by an authority that nobody trusts. */
export const stranger = await (await createTestCa()).svid('/checkout')
/** The URL of the service, as its callers see it. */
export const externalUrl = 'https://api.example'

/** Whom the issuer's tokens for `name` name. */
export const callerIdOf = (name: string): string => `https://issuer.test#client=${name}`

export const guardWith = (
  options: Partial<GuardOptions> = {},
  environment: Parameters<typeof createGuard>[1] = {},
): Guard =>
  createGuard(
    {
      audience: 'orders',
      issuers: [issuer],
      certificates: { trustDomains: { 'test.example': ca.bundle } },
      dpop: { externalUrl },
      log: false,
      ...options,
    },
    environment,
  )

export type Headers = Readonly<Record<string, string>>

export const bearerOf = (name: string, ...scopes: string[]): Promise<Headers> =>
  issuer.headersFor(name, { audience: 'orders', scopes })

/** A policy document that a test may replace: it says what the caller `checkout` is granted, and always the same of others. */
export function replaceablePolicy(
  granted: string,
  others: Readonly<Record<string, string>> = {},
): { readonly policy: ReturnType<typeof policyDocument>; grant(scope: string): void } {
  let replace: ((text: string) => void) | undefined
  const document = (scope: string): string =>
    Object.entries({ checkout: scope, ...others })
      .map(
        ([name, grants]) =>
          `  ${name}: { is: [{ issuer: https://issuer.test, clientId: ${name} }], grants: [${grants}] }\n`,
      )
      .reduce((text, line) => text + line, 'version: 1\ncallers:\n')
  const policy = policyDocument({
    follow: (listener) => {
      replace = (text) => listener.replace(text)
      replace(document(granted))
      return () => undefined
    },
  })
  return { policy, grant: (scope) => replace?.(document(scope)) }
}
