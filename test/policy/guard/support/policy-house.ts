// A guard with a policy document, a service with two credentials, and users: how tests of policies ask.
import { createGuard, type Decision, type Guard, type GuardOptions, type Placement } from '@countersign/core'
import { policyDocument } from '@countersign/policy'
import { createTestCa, createTestClock, type TestClock } from '@countersign/testing'
import { codeOf, connectionOf, requestWith } from '../../../core/support/asking.ts'
import { claimsAt, issuer } from '../../../core/support/house.ts'
import { createRawSigner } from '../../../core/support/raw-signer.ts'

const start = new Date('2030-01-01T00:00:00Z')
const ca = await createTestCa({
  trustDomain: 'prod.example',
  now: start,
  notAfter: new Date('2031-01-01T00:00:00Z'),
})
const forMonths = { notAfter: new Date('2030-06-01T00:00:00Z') }
export const checkout = await ca.svid('/ns/shop/sa/checkout', forMonths)
export const reports = await ca.svid('/ns/back/sa/reports', forMonths)
const signer = createRawSigner()
/** Whose tokens need not name a client. */
export const login = 'https://login.test'

interface Asking {
  /** Claims of a token: a service's own unless `sub` says another. */
  readonly token?: Readonly<Record<string, unknown>>
  readonly svid?: { readonly der: Uint8Array }
  /** As registered. Default: `GET /orders/:id`. */
  readonly route?: string
  /** As asked for, where that is another. */
  readonly asked?: string
  readonly params?: Readonly<Record<string, unknown>>
  /** What code says on the route. */
  readonly code?: Placement
  readonly socket?: object
}

export interface PolicyHouse {
  readonly clock: TestClock
  readonly guard: Guard
  readonly lines: readonly string[]
  decide(asking: Asking): Promise<Decision>
  /** `allow`, or the code of the refusal. */
  ask(asking: Asking): Promise<string>
  /** The scopes of the caller. */
  scopesOf(asking: Asking): Promise<readonly string[]>
}

export function openPolicyHouse(
  document: Parameters<typeof policyDocument>[0],
  options: Partial<
    Pick<GuardOptions, 'mode' | 'context' | 'deciders' | 'undeclared' | 'contextTimeoutMs'>
  > = {},
  clock: TestClock = createTestClock(start),
): PolicyHouse {
  const lines: string[] = []
  const guard = createGuard(
    {
      audience: 'orders',
      issuers: [
        { issuer, jwks: { keys: [signer.jwk] }, represents: 'auto' },
        { issuer: login, jwks: { keys: [signer.jwk] }, represents: 'user', profile: 'oauth' },
      ],
      certificates: { trustDomains: { 'prod.example': ca.bundle } },
      policy: policyDocument(document),
      log: { warn: (line) => void lines.push(line) },
      ...options,
    },
    { clock },
  )
  const decide: PolicyHouse['decide'] = async ({
    token,
    svid,
    route = 'GET /orders/:id',
    asked,
    params = {},
    code,
    socket,
  }) => {
    const authorization =
      token === undefined
        ? undefined
        : `Bearer ${signer.jws({ alg: 'ES256', typ: 'at+jwt' }, { ...claimsAt(clock), ...token })}`
    const connection = socket ?? (svid === undefined ? {} : connectionOf(svid))
    return guard
      .open(requestWith(authorization, connection))
      .decide(code, asked ?? route, false, params, route)
  }
  return {
    clock,
    guard,
    lines,
    decide,
    ask: async (asking) => codeOf(await decide(asking)),
    scopesOf: async (asking) => {
      const decision = await decide(asking)
      if (decision.outcome === 'deny') throw new Error(`refused: ${decision.refusal.code}`)
      return [...(decision.caller?.scopes ?? [])]
    },
  }
}

export { connectionOf, issuer }
