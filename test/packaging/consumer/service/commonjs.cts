import express = require('express')
import countersigned = require('@countersign/express')
import testing = require('@countersign/testing')

export async function createApp(): Promise<express.Express> {
  const issuer: testing.TestIssuer = await testing.createTestIssuer()
  const app = express()
  app.use(countersigned.countersign({ audience: 'orders', issuers: [issuer] }))
  app.get('/orders/:id', countersigned.requireScopes('orders:read'), (req, res) => {
    res.json({ calledBy: req.caller.id })
  })
  return app
}
