// A service on a loopback port, as its callers see it, over whatever they call it.
import { subscribe, unsubscribe } from 'node:diagnostics_channel'
import { decisionChannel, type DecisionEvent } from '@countersign/core'
import { createTestCa, type TestCertificate } from '@countersign/testing'
import type { Socket } from 'node:net'

export type Transport = 'http' | 'https' | 'http2'

export interface Call {
  readonly method?: string
  readonly headers?: Readonly<Record<string, string | readonly string[]>>
  readonly body?: string | AsyncIterable<Uint8Array>
  /** The client certificate. */
  readonly certificate?: TestCertificate
}

/**
 * What came of a call: its handler's answer; a refusal, because the caller is not known, or known and not allowed, or because nobody can
 * tell now, or because of a mistake of the service; an error of the application; or nothing, since there is no such route.
 */
export type Outcome =
  | 'handled'
  | 'unauthenticated'
  | 'forbidden'
  | 'unavailable'
  | 'set up wrongly'
  | 'failed'
  | 'unknown'

/** What came over the wire. */
export interface Received {
  readonly outcome: Outcome
  /** A number of HTTP or of gRPC. */
  readonly status: number
  /** Of gRPC: the metadata before and behind the answer. */
  readonly headers: Readonly<Record<string, string | readonly string[] | undefined>>
  /** All that a handler has answered, or the words of a refusal. */
  readonly body: string
}

export interface Answer extends Received {
  /** Of the decisions that were recorded while the call was under way, the last one's code: null where it allowed. */
  readonly code: string | null | undefined
  readonly events: readonly DecisionEvent[]
}

export interface Calls {
  call(path: string, call?: Call): Promise<Answer>
  close(): void | Promise<void>
}

/** An open stream as its caller sees it. */
export interface OpenStream {
  readonly received: readonly string[]
  /** How it was ended by the service: by a refusal, because nobody can tell now, or otherwise. */
  readonly ended: Promise<'refused' | 'unavailable' | 'otherwise'>
  send(text: string): void
  close(): void
}

export interface Served extends Calls {
  /** Calls that share connections which are kept open: that many at most. */
  kept(connections: number): Calls
  /** Begins a call that is never completed, and hangs up: at once, or when the service has begun with it. */
  abandon(path: string, call: Call, when: 'at once' | 'begun'): Promise<void>
  /** Where the framework has such. */
  open?(path: string, call: Call): OpenStream
  /** A connection on which a test writes what it likes. */
  raw(): Promise<Socket>
  /** What a request of HTTP/1.1 has to say so that a route is for it, and the connection ends with it. */
  readonly opening: readonly string[]
  /** What is the end of an answer over a connection that its client has to end; undefined where the service does. */
  readonly ending?: Buffer
}

/** Sees which decisions are recorded while a call is under way. */
export async function recorded(calling: () => Promise<Received>): Promise<Answer> {
  const events: DecisionEvent[] = []
  const listen = (event: unknown): void => void events.push(event as DecisionEvent) // the channel's own
  subscribe(decisionChannel, listen)
  try {
    const received = await calling()
    return { ...received, events, code: events.at(-1)?.code }
  } finally {
    unsubscribe(decisionChannel, listen)
  }
}

/** Who issues the certificates of services. */
export const serverCa = await createTestCa({ name: 'CA of the services' })
export const identity = await serverCa.serverCertificate(['localhost'])
