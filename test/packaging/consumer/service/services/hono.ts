import type { TestIssuer } from '@countersign/testing'
import { callerOf, countersign, requireScopes, sealRoutes, unprotected } from '@countersign/hono'
import { serve } from '@hono/node-server'
import { Hono } from 'hono'
import type { Server } from 'node:net'

export async function listen(issuer: TestIssuer): Promise<Server> {
  const app = new Hono()
  app.use(countersign({ audience: 'orders', issuers: [issuer], log: false }))
  app.get('/orders/:id', requireScopes('orders:read'), (c) => {
    const caller: string = c.var.caller.id
    const again: string | undefined = callerOf(c)?.id
    const order: string = c.req.param('id')
    return c.json({ caller, again, order })
  })
  app.get('/healthz', unprotected('liveness probe, returns no data'), (c) => c.text('ok'))
  await sealRoutes(app)
  return serve({ fetch: app.fetch, port: 0 })
}
