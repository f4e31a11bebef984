import {
  callerOf,
  callerOptional,
  countersign,
  requireScopes,
  unprotected,
  type Guard,
} from '@countersign/hono'
import { Hono } from 'hono'
import { cors } from 'hono/cors'
import { logger } from 'hono/logger'

const orders = new Hono()
  // Whatever is asked of orders takes this; a route only adds to it.
  .use(requireScopes('orders:read'))
  .get('/:id', (c) => c.json({ id: c.req.param('id'), askedBy: c.var.caller.id }))
  .post('/', requireScopes('orders:write'), async (c) => {
    const order: unknown = await c.req.json()
    return c.json({ order, madeBy: c.var.caller.id }, 201)
  })

/** The shop, behind a guard. `print` takes a line for each request. */
export function createApp(guard: Guard, print: (line: string) => void) {
  return new Hono()
    .use(cors({ origin: 'https://shop.example' }))
    .use(countersign(guard))
    .use(logger(print))
    .route('/orders', orders)
    .get('/prices', callerOptional('callers who are known pay less'), (c) =>
      c.json({ tea: callerOf(c) === undefined ? 4 : 3 }),
    )
    .get('/healthz', unprotected('liveness probe, returns no data'), (c) => c.text('ok'))
}
