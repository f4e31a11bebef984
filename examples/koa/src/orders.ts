import { Router } from '@koa/router'
import { authenticated, requireScopes, requires } from '@countersign/koa'

/** The orders of a shop: a floor for all of them, and what each route adds to it. */
export function ordersRouter(): Router {
  const orders = new Map([['1', { id: '1', item: 'lamp' }]])
  const router = new Router({ prefix: '/orders' })
  router.use(requires(authenticated()))

  router.get('/:id', requireScopes('orders:read'), (ctx) => {
    const order = orders.get(ctx.params['id'] ?? '')
    if (order === undefined) return // Koa answers 404
    ctx.body = { ...order, calledBy: ctx.caller.id }
  })

  router.delete('/:id', requireScopes('orders:write'), (ctx) => {
    orders.delete(ctx.params['id'] ?? '')
    ctx.status = 204
  })

  return router
}
