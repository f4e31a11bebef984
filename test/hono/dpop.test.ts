// Tokens bound by DPoP through Hono, over real sockets: RFC 9449 §7 as callers meet it.
import { countersign, createGuard, requireScopes, unprotected } from '@countersign/hono'
import { createTestClock, createTestIssuer, createTestProofKey } from '@countersign/testing'
import type { HttpBindings } from '@hono/node-server'
import { RESPONSE_ALREADY_SENT } from '@hono/node-server/utils/response'
import { describe, expect, test } from 'vitest'
import { ServedApp, fetched, honoVersions } from './served-app.ts'

const externalUrl = 'https://api.example'

describe.each(honoVersions)('DPoP on %s', (_version, Hono) => {
  async function house() {
    const clock = createTestClock()
    const idp = await createTestIssuer({ clock })
    const key = await createTestProofKey({ clock })
    const guard = createGuard(
      { audience: 'orders', issuers: [idp], dpop: { externalUrl, nonces: true }, log: false },
      { clock },
    )
    const inner = new Hono()
    inner.use(countersign(guard))
    inner.get('/it', requireScopes('orders:read'), (c) => c.text(c.var.caller.provenBy.join()))
    const app = new Hono<{ Bindings: HttpBindings }>()
    app.use(countersign(guard))
    app.get('/text', requireScopes('orders:read'), (c) => c.text('text'))
    app.get('/own', requireScopes('orders:read'), () => new Response('own'))
    app.get('/raw', requireScopes('orders:read'), (c) => {
      c.env.outgoing.writeHead(200).end('raw')
      return RESPONSE_ALREADY_SENT
    })
    app.use('/mounted/*', requireScopes('orders:read'))
    app.mount('/mounted', (request, env) => inner.fetch(request, env))
    app.get('/open', unprotected('open'), (c) => c.text('open'))
    const served = await ServedApp.start(app)
    const bound = await idp.token('checkout', { scopes: ['orders:read'], boundTo: key })
    const call = async (path: string, nonce?: string) => {
      const made = { url: externalUrl + path, ...(nonce === undefined ? {} : { nonce }) }
      return served.call(path, { headers: await key.headersFor(bound, made) })
    }
    return { app, clock, key, bound, served, call }
  }

  test('a nonce is asked for, given, and renewed on every kind of answer that succeeds', async () => {
    const { clock, served, call } = await house()
    const first = await call('/text')
    expect(first).toMatchObject({ status: 401, code: 'dpop_nonce_required' })
    const nonce = String(first.headers['dpop-nonce'])
    const good = await call('/text', nonce)
    expect([good.status, good.headers['dpop-nonce']]).toEqual([200, undefined])
    clock.advance({ seconds: 250 })
    clock.advance({ seconds: 60 })
    for (const path of ['/text', '/own', '/raw']) {
      const late = await call(path, nonce)
      expect([late.status, late.body]).toEqual([200, path.slice(1)])
      expect(late.headers['dpop-nonce']).toMatch(/^[\x21\x23-\x5B\x5D-\x7E]+$/)
      expect(late.headers['cache-control']).toBe('no-store')
    }
    await served.close()
  })

  test('it is renewed without any connection, too', async () => {
    const { app, clock, key, bound, served, call } = await house()
    const nonce = String((await call('/text')).headers['dpop-nonce'])
    clock.advance({ seconds: 310 })
    for (const path of ['/text', '/own']) {
      const headers = { ...(await key.headersFor(bound, { url: externalUrl + path, nonce })) }
      const answer = await fetched(app, path, { headers })
      expect([answer.body, answer.headers['cache-control']]).toEqual([path.slice(1), 'no-store'])
      expect(answer.headers['dpop-nonce']).not.toBe(nonce)
    }
    await served.close()
  })

  test('a proof counts once for a request, also where one application hands it on to another', async () => {
    const { served, call } = await house()
    const nonce = String((await call('/text')).headers['dpop-nonce'])
    const answer = await call('/mounted/it', nonce)
    expect([answer.status, answer.body]).toEqual([200, 'token,boundToken,dpop'])
    await served.close()
  })
})
