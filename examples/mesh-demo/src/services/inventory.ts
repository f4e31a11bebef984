import { join } from 'node:path'
import { countersign, createGuard, requireScopes } from '@countersign/express'
import { policyDocument } from '@countersign/policy'
import express from 'express'
import { audienceOf } from '../workloads.ts'
import { runService } from './run-service.ts'

runService(({ house }) => {
  const guard = createGuard({
    ...house,
    audience: audienceOf('inventory'),
    policy: policyDocument(join(import.meta.dirname, 'inventory.policy.yaml')),
  })
  const app = express()
  app.use(countersign(guard))

  app.get('/stock/:sku', requireScopes('stock:read'), (req, res) => {
    res.json({ sku: req.params['sku'], available: 12, calledBy: req.caller.id })
  })
  // Who may change the stock, the policy document says.
  app.put('/stock/:sku', (req, res) => {
    res.json({ sku: req.params['sku'], available: 11, calledBy: req.caller.id })
  })
  return { app, guard }
})
