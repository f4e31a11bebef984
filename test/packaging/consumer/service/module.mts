import express from 'express'
import {
  callerOf,
  countersign,
  createTlsServer,
  requireScopes,
  unprotected,
  type GuardOptions,
} from '@countersign/express'
import { createTestIssuer, type TestIssuer } from '@countersign/testing'

export async function createApp(): Promise<express.Express> {
  const issuer: TestIssuer = await createTestIssuer()
  const house: GuardOptions = { audience: 'orders', issuers: [issuer] }
  const app = express()
  app.use(countersign(house))
  app.get('/orders/:id', requireScopes('orders:read'), (req, res) => {
    const id: string = req.caller.id
    res.json({ calledBy: id, order: req.params['id'], again: callerOf(req)?.id })
  })
  app.get('/healthz', unprotected('liveness probe, returns no data'), (_req, res) => {
    res.send('ok')
  })
  return app
}

// @ts-expect-error -- with issuers, an audience is required
countersign({ issuers: ['https://idp.internal'] })

export { createTlsServer }
