// Whom everybody trusts here, and what they show.
import { createGuard, type Environment, type Guard, type GuardOptions } from '@countersign/core'
import { createTestCa, createTestIssuer, createTestProofKey } from '@countersign/testing'
import type { Field } from './door.ts'

export const issuer = await createTestIssuer({ workloadClaim: 'spiffe_id', trustDomains: ['test.example'] })
export const ca = await createTestCa()
export const proofKey = await createTestProofKey()
export const certificates = { trustDomains: { 'test.example': ca.bundle } }
/** The URL of the service, as its callers see it. */
export const externalUrl = 'https://api.example'

/** Whom the issuer's tokens for `name` name. */
export const callerIdOf = (name: string): string => `https://issuer.test#client=${name}`

/** What a token has to be good for. */
export const wanted = { audience: 'orders', scopes: ['orders:read'] }
export const bearer = (token: string): Field => ['Authorization', `Bearer ${token}`]
export const good = async (name = 'checkout'): Promise<Field> => bearer(await issuer.token(name, wanted))

export const guardWith = (
  options: Partial<GuardOptions> = {},
  environment: Partial<Environment> = {},
): Guard =>
  createGuard(
    {
      audience: 'orders',
      issuers: [issuer],
      dpop: { externalUrl },
      log: false,
      ...options,
    },
    environment,
  )
