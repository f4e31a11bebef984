import {
  authenticated,
  callerOf,
  countersign,
  createGuard,
  decisionOf,
  requireScopes,
  requires,
  resourceMetadata,
  unprotected,
  type Guard,
} from '@countersign/express'
import { mounterFor } from '@countersign/core/adapter'
import type { TestIssuer } from '@countersign/testing'
import type { NextFunction, Request, Response } from 'express'
import { afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { protectRoute } from '../../packages/express/src/protected-route.ts'
import { ServedApp, bearer, expressVersions, testIssuer } from './served-app.ts'

// What operators and programmers are told where something is in the wrong place.

let issuer: TestIssuer
beforeAll(async () => {
  issuer = await testIssuer()
})

describe.each(expressVersions)('%s', (_name, express) => {
  let app: ReturnType<typeof express>
  let guard: Guard
  let served: ServedApp
  let told: string[]
  const handler = (_request: Request, response: Response): void => void response.send('answered')
  /** Shows the error that Express was given. */
  const show = (error: Error, _request: Request, response: Response, _next: NextFunction): void =>
    void response.status(500).send(error.message)

  beforeEach(async () => {
    told = []
    guard = createGuard({
      audience: 'orders',
      issuers: [issuer],
      log: { warn: (message) => void told.push(message.replace(/decision [^)]*/, 'decision 1')) },
      undeclared: authenticated(),
    })
    app = express()
    served = await ServedApp.start(app)
  })
  afterEach(async () => {
    await served.close()
    guard.close()
  })

  test('says what stands in the wrong order on a route', async () => {
    app.use(countersign(guard))
    app.get('/x', handler, requireScopes('a:b'))
    await served.call('/x')
    expect(told).toEqual([
      "countersign: refused GET /x with declaration_misplaced (decision 1): expected what says who may call first on the route, got a handler before it; write app.get(path, requireScopes('…'), handler): the declaration comes before every other handler",
    ])
  })

  test('says what is missing beside a declaration that asks nothing', async () => {
    app.use(countersign(guard))
    app.use('/x', unprotected('alone'))
    await served.call('/x')
    expect(told).toEqual([
      "countersign: refused use /x with declaration_misplaced (decision 1): expected a handler in the same `use`, got a declaration alone; write app.use(path, unprotected('why'), handler); a route says it itself: app.get(path, unprotected('why'), handler)",
    ])
  })

  test('says what is missing beside a handler that answers', async () => {
    app.use(countersign(guard))
    app.use('/x', handler)
    const answer = await served.call('/x')
    expect(answer.body).not.toContain('answered')
    expect(told).toEqual([
      "countersign: refused GET (outside any route) with route_undeclared (decision 1): expected a declaration in the same `use` as the handler, got a handler that answers without one; write app.use(path, unprotected('why'), handler), or requireScopes('…') in its place",
    ])
  })

  test('says which declaration says nothing that can be asked', () => {
    expect(() => requires('orders:read' as never)).toThrow(expect.objectContaining({ option: 'requires(…)' }))
  })

  test('says that no guard stands before a declaration', async () => {
    app.get('/x', requires(authenticated()), handler)
    app.use(show)
    expect((await served.call('/x')).body).toBe(
      '`countersign`: no guard saw this request: put app.use(countersign({ … })) before authenticated()',
    )
  })

  test('says that no guard stands before a mounted route, and lets its requests by where one does', async () => {
    const route = { method: 'get', path: '/x', placement: undefined, handler: handler as never }
    countersign(guard)
    expect(mounterFor(app)?.framework).toBe('express')
    mounterFor(app)?.mount(app, [route])
    app.use(show)
    expect((await served.call('/x')).body).toBe(
      '`countersign`: no guard saw this request: put app.use(countersign({ … })) before mount(app, …)',
    )
    const guarded = express.Router()
    guarded.use(countersign(guard))
    mounterFor(app)?.mount(guarded, [route])
    app.use('/guarded', guarded)
    expect((await served.call('/guarded/x', { headers: await bearer(issuer) })).body).toBe('answered')
  })

  test('mounts on nothing that is no router', () => {
    countersign(guard)
    const members = { use: 1, route: 1, param: 1, get: 1 }
    for (const value of [
      undefined,
      'app',
      {},
      () => undefined,
      { ...members },
      ...Object.keys(members).map((name) =>
        Object.assign(() => undefined, { ...members, [name]: undefined }),
      ),
    ]) {
      for (const [name, member] of Object.entries(value ?? {})) {
        if (member === undefined) Reflect.deleteProperty(value as object, name)
      }
      expect(mounterFor(value)).toBeUndefined()
    }
    expect(mounterFor(Object.assign(() => undefined, members))).toBeDefined()
  })

  test('says which two guards saw one request', async () => {
    app.use(countersign(guard), countersign({ audience: 'orders', issuers: [issuer], log: false }))
    app.use(show)
    expect((await served.call('/x')).body).toBe(
      '`countersign`: two guards saw one request: mount one guard, or give both the same',
    )
  })

  test('says that nothing is known of the resource whose metadata are to be served', async () => {
    app.use('/unguarded', resourceMetadata())
    app.use(countersign(guard))
    app.use(resourceMetadata())
    app.use(show)
    for (const path of ['/unguarded', '/x']) {
      expect((await served.call(path)).body).toBe(
        "`resource`: nothing is known of this resource: write countersign({ resource: 'https://…', … }) before resourceMetadata()",
      )
    }
  })

  test('knows no caller where no guard saw the request', async () => {
    app.get('/x', (request, response) => {
      response.send(`caller: ${typeof callerOf(request)}, decision: ${typeof decisionOf(request)}`)
    })
    expect((await served.call('/x')).body).toBe('caller: undefined, decision: undefined')
  })

  test('lets no request into a route whose gate could not be put first', () => {
    const route = {
      path: '/x',
      stack: [{ handle: handler, method: 'get' }],
      methods: { get: true },
      dispatch: () => undefined,
    }
    const verb = { ...route, get: () => undefined }
    for (const each of [route, route, verb, verb]) {
      expect(() => protectRoute(each, undefined)).toThrow('adds the handlers of a route in another way')
    }
    expect(route.stack).toEqual([{ handle: handler, method: 'get' }])
  })
})
