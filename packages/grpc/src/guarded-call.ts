import { refusals, type Allow, type Decision, type Deny, type RefusalEntry } from '@countersign/core'
import { Refusal, attachContext, contextOf, type RequestContext } from '@countersign/core/adapter'
import {
  Metadata,
  ServerInterceptingCall,
  status as Status,
  type ServerInterceptingCallInterface,
  type ServerMethodDefinition,
} from '@grpc/grpc-js'
import { streamOf } from './framework.ts'
import { inboundCall, removeDeleted } from './inbound-request.ts'
import type { Protection } from './protection.ts'
import { setUpWrongly, statusOf, withHeaders, type CallStatus } from './status.ts'

type Listener = Parameters<ServerInterceptingCall['start']>[0]
type Method = Pick<ServerMethodDefinition<unknown, unknown>, 'path' | 'requestStream' | 'responseStream'>

/**
 * A call that its handler sees only once it is allowed. INVARIANT: nothing passes in either direction but while it is `allowed`, save
 * an error that says why the call ends.
 */
export class GuardedCall extends ServerInterceptingCall {
  readonly #protection: Protection
  readonly #method: Method
  /** Towards the wire. */
  readonly #call: ServerInterceptingCallInterface
  #listener: Listener | undefined
  #context: RequestContext | undefined
  #stage: 'undecided' | 'allowed' | 'over' = 'undecided'
  #isReadAsked = false
  #isHandlerTold = false
  #stopWatching: (() => void) | undefined

  constructor(protection: Protection, method: Method, call: ServerInterceptingCallInterface) {
    super(call)
    this.#protection = protection
    this.#method = method
    this.#call = call
  }

  override start(listener: Listener): void {
    this.#listener = listener
    super.start({
      onReceiveMetadata: (metadata) => this.#decide(metadata),
      onReceiveMessage: (message) => {
        if (this.#stage === 'allowed') listener.onReceiveMessage(message)
      },
      onReceiveHalfClose: () => {
        if (this.#stage === 'allowed') listener.onReceiveHalfClose()
      },
      onCancel: () => {
        this.#finish()
        this.#tellHandler()
      },
    })
  }

  // The handler is not there before the decision, but another interceptor may ask: nothing is read, so nothing is kept waiting here.
  override startRead(): void {
    if (this.#stage === 'allowed') super.startRead()
    else this.#isReadAsked = true
  }

  override sendMetadata(metadata: Metadata): void {
    if (this.#mayAnswer()) super.sendMetadata(metadata)
  }

  override sendMessage(message: unknown, callback: () => void): void {
    if (this.#mayAnswer()) super.sendMessage(message, callback)
  }

  override sendStatus(status: CallStatus): void {
    if (status.code === Status.OK ? !this.#mayAnswer() : this.#stage === 'over') return
    const { headers } = (this.#context?.decision as Partial<Allow> | undefined) ?? {} // only an allow has headers
    this.#finish()
    super.sendStatus(
      headers === undefined ? status : { ...status, metadata: withHeaders(status.metadata, headers) },
    )
  }

  #decide(metadata: Metadata): void {
    const { guard } = this.#protection
    const { path } = this.#method
    const own = this.#protection.placementOf(path)
    const known = contextOf(metadata)
    if (known !== undefined) {
      if (guard.hasOpened(known) && own === undefined) this.#pass(metadata)
      else this.#fail('two `countersign(…)` stand before one method: write all methods in one')
      return
    }
    let decision: Decision | Promise<Decision>
    try {
      this.#protection.begin(path)
      const request = inboundCall(path, metadata, this.#call)
      this.#context = guard.admit(request)
      removeDeleted(metadata, request)
      attachContext(metadata, this.#context)
      decision = this.#context.decide(own, this.#route)
    } catch {
      this.#fail('a call could not be read')
      return
    }
    if (decision instanceof Promise) void decision.then((settled) => this.#settle(settled, metadata))
    else this.#settle(decision, metadata)
  }

  // Meanwhile the call may have been cancelled, or its deadline passed.
  #settle(decision: Decision, metadata: Metadata): void {
    if (this.#stage !== 'undecided') return
    if (decision.outcome === 'allow') {
      this.#pass(metadata)
      return
    }
    this.#deny(decision)
    // RFC 9113 §8.1: the answer is complete, so the rest is not asked for. A stranger would else keep the stream as long as it likes.
    streamOf(this.#call)?.close()
  }

  #pass(metadata: Metadata): void {
    this.#stage = 'allowed'
    const { requestStream, responseStream } = this.#method
    if (this.#context !== undefined && (requestStream || responseStream)) {
      this.#stopWatching = this.#protection.guard.watch(this.#context, (refused) => this.#cutOff(refused))
    }
    this.#listener?.onReceiveMetadata(metadata)
    if (this.#isReadAsked) super.startRead()
  }

  #deny(decision: Deny): void {
    this.#finish()
    super.sendStatus(statusOf(decision))
    const { endsConnection }: RefusalEntry = refusals[decision.refusal.code]
    if (endsConnection === true) streamOf(this.#call)?.session?.close()
  }

  // The handler is told at once: a client that reads no more could keep the status from being sent for as long as it likes.
  #cutOff(refused: Deny): void {
    if (this.#stage !== 'allowed') return
    this.#deny(refused)
    this.#tellHandler()
  }

  #tellHandler(): void {
    if (this.#isHandlerTold) return
    this.#isHandlerTold = true
    this.#listener?.onCancel()
  }

  #finish(): void {
    this.#stage = 'over'
    this.#stopWatching?.()
  }

  /** The latch: an answer that another interceptor starts before anything was allowed is replaced. */
  #mayAnswer(): boolean {
    if (this.#stage !== 'undecided') return this.#stage === 'allowed'
    const { guard } = this.#protection
    this.#context ??= guard.open(inboundCall(this.#method.path, new Metadata(), this.#call))
    const decision = this.#context.refuse(answeredEarly, this.#route)
    // Where the guard only observes, it was recorded.
    if (decision.outcome === 'allow') return true
    this.#deny(decision)
    return false
  }

  #fail(why: string): void {
    this.#protection.guard.reportServing(`${this.#route}: ${why}`)
    this.#finish()
    super.sendStatus(setUpWrongly)
  }

  get #route(): string {
    return `POST ${this.#method.path}`
  }
}

const answeredEarly = new Refusal('route_undeclared', {
  expected: 'an answer of the handler, or of an interceptor that waits for metadata',
  actual: 'an interceptor that answers before anything was decided',
  advice: 'have it answer in `onReceiveMetadata`, or put it before `countersign(…)`',
})
