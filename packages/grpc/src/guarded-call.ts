import type { Decision, Deny } from '@countersign/core'
import {
  Refusal,
  attachContext,
  contextOf,
  endsConnection,
  grpcRequest,
  removeDeleted,
  type GrpcRequest,
  type RequestContext,
} from '@countersign/core/adapter'
import { Metadata, type ServerInterceptingCallInterface, type ServerMethodDefinition } from '@grpc/grpc-js'
import { streamOf } from './framework.ts'
import { HeldCall } from './held-call.ts'
import type { Protection } from './protection.ts'
import { setUpWrongly, statusOf, withHeaders, type CallStatus } from './status.ts'

type Method = Pick<ServerMethodDefinition<unknown, unknown>, 'path' | 'requestStream' | 'responseStream'>

/** A call that its handler sees once it is allowed, and as long as that holds. */
export class GuardedCall extends HeldCall {
  readonly #protection: Protection
  readonly #method: Method
  #context: RequestContext | undefined
  #stopWatching: (() => void) | undefined

  constructor(protection: Protection, method: Method, call: ServerInterceptingCallInterface) {
    super(call)
    this.#protection = protection
    this.#method = method
  }

  protected override arrive(metadata: Metadata): void {
    const known = contextOf(metadata)
    if (known === undefined) this.#decide(metadata)
    else if (this.#protection.guard.hasOpened(known) && this.#own === undefined) this.pass(metadata)
    else this.#fail('two `countersign(…)` stand before one method: write all methods in one')
  }

  #decide(metadata: Metadata): void {
    const { path } = this.#method
    let decision: Decision | Promise<Decision>
    try {
      this.#protection.begin(path)
      const request = this.#request(metadata)
      this.#context = this.#protection.guard.admit(request)
      removeDeleted(metadata, request)
      attachContext(metadata, this.#context)
      decision = this.#context.decide(this.#own, this.#route)
    } catch {
      this.#fail('a call could not be read')
      return
    }
    // Known already, it is passed on in the turn in which it comes.
    if (decision instanceof Promise) void decision.then((settled) => this.#settle(settled, metadata))
    else this.#settle(decision, metadata)
  }

  #settle(decision: Decision, metadata: Metadata): void {
    // Meanwhile it may have been cancelled, or its deadline passed.
    if (!this.isHeld) return
    if (decision.outcome !== 'allow') {
      this.#deny(decision)
      return
    }
    this.#watch()
    this.pass(metadata)
  }

  #watch(): void {
    const { requestStream, responseStream } = this.#method
    if (this.#context === undefined || !(requestStream || responseStream)) return
    this.#stopWatching = this.#protection.guard.watch(this.#context, (refused) => {
      this.#deny(refused)
      // At once: a client that reads no more could keep the status from being sent for as long as it likes.
      this.tellHandler()
    })
  }

  #deny(decision: Deny): void {
    this.endWith(statusOf(decision))
    if (endsConnection(decision)) streamOf(this.beneath)?.session?.close()
  }

  protected override ended(): void {
    this.#stopWatching?.()
  }

  /** The latch: an answer that is started before anything was allowed is replaced. */
  protected override mayAnswerEarly(): boolean {
    const { guard } = this.#protection
    this.#context ??= guard.open(this.#request(new Metadata()))
    const decision = this.#context.refuse(answeredEarly, this.#route)
    // Where the guard only observes, it was recorded.
    if (decision.outcome === 'allow') return true
    this.#deny(decision)
    return false
  }

  override sendStatus(status: CallStatus): void {
    const decision = this.#context?.decision
    const headers = decision?.outcome === 'allow' ? decision.headers : undefined
    super.sendStatus(headers === undefined ? status : withHeaders(status, headers))
  }

  /** As core sees it. Its connection is what stands for the socket in its HTTP/2 session, where core reads the whole chain. */
  #request(metadata: Metadata): GrpcRequest {
    const { beneath } = this
    return grpcRequest(this.#method.path, metadata, beneath, streamOf(beneath)?.session?.socket)
  }

  #fail(why: string): void {
    this.#protection.guard.reportServing(`${this.#route}: ${why}`)
    this.endWith(setUpWrongly)
  }

  get #own() {
    return this.#protection.placementOf(this.#method.path)
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
