// A guard that holds certificates against what may change while it runs.
import { subscribe, unsubscribe } from 'node:diagnostics_channel'
import {
  authenticated,
  createGuard,
  trustChannel,
  type CertificateOptions,
  type FetchDocument,
  type Guard,
  type TrustEvent,
} from '@countersign/core'
import { createTestClock, type TestClock } from '@countersign/testing'
import { codeOf } from './asking.ts'

export interface TrustHouse {
  readonly clock: TestClock
  readonly guard: Guard
  /** What the guard says of a request on this connection. */
  ask(connection: object): Promise<string>
  /** Does this, and waits until so many attempts to read a source have ended because of it. */
  after(task: () => unknown, attempts?: number): Promise<readonly TrustEvent[]>
  /** Has so many files read once, two seconds later. */
  look(files?: number): Promise<readonly TrustEvent[]>
  /** In what state the first source is, and what its problem is. */
  state(): Promise<string>
}

export function openTrustHouse(
  certificates: CertificateOptions,
  { fetch, clock = createTestClock() }: { readonly fetch?: FetchDocument; readonly clock?: TestClock } = {},
): TrustHouse {
  const guard = createGuard(
    { certificates, log: false },
    { clock, ...(fetch === undefined ? {} : { fetch }) },
  )
  const after: TrustHouse['after'] = async (task, attempts = 1) => {
    const { promise, resolve } = Promise.withResolvers<void>()
    const events: TrustEvent[] = []
    const listen = (event: unknown): void => {
      events.push(event as TrustEvent) // what the channel is documented to carry
      if (events.length === attempts) resolve()
    }
    subscribe(trustChannel, listen)
    await task()
    await promise
    unsubscribe(trustChannel, listen)
    return events
  }
  return {
    clock,
    guard,
    after,
    async ask(socket) {
      const request = { method: 'GET', url: '/', headers: {}, rawHeaders: [], socket }
      return codeOf(await guard.decide(request, authenticated()))
    },
    look: (files = 1) => after(() => clock.advance({ seconds: 2 }), files),
    async state() {
      const [first] = (await guard.ready()).certificates
      return first?.problem === undefined ? String(first?.status) : `${first.status}: ${first.problem}`
    },
  }
}
