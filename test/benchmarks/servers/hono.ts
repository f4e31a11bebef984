import { countersign, guardHandlers, requireScopes } from '@countersign/hono'
import { getRequestListener } from '@hono/node-server'
import { Hono, type Context, type MiddlewareHandler } from 'hono'
import { jwk } from 'hono/jwk'
import { audience, issuer } from '../tokens.ts'
import type { Framework, Serve, Trust } from './contract.ts'
import { guardOf, order } from './service.ts'

const answer = (c: Context): Response => c.json(order)

const behind =
  (
    middlewares: (trust: Trust) => readonly MiddlewareHandler[],
    ...first: readonly MiddlewareHandler[]
  ): Serve =>
  (trust) => {
    const app = new Hono()
    for (const middleware of middlewares(trust)) app.use(middleware)
    app.on('GET', ['/orders/:id'], ...first, answer)
    return getRequestListener(app.fetch)
  }

export const served: Framework = {
  contenders: {
    bare: behind(() => []),
    'an empty middleware': behind(() => [(_c, next) => next()]),
    Countersign: behind((trust) => [countersign(guardOf(trust))], requireScopes('orders:read')),
    'Countersign, guardHandlers'(trust) {
      const app = new Hono()
      const guarded = guardHandlers(app, guardOf(trust))
      app.get('/orders/:id', guarded(requireScopes('orders:read'), answer))
      return getRequestListener(app.fetch)
    },
    'hono jwk, keys': behind(({ keys }) => [
      jwk({ keys: [keys.jwk], alg: ['RS256'], verification: { iss: issuer, aud: audience } }),
    ]),
  },
  with: (verify) =>
    behind(() => [
      async (c, next) => {
        try {
          await verify((c.req.header('authorization') ?? '').slice(7))
        } catch {
          return c.body(null, 401)
        }
        return next()
      },
    ]),
}
