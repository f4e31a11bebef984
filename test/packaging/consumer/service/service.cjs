const express = require('express')
const { countersign, requireScopes } = require('@countersign/express')
const { createTestIssuer } = require('@countersign/testing')
const { ask } = require('./ask.cjs')

async function main() {
  const issuer = await createTestIssuer()
  const app = express()
  app.use(countersign({ audience: 'orders', issuers: [issuer] }))
  app.get('/orders/:id', requireScopes('orders:read'), (req, res) => res.json({ calledBy: req.caller.id }))
  await ask(app, await issuer.headersFor('checkout', { scopes: ['orders:read'] }))
}

main()
