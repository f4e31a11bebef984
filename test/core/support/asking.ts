// How a test asks a guard: a request as an adapter hands it in, and the answer in one word.
import {
  authenticated,
  type Decision,
  type Deny,
  type Guard,
  type InboundRequest,
  type Placement,
  type Requirement,
} from '@countersign/core'

/** A request that carries this Authorization field, if any. A new connection unless one is given. */
export function requestWith(authorization?: string, socket: object = {}): InboundRequest {
  return {
    method: 'GET',
    url: '/',
    headers: authorization === undefined ? {} : { authorization },
    rawHeaders: authorization === undefined ? [] : ['Authorization', authorization],
    socket,
  }
}

/** `allow`, or the code of the refusal. */
export const codeOf = (decision: Decision): string =>
  decision.outcome === 'allow' ? 'allow' : decision.refusal.code

/** The refusal of a request. Throws where it is allowed. */
export async function refusalOf(
  guard: Guard,
  request: InboundRequest,
  requirement: Placement = authenticated(),
): Promise<Deny> {
  const decision = await guard.decide(request, requirement)
  if (decision.outcome === 'deny') return decision
  throw new Error('expected a refusal, got an allow')
}

/** What a guard says of a token, on a connection of its own unless one is given. */
export async function codeFor(
  guard: Guard,
  token: string,
  requirement: Requirement = authenticated(),
  socket: object = {},
): Promise<string> {
  return codeOf(await guard.decide(requestWith(`Bearer ${token}`, socket), requirement))
}

/** The caller that a guard allows. Throws where it refuses. */
export async function callerFor(guard: Guard, token: string, socket: object = {}) {
  const decision = await guard.decide(requestWith(`Bearer ${token}`, socket), authenticated())
  if (decision.outcome === 'allow' && decision.caller !== undefined) return decision.caller
  throw new Error(`expected a caller, got ${codeOf(decision)}`)
}

/** Checks that something is there, and narrows its type. */
export function present<T>(value: T | undefined | null): T {
  if (value === undefined || value === null) throw new Error('expected a value')
  return value
}

/** Lets everything that is ready to run, run. */
export async function settled(): Promise<void> {
  for (let i = 0; i < 5; i += 1) {
    const { promise, resolve } = Promise.withResolvers<void>()
    setImmediate(resolve)
    await promise
  }
}

/**
 * A connection on which this certificate was presented, and those behind it, as Node shows one: for tests that are not about TLS
 * itself.
 */
export const connectionOf = (
  { der }: { readonly der: Uint8Array },
  ...chain: readonly Uint8Array[]
): object => ({
  authorized: true,
  getPeerCertificate: () => shownAs([der, ...chain]),
})

interface ShownCertificate {
  readonly raw: Buffer
  readonly issuerCertificate?: ShownCertificate
}

const shownAs = ([first, ...rest]: readonly Uint8Array[]): ShownCertificate => ({
  raw: Buffer.from(present(first)),
  ...(rest.length === 0 ? {} : { issuerCertificate: shownAs(rest) }),
})
