import {
  type Metadata,
  ServerInterceptingCall,
  status as Status,
  type ServerInterceptingCallInterface,
} from '@grpc/grpc-js'
import type { CallStatus } from './status.ts'

type Listener = Parameters<ServerInterceptingCall['start']>[0]

/**
 * A call that is kept from its handler until it is passed on, and from its client once it has ended. INVARIANT: nothing passes in
 * either direction but while it is `passed`, save an error that ends the call.
 */
export abstract class HeldCall extends ServerInterceptingCall {
  /** Towards the wire. */
  protected readonly beneath: ServerInterceptingCallInterface
  #listener: Listener | undefined
  #stage: 'held' | 'passed' | 'over' = 'held'
  #isReadAsked = false
  /** What an interceptor before this one has read while the call is held. Nobody else reads then. */
  #waiting: (() => void)[] = []
  #isHandlerTold = false

  constructor(call: ServerInterceptingCallInterface) {
    super(call)
    this.beneath = call
  }

  /** The call has come. Whoever implements this passes it on or ends it, now or later. */
  protected abstract arrive(metadata: Metadata): void

  /** Another interceptor starts an answer while the call is held. True lets it. */
  protected abstract mayAnswerEarly(): boolean

  /** The call is over, however it has ended. */
  protected abstract ended(): void

  override start(listener: Listener): void {
    this.#listener = listener
    super.start({
      onReceiveMetadata: (metadata) => this.arrive(metadata),
      onReceiveMessage: (message) => this.#deliver(() => listener.onReceiveMessage(message)),
      onReceiveHalfClose: () => this.#deliver(() => listener.onReceiveHalfClose()),
      onCancel: () => {
        this.#finish()
        this.tellHandler()
      },
    })
  }

  // While the call is held, nothing is read for whoever is behind it.
  override startRead(): void {
    if (this.#stage === 'passed') super.startRead()
    else this.#isReadAsked = true
  }

  override sendMetadata(metadata: Metadata): void {
    if (this.#mayAnswer()) super.sendMetadata(metadata)
  }

  override sendMessage(message: unknown, callback: () => void): void {
    if (this.#mayAnswer()) super.sendMessage(message, callback)
  }

  override sendStatus(status: CallStatus): void {
    if (status.code === Status.OK ? this.#mayAnswer() : this.#stage !== 'over') this.endWith(status)
  }

  protected get isHeld(): boolean {
    return this.#stage === 'held'
  }

  protected pass(metadata: Metadata): void {
    this.#stage = 'passed'
    this.#listener?.onReceiveMetadata(metadata)
    // What a handler finds by reading at once comes behind what waits.
    for (let next = this.#waiting[0]; next !== undefined; next = this.#waiting[0]) {
      next()
      this.#waiting.shift()
    }
    if (this.#isReadAsked) this.startRead()
  }

  protected endWith(status: CallStatus): void {
    this.#finish()
    super.sendStatus(status)
  }

  /** Tells the handler, once, that the call is over. */
  protected tellHandler(): void {
    if (this.#isHandlerTold) return
    this.#isHandlerTold = true
    this.#listener?.onCancel()
  }

  #deliver(deliver: () => void): void {
    if (this.isHeld || this.#waiting.length > 0) this.#waiting.push(deliver)
    else if (this.#stage === 'passed') deliver()
  }

  #finish(): void {
    this.#stage = 'over'
    this.#waiting = []
    this.ended()
  }

  #mayAnswer(): boolean {
    return this.isHeld ? this.mayAnswerEarly() : this.#stage === 'passed'
  }
}
