import type { TestIssuer } from '@countersign/testing'
import { callerOf, countersign, requireScopes, sealRoutes, unprotected } from '@countersign/koa'
import Router from '@koa/router'
import Koa from 'koa'
import type { Server } from 'node:net'

export async function listen(issuer: TestIssuer): Promise<Server> {
  const app = new Koa()
  const router = new Router()
  app.use(countersign({ audience: 'orders', issuers: [issuer], log: false }))
  app.use(router.routes())
  router.get('/orders/:id', requireScopes('orders:read'), (ctx) => {
    const caller: string = ctx.caller.id
    const again: string | undefined = callerOf(ctx)?.id
    const order: string | undefined = ctx.params['id']
    ctx.body = { caller, again, order }
  })
  router.get('/healthz', unprotected('liveness probe, returns no data'), (ctx) => {
    ctx.body = 'ok'
  })
  await sealRoutes(app)
  return app.listen(0)
}
