import { callerIs, countersign, createGuard, requireScopes, requires } from '@countersign/express'
import express from 'express'
import { audienceOf, spiffeIdOf } from '../workloads.ts'
import { runService } from './run-service.ts'

// Both may look at the stock; only orders may change it.
runService(({ house }) => {
  const guard = createGuard({
    ...house,
    audience: audienceOf('inventory'),
    grants: { [spiffeIdOf('orders')]: ['stock:read'], [spiffeIdOf('checkout')]: ['stock:read'] },
  })
  const app = express()
  app.use(countersign(guard))

  app.get('/stock/:sku', requireScopes('stock:read'), (req, res) => {
    res.json({ sku: req.params['sku'], available: 12, calledBy: req.caller.id })
  })
  app.put('/stock/:sku', requires(callerIs(spiffeIdOf('orders'))), (req, res) => {
    res.json({ sku: req.params['sku'], available: 11, calledBy: req.caller.id })
  })
  return { app, guard }
})
