// Tokens bound by DPoP through Express, over real sockets: RFC 9449 §7 as callers meet it.
import { createGuard, type DpopOptions } from '@countersign/core'
import { callerOf, countersign, provenBy, requireScopes, requires, unprotected } from '@countersign/express'
import { createTestClock, createTestIssuer, createTestProofKey } from '@countersign/testing'
import { describe, expect, test } from 'vitest'
import { expressVersions, ServedApp } from './served-app.ts'

const externalUrl = 'https://api.example/shop'

describe.each(expressVersions)('DPoP on %s', (_version, express) => {
  async function house(
    dpop: Partial<DpopOptions> = {},
    prepare: (app: ReturnType<typeof express>) => void = () => undefined,
  ) {
    const clock = createTestClock()
    const idp = await createTestIssuer({ clock })
    const key = await createTestProofKey({ clock })
    const guard = createGuard(
      { audience: 'orders', issuers: [idp], dpop: { externalUrl, ...dpop }, log: false },
      { clock },
    )
    const app = express()
    prepare(app)
    app.use(countersign(guard))
    const orders = express.Router()
    orders.get('/:id', requireScopes('orders:read'), (request, response) => {
      response.json({ caller: request.caller.id, provenBy: request.caller.provenBy })
    })
    app.use('/orders', orders)
    app.get(
      '/strict',
      requires(provenBy('dpop')),
      (request, response) => void response.json(callerOf(request)?.id),
    )
    app.get('/open', unprotected('a page for everybody'), (_request, response) => void response.send('open'))
    const served = await ServedApp.start(app)
    const bound = await idp.token('checkout', { scopes: ['orders:read'], boundTo: key })
    return { clock, idp, key, served, bound }
  }

  test('a proof for this very request lets its caller in, behind a proxy that ends TLS and strips a prefix', async () => {
    const { key, served, bound } = await house()
    const headers = await key.headersFor(bound, { url: `${externalUrl}/orders/7?full=1` })
    const answer = await served.call('/orders/7?full=1', { headers })
    expect(answer.status).toBe(200)
    expect(JSON.parse(answer.body)).toEqual({
      caller: 'https://issuer.test#client=checkout',
      provenBy: ['token', 'boundToken', 'dpop'],
    })
    expect(await served.call('/orders/7?full=1', { headers })).toMatchObject({
      status: 401,
      code: 'dpop_proof_replayed',
    })
    await served.close()
  })

  test('T33 nothing that a caller writes about the host has a part in it', async () => {
    const { key, served, bound } = await house()
    for (const forged of [
      { host: 'api.example/shop/orders/7?' },
      { 'x-forwarded-host': 'api.example/shop/orders/7#' },
      { 'x-forwarded-proto': 'http', 'x-forwarded-prefix': '/evil' },
      { forwarded: 'host=evil.example;proto=http' },
    ]) {
      const good = await key.headersFor(bound, { url: `${externalUrl}/orders/7` })
      expect((await served.call('/orders/7', { headers: { ...good, ...forged } })).status).toBe(200)
      const other = await key.headersFor(bound, { url: `${externalUrl}/orders/8` })
      const answer = await served.call('/orders/7', { headers: { ...other, ...forged } })
      expect(answer).toMatchObject({ status: 401, code: 'dpop_proof_mismatch' })
    }
    await served.close()
  })

  test('a refusal tells the operator which URL was expected, and the caller which algorithms will do', async () => {
    const { key, served, bound } = await house()
    const headers = await key.headersFor(bound, { url: 'http://10.0.0.7:8080/orders/7' })
    const { events, headers: answered, status } = await served.call('/orders/7', { headers })
    expect(status).toBe(401)
    expect(answered['www-authenticate']).toMatch(
      /^DPoP realm="countersign", error="invalid_dpop_proof", error_description="[^"]+", scope="orders:read", algs="[^"]*ES256[^"]*"$/,
    )
    expect(events[0]?.expected).toContain(`${externalUrl}/orders/7`)
    expect(events[0]?.actual).toContain('http://10.0.0.7:8080/orders/7')
    await served.close()
  })

  test('T35 a bound token is never a bearer token, and a bearer token is never taken for a bound one', async () => {
    const { idp, key, served, bound } = await house()
    const url = `${externalUrl}/orders/7`
    const dpop = async (token: string) => key.proof({ url, token })
    const call = async (headers: Record<string, string>) => (await served.call('/orders/7', { headers })).code
    const bearer = await idp.token('checkout', { scopes: ['orders:read'] })
    expect(await call({ authorization: `Bearer ${bound}` })).toBe('bound_token_as_bearer')
    expect(await call({ authorization: `Bearer ${bound}`, dpop: await dpop(bound) })).toBe(
      'bound_token_as_bearer',
    )
    expect(await call({ authorization: `DPoP ${bound}` })).toBe('dpop_proof_missing')
    expect(await call({ authorization: `DPoP ${bearer}`, dpop: await dpop(bearer) })).toBe('token_not_bound')
    expect(await call({ authorization: `Bearer ${bearer}`, dpop: await dpop(bearer) })).toBe(
      'dpop_proof_unexpected',
    )
    expect(await call({ authorization: `Bearer ${bearer}` })).toBeNull()
    expect(await call({ authorization: `DPoP ${bound}`, dpop: await dpop(bearer) })).toBe(
      'dpop_proof_mismatch',
    )
    const stranger = await createTestProofKey()
    expect(
      await call({
        authorization: `DPoP ${bound}`,
        dpop: await stranger.proof({ url, token: bound, now: new Date('2030-01-01T00:00:00Z') }),
      }),
    ).toBe('dpop_key_mismatch')
    expect(await call({ authorization: `dpop ${bound}`, dpop: await dpop(bound) })).toBeNull()
    await served.close()
  })

  test('T34 of a hundred requests that bring one proof at the same time, one is let in', async () => {
    const { key, served, bound } = await house()
    const headers = await key.headersFor(bound, { url: `${externalUrl}/orders/7` })
    const answers = await Promise.all(
      Array.from({ length: 100 }, () => served.call('/orders/7', { headers })),
    )
    expect(answers.filter(({ status }) => status === 200)).toHaveLength(1)
    expect(answers.filter(({ status }) => status === 401)).toHaveLength(99)
    await served.close()
  })

  test('a nonce is asked for, given, and renewed on an answer that succeeds', async () => {
    const { clock, key, served, bound } = await house({ nonces: true })
    const url = `${externalUrl}/orders/7`
    const first = await served.call('/orders/7', { headers: await key.headersFor(bound, { url }) })
    expect(first).toMatchObject({ status: 401, code: 'dpop_nonce_required' })
    expect(first.headers['www-authenticate']).toContain('DPoP realm="countersign", error="use_dpop_nonce"')
    const nonce = String(first.headers['dpop-nonce'])
    const good = await served.call('/orders/7', { headers: await key.headersFor(bound, { url, nonce }) })
    expect(good.status).toBe(200)
    expect(good.headers['dpop-nonce']).toBeUndefined()
    expect(good.headers['cache-control']).toBeUndefined()
    clock.advance({ seconds: 250 })
    clock.advance({ seconds: 60 })
    const late = await served.call('/orders/7', { headers: await key.headersFor(bound, { url, nonce }) })
    expect(late.status).toBe(200)
    expect(late.headers['dpop-nonce']).toMatch(/^[\x21\x23-\x5B\x5D-\x7E]+$/)
    expect(late.headers['dpop-nonce']).not.toBe(nonce)
    expect(late.headers['cache-control']).toBe('no-store')
    await served.close()
  })

  test('a route can ask for it, and the whole service can', async () => {
    const { idp, key, served, bound } = await house()
    const bearer = { authorization: `Bearer ${await idp.token('checkout')}` }
    const refused = await served.call('/strict', { headers: bearer })
    expect(refused).toMatchObject({ status: 401, code: 'proof_insufficient' })
    expect(refused.headers['www-authenticate']).toMatch(/^Bearer .*, DPoP .*algs="/)
    const proven = await key.headersFor(bound, { url: `${externalUrl}/strict` })
    expect((await served.call('/strict', { headers: proven })).status).toBe(200)
    await served.close()

    const strict = await house({ required: true })
    const token = {
      authorization: `Bearer ${await strict.idp.token('checkout', { scopes: ['orders:read'] })}`,
    }
    const answer = await strict.served.call('/orders/7', { headers: token })
    expect(answer).toMatchObject({ status: 401, code: 'token_not_bound' })
    expect(answer.headers['www-authenticate']).toMatch(/^DPoP /)
    await strict.served.close()
  })

  test('a method that is overridden needs a proof for what it is overridden with', async () => {
    const { key, served, bound } = await house({}, (app) => {
      app.use((request, _response, next) => {
        request.method = String(request.headers['x-http-method-override'] ?? request.method)
        next()
      })
    })
    const call = async (htm: string) => {
      const url = `${externalUrl}/orders/7`
      const proof = await key.headersFor(bound, { url, method: htm })
      return served.call('/orders/7', {
        method: 'POST',
        headers: { ...proof, 'x-http-method-override': 'GET' },
      })
    }
    expect(await call('POST')).toMatchObject({ status: 401, code: 'dpop_proof_mismatch' })
    expect((await call('GET')).status).toBe(200)
    await served.close()
  })

  test('a floor and a route ask for one proof together, and a page for everybody for none', async () => {
    const { key, served, bound } = await house()
    expect((await served.call('/open')).status).toBe(200)
    const headers = await key.headersFor(bound, { url: `${externalUrl}/open` })
    expect((await served.call('/open', { headers })).status).toBe(200)
    expect((await served.call('/open', { headers })).status).toBe(200)
    await served.close()
  })
})
