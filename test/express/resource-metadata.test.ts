import { subscribe, unsubscribe } from 'node:diagnostics_channel'
import { createGuard, decisionChannel, type DecisionEvent } from '@countersign/core'
import { countersign, requireScopes, resourceMetadata } from '@countersign/express'
import { createTestIssuer } from '@countersign/testing'
import { describe, expect, test } from 'vitest'
import { bearer, expressVersions, serve } from '../threats/support/served.ts'

const resource = { identifier: 'https://api.example/orders', name: 'Orders' }
const path = '/.well-known/oauth-protected-resource/orders'

describe.each(expressVersions)('resource metadata on %s', (_version, express) => {
  const start = async (options: object = { resource }) => {
    const idp = await createTestIssuer()
    const guard = createGuard({ audience: 'orders', issuers: [idp], log: false, ...options })
    const app = express()
    app.use(countersign(guard))
    app.use(resourceMetadata())
    app.get('/orders', requireScopes('orders:read'), (_request, response) => void response.send('orders'))
    app.post('/orders', requireScopes('orders:write'), (_request, response) => void response.send('made'))
    return { idp, served: await serve(app) }
  }

  test('says who issues tokens and which scopes routes ask for, to anybody', async () => {
    const routes: string[] = []
    const listen = (event: unknown): void => void routes.push((event as DecisionEvent).route)
    const { served } = await start()
    await using _ = served
    subscribe(decisionChannel, listen)
    const answer = await served.get(path)
    unsubscribe(decisionChannel, listen)
    expect(routes).toEqual([`GET ${path}`])
    expect(answer.status).toBe(200)
    expect(answer.head.toLowerCase()).toContain('content-type: application/json')
    expect(answer.head.toLowerCase()).toContain('cache-control: public, max-age=300')
    expect(JSON.parse(answer.body)).toEqual({
      resource: 'https://api.example/orders',
      authorization_servers: ['https://issuer.test'],
      scopes_supported: ['orders:read', 'orders:write'],
      bearer_methods_supported: ['header'],
      resource_name: 'Orders',
    })
  })

  test('is pointed to by the challenge of a refusal', async () => {
    const { served } = await start()
    await using _ = served
    const { head } = await served.get('/orders')
    expect(head).toContain(`resource_metadata="https://api.example${path}"`)
    expect(head).toContain('scope="orders:read"')
  })

  test('answers HEAD without a body, and leaves every other request alone', async () => {
    const { served, idp } = await start()
    await using _ = served
    expect(await served.raw(`HEAD ${path} HTTP/1.1`)).toMatchObject({ status: 200, body: '' })
    expect((await served.raw(`POST ${path} HTTP/1.1`, 'Content-Length: 0')).status).toBe(404)
    expect((await served.get(`${path}/x`)).status).toBe(404)
    expect((await served.get('/orders')).status).toBe(401)
    const token = bearer(await idp.token('checkout', { scopes: ['orders:read'] }))
    expect(await served.get('/orders', token)).toMatchObject({ status: 200, body: 'orders' })
  })

  test('is an error where the guard does not know who the service is', async () => {
    const { served } = await start({})
    await using _ = served
    expect((await served.get(path)).status).toBe(500)
  })
})
