import {
  Refusal,
  answer,
  attachContext,
  contextOf,
  installLatch,
  ownAccessor,
  requireCaller,
  type RequestContext,
} from '@countersign/core/adapter'
import type { RouteList } from './route-list.ts'
import { asServerResponse, type NodeRequest, type NodeResponse } from './messages.ts'

/**
 * Takes away what could pass for an identity, opens the undecided context, and has an answer kept back that nobody allows; once for
 * each request. Then goes on, unless another guard did that before.
 */
export function admit(
  routes: RouteList,
  request: NodeRequest,
  response: NodeResponse,
  goOn: (context: RequestContext) => unknown,
): unknown {
  const { guard } = routes
  const known = contextOf(request)
  const context = known ?? guard.admit(request)
  if (known === undefined) {
    routes.reportUnsealed()
    attachContext(request, context)
    Object.defineProperty(request, 'caller', caller)
    installLatch(asServerResponse(response))
  } else if (!guard.hasOpened(known)) {
    // Not thrown: Node ends the process where a listener throws.
    answer(known.refuse(secondGuard, 'countersign'), asServerResponse(response), () => goOn(known))
    return undefined
  }
  return goOn(context)
}

const secondGuard = new Refusal('declaration_misplaced', {
  expected: 'one guard before each request',
  actual: 'two',
  advice: 'make one with createGuard(…), and give it to every countersign(…) of the server',
})

const caller = ownAccessor(function (this: NodeRequest) {
  return requireCaller(this)
})
