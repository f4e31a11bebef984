import { countersign, requireScopes } from '@countersign/node-http'
import type { IncomingMessage, ServerResponse } from 'node:http'
import type { Framework } from './contract.ts'
import { bearer, guardOf, order, refuseWith401 } from './service.ts'

const answer = (_request: IncomingMessage, response: ServerResponse): void => {
  response.setHeader('content-type', 'application/json')
  response.end(JSON.stringify(order))
}

export const served: Framework = {
  contenders: {
    bare: () => answer,
    Countersign(trust) {
      const service = countersign(guardOf(trust))
      return service.listener(service.route('GET /orders/:id', requireScopes('orders:read'), answer))
    },
  },
  with: (verify) => () => (request, response) => {
    void (async () => verify(bearer(request)))().then(
      () => answer(request, response),
      () => refuseWith401(response),
    )
  },
}
