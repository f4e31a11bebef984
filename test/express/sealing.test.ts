import {
  ConfigurationError,
  authenticated,
  callerOptional,
  countersign,
  createGuard,
  createTlsServer,
  requireScopes,
  requires,
  sealRoutes,
  unprotected,
  type Guard,
  type GuardOptions,
} from '@countersign/express'
import { createTestCa, type TestIssuer } from '@countersign/testing'
import type { Request, Response } from 'express'
import { afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { layersOf, routerOf } from '../../packages/express/src/framework.ts'
import { ServedApp, bearer, expressVersions, testIssuer } from './served-app.ts'

let issuer: TestIssuer
beforeAll(async () => {
  issuer = await testIssuer()
})

describe.each(expressVersions)('%s', (_name, express) => {
  let app: ReturnType<typeof express>
  let told: string[]
  const guards: Guard[] = []
  const handler = (_request: Request, response: Response): void => void response.send('answered')

  beforeEach(() => {
    app = express()
    told = []
  })
  afterEach(() => {
    for (const guard of guards.splice(0)) guard.close()
  })

  function guardWith(undeclared: GuardOptions['undeclared']): Guard {
    const guard = createGuard({
      audience: 'orders',
      issuers: [issuer],
      log: { warn: (message) => void told.push(message) },
      ...(undeclared === undefined ? {} : { undeclared }),
    })
    guards.push(guard)
    return guard
  }

  const failing = async (sealing: Promise<void>): Promise<ConfigurationError> => {
    const error: unknown = await sealing.then(
      () => undefined,
      (reason: unknown) => reason,
    )
    if (!(error instanceof ConfigurationError)) throw new Error('expected a ConfigurationError')
    return error
  }

  test('stops the start with every route of which nobody says who may call it', async () => {
    app.use(countersign(guardWith('fail-start')))
    const inner = express.Router()
    inner.get('/b', handler)
    app.get('/a', handler)
    app.get('/fine', unprotected('open'), handler)
    app.use('/inner', inner)
    app.use('/floor', requireScopes('a:b'), inner)
    const error = await failing(sealRoutes(app))
    expect(error.option).toBe('undeclared')
    expect(error.message).toBe(
      "`undeclared`: nobody says who may call `GET /a`, `GET /inner/b`: put requireScopes('…') first on each, or unprotected('why') if everybody may call it",
    )
    expect(told).toEqual([])
  })

  test('names twenty routes, and how many more there are', async () => {
    app.use(countersign(guardWith('fail-start')))
    for (let i = 0; i < 25; i += 1) app.get(`/route-${i}`, handler)
    const { message } = await failing(sealRoutes(app))
    expect(message).toContain('`GET /route-19` and 5 more:')
    expect(message).not.toContain('/route-20')
  })

  test('stops the start for routes that no guard stands before', async () => {
    app.get('/before', handler)
    app.use('/api', countersign(guardWith('fail-start')))
    app.get('/api/x', unprotected('open'), handler)
    const { message } = await failing(sealRoutes(app))
    expect(message).toBe(
      '`undeclared`: no guard stands before `GET /before`: put app.use(countersign(guard)) before every route',
    )
  })

  test.each(['refuse', 'fail-start', undefined, authenticated()] as const)(
    'stops the start for every declaration that comes too late, under %o',
    async (undeclared) => {
      app.use(countersign(guardWith(undeclared)))
      app.get('/x', handler, requireScopes('x:read'))
      app.post('/y', unprotected('open'), handler, requireScopes('y:read'))
      app.use('/alone', unprotected('opens nothing'))
      app.use('/pair', unprotected('opens nothing'), requires(authenticated()))
      app.use(callerOptional('opens nothing'))
      app.get('/z', requires(authenticated()), handler)
      const error = await failing(sealRoutes(app))
      expect(error.option).toBe('GET /x')
      expect(error.message).toContain(
        'at `GET /x`, `POST /y`, `use /alone`, `use /pair`, `use /`: write app.get(',
      )
      expect(error.message).not.toContain('/z')
    },
  )

  test('names what is undeclared beside what is misplaced', async () => {
    app.use(countersign(guardWith('fail-start')))
    app.get('/x', handler, requireScopes('x:read'))
    app.get('/y', handler)
    expect((await failing(sealRoutes(app))).message).toMatch(/`GET \/x`: write .*; nobody says .*`GET \/y`/)
  })

  test('starts where every route says who may call it, and refuses and reports what comes later', async () => {
    const guard = guardWith('fail-start')
    app.use(countersign(guard))
    app.get('/x', unprotected('open'), handler)
    await sealRoutes(app)
    const served = await ServedApp.start(app)
    expect((await served.call('/x')).body).toBe('answered')
    app.get('/late', handler)
    expect(await served.call('/late', { headers: await bearer(issuer) })).toMatchObject({
      status: 403,
      code: 'route_undeclared',
    })
    await served.close()
    expect(told).toHaveLength(1)
    expect(told[0]).toContain('refused GET /late with route_undeclared')
    expect(guard.census().map(({ path, status }) => [path, status])).toEqual([
      ['/x', 'declared'],
      ['/late', 'undeclared'],
    ])
    await expect(sealRoutes(app)).rejects.toThrow('GET /late')
  })

  test('tells once that nobody has sealed, and refuses all the same', async () => {
    app.use(countersign(guardWith('fail-start')))
    app.get('/x', handler)
    const served = await ServedApp.start(app)
    expect((await served.call('/x')).code).toBe('route_undeclared')
    expect((await served.call('/x')).code).toBe('route_undeclared')
    await served.close()
    expect(told.filter((line) => line.includes('sealRoutes'))).toEqual([
      "countersign: `undeclared: 'fail-start'` has stopped nothing: write `await sealRoutes(app)` before the application listens",
    ])
    expect(told).toHaveLength(3)
    expect(told[1]).toContain('refused until they say who may call: `GET /x`')
  })

  test('does not tell of a mounted application that was sealed with the one around it', async () => {
    const guard = guardWith('fail-start')
    const sub = express()
    sub.use(countersign(guard))
    sub.get('/x', unprotected('open'), handler)
    app.use(countersign(guard))
    app.use('/sub', sub)
    await sealRoutes(app)
    const served = await ServedApp.start(app)
    expect((await served.call('/sub/x')).body).toBe('answered')
    await served.close()
    expect(told).toEqual([])
  })

  test.each([undefined, 'refuse'] as const)(
    'tells the log what is refused, and what no guard stands before, under %o',
    async (undeclared) => {
      app.get('/before', handler)
      app.use('/api', countersign(guardWith(undeclared)))
      app.get('/api/x', handler)
      await sealRoutes(app)
      expect(told).toEqual([
        "countersign: refused until they say who may call: `GET /api/x`; put requireScopes('…') or unprotected('why') first",
        'countersign: no guard stands before `GET /before`: put app.use(countersign(guard)) before every route',
      ])
    },
  )

  test('leaves routers to be seen as routers by whoever looks at the layers of an application', async () => {
    app.use(countersign(guardWith('refuse')))
    const inner = express.Router().get('/x', unprotected('open'), handler)
    app.use('/inner', inner)
    await sealRoutes(app)
    const seen = layersOf(routerOf(app)).flatMap(({ handle }) => layersOf(handle))
    expect(seen).toEqual(layersOf(inner))
    expect(seen).toHaveLength(1)
  })

  test('tells nothing where every route says who may call it, or is held to a requirement', async () => {
    app.use(countersign(guardWith(authenticated())))
    app.get('/x', handler)
    app.get('/y', unprotected('open'), handler)
    await sealRoutes(app)
    expect(told).toEqual([])
  })

  test('tells at the first request which routes are refused, where nobody has sealed', async () => {
    app.use(countersign(guardWith('refuse')))
    app.get('/x', handler)
    app.get('/y', unprotected('open'), handler)
    const served = await ServedApp.start(app)
    await served.call('/y')
    await served.call('/y')
    await served.close()
    expect(told).toEqual([
      "countersign: refused until they say who may call: `GET /x`; put requireScopes('…') or unprotected('why') first",
    ])
  })

  test('does not tell of a mounted application before the guard around it, either', async () => {
    const guard = guardWith('fail-start')
    const sub = express()
    sub.use(countersign(guard))
    sub.get('/x', unprotected('open'), handler)
    app.use('/sub', sub)
    app.use(countersign(guard))
    await sealRoutes(app)
    const served = await ServedApp.start(app)
    expect((await served.call('/sub/x')).body).toBe('answered')
    await served.close()
    expect(told).toEqual([])
    expect(guard.census().map(({ path }) => path)).toEqual(['/sub/x'])
  })

  test('tells each of two guards of one application once, and lists nothing twice', async () => {
    const one = guardWith('fail-start')
    const two = guardWith('fail-start')
    const open = (): ReturnType<typeof express.Router> =>
      express.Router().get('/x', unprotected('open'), handler)
    app.use('/one', countersign(one), open())
    app.use('/two', countersign(two), open())
    const served = await ServedApp.start(app)
    for (const path of ['/one/x', '/two/x', '/one/x', '/two/x']) {
      expect((await served.call(path)).body).toBe('answered')
    }
    await served.close()
    expect(told).toHaveLength(2)
    expect(one.census().map(({ path }) => path)).toEqual(['/one/x'])
    expect(two.census().map(({ path }) => path)).toEqual(['/two/x'])
  })

  test('lists the routes of an application behind another guard than the one around it', async () => {
    const inner = guardWith('refuse')
    const sub = express()
    sub.use(countersign(inner))
    sub.get('/x', unprotected('open'), handler)
    await sealRoutes(sub)
    app.use('/sub', sub)
    app.use('/other', countersign(guardWith('refuse')))
    await sealRoutes(app)
    // Asked by itself, and as a part of the whole.
    expect(inner.census().map(({ path }) => path)).toEqual(['/sub/x'])
  })

  test('is refused for an application without a guard', async () => {
    app.get('/x', handler)
    expect((await failing(sealRoutes(app))).message).toBe(
      '`guard`: the application does not use it: write app.use(countersign(guard)) before its routes',
    )
    expect(await failing(sealRoutes(express()))).toMatchObject({ option: 'guard' })
  })

  test('finds the guards of routers, and seals for each', async () => {
    const one = guardWith('fail-start')
    const two = guardWith('fail-start')
    app.use('/one', countersign(one), express.Router().get('/x', unprotected('open'), handler))
    app.use('/two', countersign(two), express.Router().get('/x', handler))
    expect((await failing(sealRoutes(app))).message).toContain('`GET /two/x`')
  })

  test('stops the start where two guards stand on one way', async () => {
    app.use(countersign(guardWith('refuse')))
    const inner = express.Router()
    inner.use(countersign(guardWith('refuse')))
    app.use('/inner', inner)
    expect((await failing(sealRoutes(app))).message).toBe(
      '`countersign`: two guards stand on one way: mount one guard, or give both the same',
    )
  })

  test('takes one guard that is mounted twice', async () => {
    const guard = guardWith('fail-start')
    app.use(countersign(guard), countersign(guard))
    app.get('/x', unprotected('open'), handler)
    await sealRoutes(app)
    const served = await ServedApp.start(app)
    const answer = await served.call('/x')
    await served.close()
    expect([answer.body, answer.events.length]).toEqual(['answered', 1])
    expect(guard.census()).toHaveLength(1)
  })

  test('holds a TLS server to the same', async () => {
    const { cert, key } = await (await createTestCa()).serverCertificate()
    const guard = guardWith('fail-start')
    app.use(countersign(guard))
    app.get('/x', handler)
    expect(() => createTlsServer(app, { cert, key, guard })).toThrow('`GET /x`')
    const sound = express()
    sound.use(countersign(guard))
    sound.get('/x', unprotected('open'), handler)
    createTlsServer(sound, { cert, key, guard }).close()
    const served = await ServedApp.start(sound)
    await served.call('/x')
    await served.close()
    expect(told).toEqual([])
  })
})
