import type { ExecutionContext } from '@nestjs/common'
import type { Decision, Deny } from '@countersign/core'
import { Refusal, attachContext, contextOf, type Guard } from '@countersign/core/adapter'
import type { Call } from './call.ts'
import type { Handler } from './framework.ts'
import { nothingPresented } from './other-transport.ts'
import { tellingOf, type Refusing } from './refusing.ts'

/**
 * The contexts of the messages that were allowed last, by client and handler. Who calls is the same for all of them, and what one
 * handler asks is, too: so messages of one client that are handled at once cannot be mixed up.
 */
const allowed = new WeakMap<object, Map<Handler, object>>()

/** A message to a gateway. The credentials are those that its client has connected with. */
export function gatewayMessage(execution: ExecutionContext, guard: Guard, refusing: Refusing): Call {
  const client = execution.switchToWs().getClient<object>()
  const connection = contextOf(client)
  const isAllowed = connection?.decision?.outcome === 'allow'
  const context = isAllowed ? connection.forMessage() : guard.open(nothingPresented())
  return {
    context,
    // A client may go on to send while it is told that its access has ended.
    ...(isAllowed ? {} : { end: refusalOf(connection?.decision) }),
    allow() {
      const handlers = allowed.get(client) ?? new Map<Handler, object>()
      const carrier = {}
      attachContext(carrier, context)
      allowed.set(client, handlers.set(execution.getHandler() as Handler, carrier)) // a method
    },
    refuse: async (decision: Deny) => {
      throw refusing.ws(tellingOf(decision))
    },
  }
}

/** What the context of a message hangs on, while its handler runs. */
export const messageCarrierOf = (execution: ExecutionContext): object | undefined =>
  allowed.get(execution.switchToWs().getClient<object>())?.get(execution.getHandler() as Handler) // a method

const refusalOf = (decision: Decision | undefined): Refusal =>
  decision?.outcome === 'deny' ? decision.refusal : unguarded

const unguarded = new Refusal('declaration_misplaced', {
  expected: 'a client that connected through a guarded adapter',
  actual: 'one that nobody has asked',
  advice:
    'write app.useWebSocketAdapter(guardGateways(app, new WsAdapter(app))) before the application is initialised',
})
