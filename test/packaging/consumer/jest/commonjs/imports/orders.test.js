const express = require('express')
const request = require('supertest')

test('lets checkout read an order, and nobody without a token', async () => {
  const { countersign, requireScopes } = await import('@countersign/express')
  const { createTestIssuer } = await import('@countersign/testing')
  const issuer = await createTestIssuer()
  const app = express()
  app.use(countersign({ audience: 'orders', issuers: [issuer], log: false }))
  app.get('/orders/:id', requireScopes('orders:read'), (req, res) => res.json({ calledBy: req.caller.id }))

  const headers = await issuer.headersFor('checkout', { scopes: ['orders:read'] })
  await request(app).get('/orders/1').set(headers).expect(200)
  await request(app).get('/orders/1').expect(401)
})
