import { countersign, requireScopes } from '@countersign/koa'
import { Router } from '@koa/router'
import jwksRsa from 'jwks-rsa'
import Koa, { type Middleware } from 'koa'
import jwt from 'koa-jwt'
import { audience, issuer } from '../tokens.ts'
import type { Framework, Serve, Trust } from './contract.ts'
import { bearer, guardOf, order, refuseWith401 } from './service.ts'

const answer: Middleware = (context) => {
  context.body = order
}

const behind =
  (middlewares: (trust: Trust) => readonly Middleware[], ...first: readonly Middleware[]): Serve =>
  (trust) => {
    const app = new Koa()
    for (const middleware of middlewares(trust)) app.use(middleware)
    app.use(new Router().get('/orders/:id', ...first, answer).routes())
    return app.callback()
  }

export const served: Framework = {
  contenders: {
    bare: behind(() => []),
    Countersign: behind((trust) => [countersign(guardOf(trust))], requireScopes('orders:read')),
    'koa-jwt + jwks-rsa': behind(({ jwksUri }) => [
      jwt({
        secret: jwksRsa.koaJwtSecret({ jwksUri, cache: true }),
        issuer,
        audience,
        algorithms: ['RS256'],
      }),
    ]),
  },
  with: (verify) =>
    behind(() => [
      async (context, next) => {
        try {
          await verify(bearer(context.req))
        } catch {
          return refuseWith401(context.res)
        }
        return next()
      },
    ]),
}
