import type { TestIssuer } from '@countersign/testing'
import { callerOf, countersign, requireScopes, unprotected } from '@countersign/express'
import express from 'express'
import type { Server } from 'node:net'

export async function listen(issuer: TestIssuer): Promise<Server> {
  const app = express()
  app.use(countersign({ audience: 'orders', issuers: [issuer], log: false }))
  app.get('/orders/:id', requireScopes('orders:read'), (req, res) => {
    const caller: string = req.caller.id
    const again: string | undefined = callerOf(req)?.id
    const order: string = req.params.id
    res.json({ caller, again, order })
  })
  app.get('/healthz', unprotected('liveness probe, returns no data'), (_req, res) => {
    res.send('ok')
  })
  return app.listen(0)
}
