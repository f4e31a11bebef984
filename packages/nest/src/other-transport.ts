import type { ExecutionContext } from '@nestjs/common'
import type { Deny, InboundRequest } from '@countersign/core'
import { Refusal, type Guard } from '@countersign/core/adapter'
import type { Call } from './call.ts'
import { tellingOf, type Refusing } from './refusing.ts'

/** A call over something that carries no credential: TCP, a broker, or whatever else asks Nest's guards. */
export function otherCall(execution: ExecutionContext, guard: Guard, refusing: Refusing): Call {
  const exceptionOf = execution.getType<string>() === 'ws' ? refusing.ws : refusing.rpc
  return {
    context: guard.open(nothingPresented()),
    hindrance: noCredentials,
    allow: () => undefined,
    refuse: async (decision: Deny) => {
      throw exceptionOf(tellingOf(decision))
    },
  }
}

/** A request with nothing in it. */
export const nothingPresented = (): InboundRequest => ({ headers: {}, rawHeaders: [], socket: {} })

const noCredentials = new Refusal('credential_missing', {
  expected: 'a call over HTTP, gRPC or a WebSocket, which can carry a credential',
  actual: 'one over another transport',
  advice: "declare the handler @Unprotected('why') if whoever can reach the broker may call it",
})
