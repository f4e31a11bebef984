import { join } from 'node:path'
import {
  authenticated,
  countersign,
  createGuard,
  createTlsServer,
  requireScopes,
  requires,
  unprotected,
} from '@countersign/express'
import { policyDocument } from '@countersign/policy'
import express from 'express'
import { audienceOf } from '../workloads.ts'
import { runService } from './run-service.ts'

runService(({ house, certificate, onward }) => {
  const guard = createGuard({
    ...house,
    audience: audienceOf('orders'),
    policy: policyDocument(join(import.meta.dirname, 'orders.policy.yaml')),
  })
  const app = express()
  app.use(countersign(guard))

  app.get('/orders/:id', requireScopes('orders:read'), (req, res) => {
    res.json({ order: req.params['id'], calledBy: req.caller.id, onBehalfOf: req.caller.user?.subject })
  })
  // The policy document asks more, and only observes so far. What code asks holds all the same.
  app.get('/orders', requires(authenticated()), (req, res) => {
    res.json({ orders: ['1', '2'], calledBy: req.caller.id })
  })
  app.post('/orders', requireScopes('orders:write'), (req, res) => {
    res.status(201).json({ order: '2', calledBy: req.caller.id })
  })
  // The next hop is called in the name of orders, never in the caller's: its token was meant for orders alone.
  app.get('/orders/:id/stock', requireScopes('orders:read'), async (req, res) => {
    const answer = await onward.get(audienceOf('inventory'), '/stock/tea', 'stock:read')
    res.json({ order: req.params['id'], calledBy: req.caller.id, onward: answer })
  })
  // Over gRPC likewise.
  app.get('/orders/:id/price', requireScopes('orders:read'), async (req, res) => {
    res.json({ order: req.params['id'], calledBy: req.caller.id, onward: await onward.priceOf('tea') })
  })
  app.get('/healthz', unprotected('liveness probe, returns no data'), (_req, res) => {
    res.send('ok')
  })
  // Somebody forgot to say who may call this. It stays shut until they do.
  app.get('/revenue', (_req, res) => {
    res.json({ revenue: 1_000_000 })
  })
  return { guard, server: createTlsServer(app, { ...certificate, guard }) }
})
