import { countersign, createGuard, requireScopes } from '@countersign/express'
import express from 'express'
import { audienceOf, spiffeIdOf } from '../workloads.ts'
import { runService } from './run-service.ts'

runService(({ house }) => {
  const guard = createGuard({
    ...house,
    audience: audienceOf('checkout'),
    grants: { [spiffeIdOf('orders')]: ['carts:read'] },
  })
  const app = express()
  app.use(countersign(guard))

  app.get('/carts/:id', requireScopes('carts:read'), (req, res) => {
    res.json({ cart: req.params['id'], items: ['tea'], calledBy: req.caller.id })
  })
  return { app, guard }
})
