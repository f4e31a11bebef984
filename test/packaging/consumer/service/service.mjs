import express from 'express'
import { countersign, requireScopes } from '@countersign/express'
import { createTestIssuer } from '@countersign/testing'
import { ask } from './ask.cjs'

const issuer = await createTestIssuer()
const app = express()
app.use(countersign({ audience: 'orders', issuers: [issuer] }))
app.get('/orders/:id', requireScopes('orders:read'), (req, res) => res.json({ calledBy: req.caller.id }))
await ask(app, await issuer.headersFor('checkout', { scopes: ['orders:read'] }))
