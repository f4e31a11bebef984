import express from 'express'
import request from 'supertest'
import { countersign, requireScopes } from '@countersign/express'
import { createTestIssuer } from '@countersign/testing'

test('lets checkout read an order, and nobody without a token', async () => {
  const issuer = await createTestIssuer()
  const app = express()
  app.use(countersign({ audience: 'orders', issuers: [issuer], log: false }))
  app.get('/orders/:id', requireScopes('orders:read'), (req, res) => res.json({ calledBy: req.caller.id }))

  const headers = await issuer.headersFor('checkout', { scopes: ['orders:read'] })
  await request(app).get('/orders/1').set(headers).expect(200)
  await request(app).get('/orders/1').expect(401)
})
