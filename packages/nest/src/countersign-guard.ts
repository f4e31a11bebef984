import type { CanActivate, ExecutionContext } from '@nestjs/common'
import type { Decision } from '@countersign/core'
import type { Application } from './application.ts'
import { decide, type Call } from './call.ts'
import type { Handler } from './framework.ts'
import { gatewayMessage } from './gateway-messages.ts'
import { grpcCall } from './grpc.ts'
import { httpCall } from './http.ts'
import { otherCall } from './other-transport.ts'
import type { Refusing } from './refusing.ts'

/** Nest asks it before each handler, once the handler is chosen and before pipes and interceptors. */
export class CountersignGuard implements CanActivate {
  readonly #application: Application
  readonly #refusing: Refusing
  /** Where Nest asks twice, by the application and by the class, the first answer holds. */
  readonly #allowed = new WeakSet<ExecutionContext>()

  constructor(application: Application, refusing: Refusing) {
    this.#application = application
    this.#refusing = refusing
  }

  /** True on an explicit allow. What is refused is answered here, or thrown where Nest alone can answer. */
  canActivate(execution: ExecutionContext): boolean | Promise<boolean> {
    if (this.#allowed.has(execution)) return true
    const { guard } = this.#application
    const call = this.#callOf(execution)
    const declared = this.#application.declared(
      execution.getType(),
      execution.getClass(),
      execution.getHandler() as Handler, // a method
    )
    const decision = decide(call, declared, guard)
    return decision instanceof Promise
      ? decision.then((settled) => this.#settle(settled, call, execution))
      : this.#settle(decision, call, execution)
  }

  #callOf(execution: ExecutionContext): Call {
    const { guard } = this.#application
    const type = execution.getType<string>()
    if (type === 'ws') return gatewayMessage(execution, guard, this.#refusing)
    const known =
      type === 'http'
        ? httpCall(execution, guard)
        : type === 'rpc'
          ? grpcCall(execution, guard, this.#refusing)
          : undefined
    return known ?? otherCall(execution, guard, this.#refusing)
  }

  #settle(decision: Decision, call: Call, execution: ExecutionContext): boolean | Promise<boolean> {
    if (decision.outcome === 'deny') return call.refuse(decision)
    call.allow(decision)
    this.#allowed.add(execution)
    return true
  }
}
