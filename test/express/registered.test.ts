import { METHODS } from 'node:http'
import { OtherRequirement } from '@countersign/core/adapter'
import {
  authenticated,
  countersign,
  createGuard,
  requireScopes,
  requires,
  sealRoutes,
  unprotected,
  type Guard,
} from '@countersign/express'
import type { TestIssuer } from '@countersign/testing'
import type { Request, RequestHandler, Response } from 'express'
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
    app.route('/posted').all(look).post(handler)
    const routed = express.Router()
    routed.all('/all', look, handler)
    app.use('/router', routed)
    expect(await see('/x/7')).toEqual([['GET /x/:id', 'GET /x/:id']])
    expect(await see('/x/7', 'HEAD')).toEqual([['HEAD /x/:id', 'GET /x/:id']])
    expect(await see('/x/7', 'PUT')).toEqual([['PUT /x/:id', '* /x/:id']])
    expect(await see('/every', 'DELETE')).toEqual([['DELETE /every', '* /every']])
    expect(await see('/every', 'HEAD')).toEqual([['HEAD /every', '* /every']])
    expect(await see('/head', 'HEAD')).toEqual([['HEAD /head', 'HEAD /head']])
    expect(await see('/posted', 'HEAD')).toEqual([['HEAD /posted', '* /posted']])
    expect(await see('/router/all', 'PATCH')).toEqual([['PATCH /router/all', '* /router/all']])
    const spelled = guard.census().map(({ method, path }) => `${method} ${path}`)
    expect(spelled).toEqual([
      '* /x/:id',
      'GET /x/:id',
      '* /every',
      'HEAD /head',
      '* /posted',
      'POST /posted',
      '* /router/all',
    ])
  })

  test('spells a method for each handler of its own, and one for all only where it is the same for all', async () => {
    const verbs = METHODS.map((method) => method.toLowerCase())
    const [first = ''] = verbs
    const add = (path: string, verb: string, ...handlers: RequestHandler[]): void => {
      const route: unknown = app.route(path)
      Reflect.apply(Reflect.get(route as object, verb), route, handlers)
    }
    add('/first', first, look, handler)
    const each: unknown = app.route('/each')
    for (const verb of verbs) {
      Reflect.apply(Reflect.get(each as object, verb), each, [look, requireScopes(`${verb}:it`), handler])
    }
    app.all('/all', look, handler)
    await sealRoutes(app)
    const of = (path: string): readonly string[] =>
      guard.census().flatMap((entry) => (entry.path === path ? [`${entry.method} ${entry.requirement}`] : []))
    expect(of('/first')).toEqual([`${METHODS[0]} look()`])
    expect(of('/each')).toEqual(
      METHODS.map((method) => `${method} allOf(look(), scopes(${method.toLowerCase()}:it))`),
    )
    expect(of('/all')).toEqual(['* look()'])
    expect(await see('/each')).toEqual([['GET /each', 'GET /each']])
  })

  test('shows what a route says too late, and where, and takes a declaration without a handler for none', async () => {
    app.get('/late', handler, unprotected('too late'))
    app.get('/alone', requireScopes('alone:read'))
    await expect(sealRoutes(app)).rejects.toThrow('at `GET /late`:')
    expect(guard.census()).toMatchObject([
      {
        path: '/late',
        requirement: 'unprotected(too late)',
        status: 'misplaced',
        declaredAt: expect.stringContaining('registered.test.ts'),
      },
      { path: '/alone', requirement: 'scopes(alone:read)', status: 'declared' },
    ])
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
