import assert from 'node:assert/strict'
import { once } from 'node:events'
import { after, before, test } from 'node:test'
import express from 'express'
import { countersign, requireScopes } from '@countersign/express'
import { createTestIssuer } from '@countersign/testing'

const issuer = await createTestIssuer()
const app = express()
app.use(countersign({ audience: 'orders', issuers: [issuer], log: false }))
app.get('/orders/:id', requireScopes('orders:read'), (req, res) => res.json({ calledBy: req.caller.id }))

const server = app.listen(0)
before(() => once(server, 'listening'))
after(() => server.close())

const statusFor = async (headers) =>
  (await fetch(`http://localhost:${server.address().port}/orders/1`, { headers })).status

test('lets checkout read an order', async () => {
  assert.equal(await statusFor(await issuer.headersFor('checkout', { scopes: ['orders:read'] })), 200)
})

test('refuses a caller without the scope', async () => {
  assert.equal(await statusFor(await issuer.headersFor('checkout')), 403)
})
