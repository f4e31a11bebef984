import type { TestIssuer } from '@countersign/testing'
import { callerOf, countersign, requireScopes } from '@countersign/node-http'
import { createServer } from 'node:http'
import type { Server } from 'node:net'

export async function listen(issuer: TestIssuer): Promise<Server> {
  const service = countersign({ audience: 'orders', issuers: [issuer], log: false })
  const find = service.route('GET /orders/:id', requireScopes('orders:read'), (request, response) => {
    const caller: string = request.caller.id
    const again: string | undefined = callerOf(request)?.id
    response.end(JSON.stringify({ caller, again, order: request.url?.split('/').at(-1) }))
  })
  const server = createServer(
    service.listener((request, response) => {
      if (/^\/orders\/\w+$/.test(request.url ?? '')) find(request, response)
      else response.writeHead(404).end()
    }),
  )
  return server.listen(0)
}
