// A guard whose one issuer is reached over a network that the test holds in its hands.
import {
  createGuard,
  type Clock,
  type FetchDocument,
  type FetchedDocument,
  type Guard,
  type IssuerOptions,
} from '@countersign/core'
import { createTestClock, type TestClock } from '@countersign/testing'
import { codeFor, settled } from './asking.ts'
import { claimsAt, issuer } from './house.ts'
import { createRawSigner, type RawSigner } from './raw-signer.ts'

/** One request as it left the service. */
export interface SentRequest {
  readonly url: string
  readonly headers: Readonly<Record<string, string>>
  /** Milliseconds since the test began. */
  readonly at: number
}

export interface KeyNetwork {
  /** What the issuer publishes: sent as JSON, or as it is where it is text. */
  document: object | string
  /** Sent beside it. */
  headers: Readonly<Record<string, string>>
  /** Answers in place of the document. */
  answer: ((request: SentRequest) => FetchedDocument | Promise<FetchedDocument>) | undefined
  isDown: boolean
  /** How long an answer travels, by the test's clock. It is written when the request leaves. */
  latencyMs: number
  readonly requests: SentRequest[]
  /** From now on the issuer writes its answers at once, but they arrive when the result is called. */
  delay(): () => void
}

export interface KeyHouse {
  readonly clock: TestClock
  readonly network: KeyNetwork
  readonly guard: Guard
  /** A token that is signed with this key, `key-1` unless another is given, and valid for a week. */
  token(kid?: string, signer?: RawSigner, changes?: object): string
  /** What the guard says of such a token. */
  ask(kid?: string, signer?: RawSigner): Promise<string>
  /** Moves the clock and lets what that has started come to its end. */
  pass(step: number | { readonly seconds: number }): Promise<void>
  /** What the issuer's key source says of itself. */
  state(): Promise<Awaited<ReturnType<Guard['ready']>>['issuers'][number]>
}

/** `key-1` is the one key that is published at first. */
export const signer = createRawSigner()

export const published = (kid = 'key-1', { jwk }: RawSigner = signer): object => ({ ...jwk, kid })

const week = 7 * 24 * 3600

export function openKeyNetwork(
  options: Partial<IssuerOptions> = {},
  clockOf = (clock: TestClock): Clock => clock,
) {
  const clock = createTestClock()
  const start = clock.now()
  let arrival: Promise<void> | undefined
  const network: KeyNetwork = {
    document: { keys: [published()] },
    headers: {},
    answer: undefined,
    isDown: false,
    latencyMs: 0,
    requests: [],
    delay() {
      const { promise, resolve } = Promise.withResolvers<void>()
      arrival = promise
      return () => {
        arrival = undefined
        resolve()
      }
    },
  }
  const fetch: FetchDocument = async (url, { headers = {} }) => {
    const request = { url: url.href, headers, at: clock.now() - start }
    network.requests.push(request)
    const { document, isDown, answer, latencyMs } = network
    const text = typeof document === 'string' ? document : JSON.stringify(document)
    const written = { status: 200, headers: network.headers, octets: Buffer.from(text) }
    await arrival
    if (latencyMs > 0) await new Promise<void>((resolve) => clock.schedule(resolve, latencyMs))
    if (isDown) throw new Error('expected status 200, got 503')
    return answer === undefined ? written : answer(request)
  }
  const guard = createGuard(
    {
      audience: 'orders',
      issuers: [{ issuer, jwksUri: `${issuer}/k`, maxLifetimeSeconds: week, ...options }],
      log: false,
    },
    { clock: clockOf(clock), fetch },
  )
  const token: KeyHouse['token'] = (kid = 'key-1', by = signer, changes = {}) =>
    by.jws(
      { alg: 'ES256', typ: 'at+jwt', kid },
      { ...claimsAt(clock), exp: Math.floor(clock.now() / 1000) + week, ...changes },
    )
  const house: KeyHouse = {
    clock,
    network,
    guard,
    token,
    ask: (kid, by) => codeFor(guard, token(kid, by)),
    async pass(step) {
      clock.advance(step)
      await settled()
    },
    async state() {
      const [state] = (await guard.ready()).issuers
      if (state === undefined) throw new Error('expected an issuer')
      return state
    },
  }
  return house
}

/** The value of a promise that is settled, or `waiting`. */
export async function soFar<T>(promise: Promise<T>): Promise<T | 'waiting'> {
  return Promise.race([promise, settled().then(() => 'waiting' as const)])
}
