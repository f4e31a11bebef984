import { Router } from '@koa/router'
import { callerOf, callerOptional, countersign, unprotected, type Guard } from '@countersign/koa'
import Koa from 'koa'
import { ordersRouter } from './orders.ts'

/** The service, behind a guard that is made elsewhere: tests give it another one than production does. */
export function createApp(guard: Guard): Koa {
  const app = new Koa()
  const router = new Router()

  router.get('/healthz', unprotected('liveness probe, returns no data'), (ctx) => {
    ctx.body = 'ok'
  })
  router.get('/prices', callerOptional('known callers get their own prices'), (ctx) => {
    ctx.body = { lamp: callerOf(ctx) === undefined ? 40 : 35 }
  })
  router.use(ordersRouter().routes())

  app.use(countersign(guard))
  app.use(
    unprotected('a text for crawlers', (ctx, next) => {
      if (ctx.path !== '/robots.txt') return next()
      ctx.body = 'User-agent: *\nDisallow: /\n'
      return undefined
    }),
  )
  app.use(router.routes())
  app.use(router.allowedMethods())
  return app
}
