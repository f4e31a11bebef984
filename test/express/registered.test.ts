import { OtherRequirement } from '@countersign/core/adapter'
import { authenticated, countersign, createGuard, requires, type Guard } from '@countersign/express'
import type { TestIssuer } from '@countersign/testing'
import type { Request, Response } from 'express'
import { afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { ServedApp, bearer, expressVersions, testIssuer } from './served-app.ts'

let issuer: TestIssuer
beforeAll(async () => {
  issuer = await testIssuer()
})

describe.each(expressVersions)('%s', (_name, express) => {
  let app: ReturnType<typeof express>
  let guard: Guard
  let served: ServedApp
  /** The route and its spelling, as requirements saw them. */
  let seen: [route: string, registered: string][]
  const look = requires(
    new OtherRequirement({
      text: 'look()',
      check: (_caller, _now, { route, registered }) => void seen.push([route, registered]),
    }),
  )
  const handler = (_request: Request, response: Response): void => void response.end()

  beforeEach(async () => {
    seen = []
    guard = createGuard({ audience: 'orders', issuers: [issuer], log: false })
    app = express()
    app.use(countersign(guard))
    served = await ServedApp.start(app)
  })
  afterEach(async () => {
    await served.close()
    guard.close()
  })

  async function see(path: string, method = 'GET'): Promise<typeof seen> {
    seen = []
    await served.call(path, { method, headers: await bearer(issuer) })
    return seen
  }

  test('shows a requirement the route as the census spells it, beside the method that was asked', async () => {
    app.route('/x/:id').all(look).get(handler)
    app.all('/every', look, handler)
    app.head('/head', look, handler)
    const routed = express.Router()
    routed.all('/all', look, handler)
    app.use('/router', routed)
    expect(await see('/x/7')).toEqual([['GET /x/:id', 'GET /x/:id']])
    expect(await see('/x/7', 'HEAD')).toEqual([['HEAD /x/:id', 'GET /x/:id']])
    expect(await see('/x/7', 'PUT')).toEqual([['PUT /x/:id', '* /x/:id']])
    expect(await see('/every', 'DELETE')).toEqual([['DELETE /every', '* /every']])
    expect(await see('/every', 'HEAD')).toEqual([['HEAD /every', '* /every']])
    expect(await see('/head', 'HEAD')).toEqual([['HEAD /head', 'HEAD /head']])
    expect(await see('/router/all', 'PATCH')).toEqual([['PATCH /router/all', '* /router/all']])
    const spelled = guard.census().map(({ method, path }) => `${method} ${path}`)
    expect(spelled).toEqual(['* /x/:id', 'GET /x/:id', '* /every', 'HEAD /head', '* /router/all'])
  })

  test('spells nothing where a router asks, before any route is chosen', async () => {
    const router = express.Router()
    router.use(look)
    router.get('/x', handler)
    app.use('/router', router)
    expect(await see('/router/x')).toEqual([
      ['use /router', ''],
      ['GET /router/x', 'GET /router/x'],
    ])
    expect(await see('/router/nothing')).toEqual([['use /router', '']])
  })

  test('spells nothing for a router behind a route that passed the request on', async () => {
    app.get('/x', requires(authenticated()), (_request, _response, next) => next())
    app.use(look)
    expect(await see('/x')).toEqual([['use ', '']])
  })

  test('reads anew what a route declares when handlers were added to it', async () => {
    const route = app.route('/x').get(requires(authenticated()), (_request, _response, next) => next())
    expect(await see('/x')).toEqual([])
    route.get(handler, look)
    expect((await served.call('/x', { headers: await bearer(issuer) })).code).toBe('declaration_misplaced')
  })
})
