import { createParamDecorator, type ExecutionContext } from '@nestjs/common'
import type { Caller as VerifiedCaller, Decision } from '@countersign/core'
import { callerOf as ofCarrier, decisionOf as decisionIn, requireCaller } from '@countersign/core/adapter'
import { messageCarrierOf } from './gateway-messages.ts'
import { grpcCallIn } from './grpc.ts'

/**
 * Hands a parameter of a handler who calls, verified: `find(@Caller() caller: Caller)`. Throws `caller_unavailable` where the handler
 * has none. It is the type of the parameter, too.
 */
export const Caller: () => ParameterDecorator = createParamDecorator((_data: undefined, execution) =>
  requireCaller(carrierOf(execution) ?? {}),
)
export type Caller = VerifiedCaller

/** A request of the platform, a call of gRPC, or the execution context of a guard, interceptor or filter. */
export type CallOrContext = object

/** Who calls, or undefined where the handler may have no caller. */
export const callerOf = (call: CallOrContext): VerifiedCaller | undefined => ofCarrier(carrierIn(call))

/** What was decided, such as for `guard.explain(decision)`. Undefined where nothing was yet. */
export const decisionOf = (call: CallOrContext): Decision | undefined => decisionIn(carrierIn(call))

const carrierIn = (call: CallOrContext): object => (isExecution(call) ? (carrierOf(call) ?? {}) : call)

const isExecution = (call: object): call is ExecutionContext => 'getHandler' in call && 'getArgs' in call

function carrierOf(execution: ExecutionContext): object | undefined {
  const type = execution.getType()
  if (type === 'ws') return messageCarrierOf(execution)
  return type === 'rpc' ? grpcCallIn(execution) : execution.switchToHttp().getRequest<object | undefined>()
}
