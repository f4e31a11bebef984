// One issuer with one key, one guard that trusts it, one clock for both: where most tests start.
import { createGuard, type Guard, type GuardOptions, type IssuerOptions } from '@countersign/core'
import { createTestClock, type TestClock } from '@countersign/testing'
import { createRawSigner, type Part, type RawAlgorithm, type RawSigner } from './raw-signer.ts'

export interface House {
  readonly clock: TestClock
  readonly signer: RawSigner
  readonly guard: Guard
  /** A new guard of the same configuration, which has seen nothing yet. */
  freshGuard(): Guard
  readonly header: { readonly alg: string; readonly typ: string; readonly kid: string }
  /** Complete claims; what is given replaces a member, and `undefined` leaves it out. */
  claims(changes?: Readonly<Record<string, unknown>>): Record<string, unknown>
  /** A token of complete claims with these changes. */
  token(changes?: Readonly<Record<string, unknown>>, header?: Readonly<Record<string, unknown>>): string
  jws(header: Part, payload: Part): string
}

interface HouseOptions {
  readonly alg?: RawAlgorithm
  readonly kid?: string
  readonly issuer?: string
  readonly audience?: GuardOptions['audience']
  readonly tolerance?: number
  readonly issuerOptions?: Partial<IssuerOptions>
  /** More about the guard itself, and other issuers beside the house's own. */
  readonly guardOptions?: Partial<CommonOptions>
  readonly others?: readonly IssuerOptions[]
  readonly clock?: TestClock
}

type CommonOptions = Pick<
  GuardOptions,
  | 'certificates'
  | 'context'
  | 'contextTimeoutMs'
  | 'deciders'
  | 'dpop'
  | 'grants'
  | 'log'
  | 'mode'
  | 'realm'
  | 'resource'
  | 'undeclared'
>

export const issuer = 'https://issuer.test'

export function createHouse(options: HouseOptions = {}): House {
  const { alg = 'ES256', kid = 'key-1', clock = createTestClock() } = options
  const iss = options.issuer ?? issuer
  const signer = createRawSigner(alg)
  const freshGuard = (): Guard =>
    createGuard(
      {
        audience: options.audience ?? 'orders',
        issuers: [
          {
            issuer: iss,
            jwks: { keys: [{ ...signer.jwk, kid, alg, use: 'sig' }] },
            ...options.issuerOptions,
          },
          ...(options.others ?? []),
        ],
        clockToleranceSeconds: options.tolerance ?? 30,
        log: false,
        ...options.guardOptions,
      },
      { clock },
    )
  const header = { alg, typ: 'at+jwt', kid }
  const claims: House['claims'] = (changes = {}) => ({ ...claimsAt(clock, iss), ...changes })
  return {
    clock,
    signer,
    guard: freshGuard(),
    freshGuard,
    header,
    claims,
    token: (changes = {}, extra = {}) => signer.jws({ ...header, ...extra }, claims(changes)),
    jws: (head, payload) => signer.jws(head, payload),
  }
}

/** Complete claims of a workload's token that is valid for five minutes. */
export function claimsAt(clock: { now(): number }, iss: string = issuer): Record<string, unknown> {
  const now = Math.floor(clock.now() / 1000)
  counter += 1
  return {
    iss,
    sub: 'checkout',
    client_id: 'checkout',
    aud: 'orders',
    iat: now,
    exp: now + 300,
    jti: `token-${counter}`,
  }
}

let counter = 0
