import { join } from 'node:path'
import { Router } from '@koa/router'
import { countersign, createGuard, createTlsServer, requireScopes } from '@countersign/koa'
import { policyDocument } from '@countersign/policy'
import Koa from 'koa'
import { audienceOf } from '../workloads.ts'
import { runService } from './run-service.ts'

runService(({ house, certificate }) => {
  const guard = createGuard({
    ...house,
    audience: audienceOf('checkout'),
    policy: policyDocument(join(import.meta.dirname, 'checkout.policy.yaml')),
  })
  const app = new Koa()
  app.use(countersign(guard))

  const router = new Router()
  router.get('/carts/:id', requireScopes('carts:read'), (ctx) => {
    ctx.body = { cart: ctx.params['id'], items: ['tea'], calledBy: ctx.caller.id }
  })
  app.use(router.routes())
  return { guard, server: createTlsServer(app, { ...certificate, guard }) }
})
