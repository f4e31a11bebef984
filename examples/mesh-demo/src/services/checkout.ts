import { join } from 'node:path'
import { countersign, createGuard, requireScopes } from '@countersign/express'
import { policyDocument } from '@countersign/policy'
import express from 'express'
import { audienceOf } from '../workloads.ts'
import { runService } from './run-service.ts'

runService(({ house }) => {
  const guard = createGuard({
    ...house,
    audience: audienceOf('checkout'),
    policy: policyDocument(join(import.meta.dirname, 'checkout.policy.yaml')),
  })
  const app = express()
  app.use(countersign(guard))

  app.get('/carts/:id', requireScopes('carts:read'), (req, res) => {
    res.json({ cart: req.params['id'], items: ['tea'], calledBy: req.caller.id })
  })
  return { app, guard }
})
