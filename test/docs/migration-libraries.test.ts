// What the migration guides say of libraries beside their tables, shown.
import { createTestIssuer, createTestProofKey, type TestIssuer } from '@countersign/testing'
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest'
import { replaceOnce } from './documents.ts'
import { callers, mayRead, type Sent } from './migration-callers.ts'
import { ask, guides, programsOf, serve } from './migration-services.ts'

// Each test starts programs, which takes its time on a machine that does other things as well.
vi.setConfig({ testTimeout: 60_000 })

let trusted: TestIssuer, stranger: TestIssuer
beforeAll(async () => {
  trusted = await createTestIssuer({ listen: true, alg: 'RS256' })
  stranger = await createTestIssuer({ listen: true, alg: 'RS256' })
})
afterAll(async () => {
  await trusted.close()
  await stranger.close()
})

const [expressJwt, expressOauth, , koaJwt, fastifyJwt] = guides.map(programsOf)

describe('the list of issuers of get-jwks', () => {
  const { before = '' } = fastifyJwt ?? {}
  const asStranger = async (program: string): Promise<number | undefined> => {
    await using service = await serve(program, trusted, [stranger])
    const sent = await callers['a token of another issuer']?.({ trusted, stranger })
    return (await ask(service, sent ?? {})).status
  }

  test('handed to `register`, lets every issuer of the world in', async () => {
    const misplaced = replaceOnce(
      replaceOnce(before, "issuersWhitelist: ['https://idp.internal'], ", ''),
      /^ {2}verify: \{[^}]*\},$/m,
      "  issuersWhitelist: ['https://idp.internal'],",
    )
    const { requests } = stranger
    expect(await asStranger(misplaced)).toBe(200)
    expect(stranger.requests).toBe(requests + 1)
  })

  test('handed to `buildGetJwks`, lets in who is on it', async () => {
    const { requests } = stranger
    expect(await asStranger(before)).toBe(500)
    expect(stranger.requests).toBe(requests)
  })
})

test('@fastify/jwt refuses a token without `aud` or `exp` only if `requiredClaims` says so', async () => {
  const { before = '' } = fastifyJwt ?? {}
  const stricter = replaceOnce(before, 'verify: {', "verify: { requiredClaims: ['aud', 'exp'],")
  await using service = await serve(stricter, trusted)
  for (const caller of ['no `aud`', 'no `exp`']) {
    const sent = await callers[caller]?.({ trusted, stranger })
    expect(await ask(service, sent ?? {})).toMatchObject({ status: 401 })
  }
})

test.each([
  [
    'koa-jwt',
    koaJwt?.after,
    "router.get('/reports', (ctx) => {\n  ctx.body = 'open'\n})\n",
    'await sealRoutes',
  ],
  ['@fastify/jwt', fastifyJwt?.after, "app.get('/reports', async () => 'open')\n", 'await app.listen'],
])('after %s, a route that says nothing ends the program at start', async (_, after = '', route, behind) => {
  const forgetful = replaceOnce(after, behind, route + behind)
  await expect(serve(forgetful, trusted)).rejects.toThrow(/says? who may call (?:`GET )?\/reports/)
})

describe('a DPoP proof', () => {
  const externalUrl = 'https://orders.internal'
  const bound = async (url: string): Promise<Sent> => {
    const key = await createTestProofKey()
    const token = await trusted.token('checkout', { ...mayRead, boundTo: key })
    return { headers: { ...(await key.headersFor(token, { url: `${url}/orders/1` })) } }
  }

  test('is accepted twice by express-oauth2-jwt-bearer', async () => {
    await using service = await serve(expressOauth?.before ?? '', trusted)
    const sent = await bound(`http://localhost:${service.port}`)
    expect(await ask(service, sent)).toMatchObject({ status: 200 })
    expect(await ask(service, sent)).toMatchObject({ status: 200 })
  })

  test('is of no use after, unless `dpop` is written; then it is accepted once', async () => {
    const { after = '' } = expressOauth ?? {}
    await using without = await serve(after, trusted)
    expect(await ask(without, await bound(externalUrl))).toMatchObject({ status: 401 })

    const issuers = "issuers: ['https://idp.internal']"
    const withDpop = replaceOnce(after, issuers, `${issuers}, dpop: { externalUrl: '${externalUrl}' }`)
    await using service = await serve(withDpop, trusted)
    const sent = await bound(externalUrl)
    expect(await ask(service, sent)).toMatchObject({ status: 200 })
    expect(await ask(service, sent)).toMatchObject({ status: 401 })
  })
})

describe('a preflight that asks for `authorization`', () => {
  const handler = `(_req, res) => res.send('reached'))\n`
  const preflight = {
    method: 'OPTIONS',
    path: '/any',
    headers: { 'access-control-request-headers': 'authorization' },
  }

  test('passes express-jwt without a token and reaches a handler in `app.all`', async () => {
    const program = `${expressJwt?.before}\napp.all('/any', ${handler}`
    await using service = await serve(program, trusted)
    expect(await ask(service, preflight)).toMatchObject({ status: 200, text: 'reached' })
    expect(await ask(service, { ...preflight, headers: {} })).toMatchObject({ status: 401 })
  })

  test('is held to what the route asks after', async () => {
    const program = `${expressJwt?.after}\napp.all('/any', requireScopes('orders:read'), ${handler}`
    await using service = await serve(program, trusted)
    expect(await ask(service, preflight)).toMatchObject({ status: 401 })
  })
})
