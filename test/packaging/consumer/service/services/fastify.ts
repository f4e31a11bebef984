import type { TestIssuer } from '@countersign/testing'
import { callerOf, countersign, requireScopes, unprotected } from '@countersign/fastify'
import fastify from 'fastify'
import type { Server } from 'node:net'

export async function listen(issuer: TestIssuer): Promise<Server> {
  const app = fastify()
  await app.register(countersign({ audience: 'orders', issuers: [issuer], log: false }))
  app.get<{ Params: { id: string } }>('/orders/:id', requireScopes('orders:read'), async (request) => {
    const caller: string = request.caller.id
    const again: string | undefined = callerOf(request)?.id
    const order: string = request.params.id
    return { caller, again, order }
  })
  app.get('/healthz', unprotected('liveness probe, returns no data'), async () => 'ok')
  await app.listen({ port: 0 })
  return app.server
}
