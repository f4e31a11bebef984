// Who calls whom in the suite: one issuer, one authority, a guard that trusts both, and tokens of every kind.
import { createGuard, type Guard, type GuardOptions } from '@countersign/core'
import { createTestCa, createTestIssuer, createTestProofKey } from '@countersign/testing'

export const issuer = await createTestIssuer({ workloadClaim: 'spiffe_id', trustDomains: ['test.example'] })
export const otherIssuer = await createTestIssuer({ issuer: 'https://other.test' })
const ca = await createTestCa()
export const proofKey = await createTestProofKey()
export const checkout = await ca.svid('/checkout')
/** The URL of the service, as its callers see it. */
export const externalUrl = 'https://api.example'

/** Whom the issuer's tokens for `name` name. */
export const callerIdOf = (name: string): string => `https://issuer.test#client=${name}`

export const guardWith = (options: Partial<GuardOptions> = {}): Guard =>
  createGuard({
    audience: 'orders',
    issuers: [issuer],
    certificates: { trustDomains: { 'test.example': ca.bundle } },
    dpop: { externalUrl },
    log: false,
    ...options,
  })

export type Headers = Readonly<Record<string, string>>

export const bearerOf = (name: string, ...scopes: string[]): Promise<Headers> =>
  issuer.headersFor(name, { audience: 'orders', scopes })
