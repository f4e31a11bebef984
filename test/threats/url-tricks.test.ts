import { subscribe, unsubscribe } from 'node:diagnostics_channel'
import { decisionChannel, type DecisionEvent } from '@countersign/core'
import { countersign, createGuard, requireScopes, unprotected } from '@countersign/express'
import { createTestIssuer } from '@countersign/testing'
import type { RequestHandler, Response } from 'express'
import methodOverride from 'method-override'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { bearer, expressVersions, serve, type RawAnswer, type Served } from './support/served.ts'

// One application twice: as it is, and guarded. Whatever is sent, the guarded one runs the same handler or none, and the handler
// that runs is the one of the route that was decided for.

const idp = await createTestIssuer()

/** The scope of each route that asks for one. */
const scopes = {
  panel: 'panel:read',
  deep: 'deep:read',
  order: 'order:read',
  remove: 'order:remove',
  listed: 'listed:read',
  pattern: 'pattern:read',
  every: 'every:use',
  head: 'head:read',
  plain: 'plain:read',
  tenant: 'tenant:read',
  splat: 'splat:read',
  assets: 'assets:read',
} as const
type Label = keyof typeof scopes

const all = [...Object.values(scopes), 'floor:pass']
const withAll = bearer(await idp.token('all', { scopes: all }))
const without = async (scope: string): Promise<string> =>
  bearer(await idp.token('without', { scopes: all.filter((each) => each !== scope) }))

const long = 'a'.repeat(7000)

/** The threat that it belongs to, a request line without its version, and lines of headers. */
const tricks: readonly (readonly [threat: string, line: string, ...headers: string[]])[] = [
  ['T46', 'GET /admin/panel'],
  ['T46', 'GET /ADMIN/Panel'],
  ['T46', 'GET /admin/panel/'],
  ['T46', 'GET /admin/panel//'],
  ['T46', 'GET //admin/panel'],
  ['T46', 'GET ///admin///panel'],
  ['T46', 'GET /admin//panel'],
  ['T46', 'GET /./admin/panel'],
  ['T46', 'GET /admin/./panel'],
  ['T46', 'GET /open/../admin/panel'],
  ['T46', 'GET /admin/x/../panel'],
  ['T46', 'GET /admin/..;/panel'],
  ['T46', 'GET /%61dmin/panel'],
  ['T46', 'GET /admin/%70anel'],
  ['T46', 'GET /admin/%2570anel'],
  ['T46', 'GET /admin%2Fpanel'],
  ['T46', 'GET /admin%2fpanel'],
  ['T46', 'GET /admin%252Fpanel'],
  ['T46', 'GET /admin%5Cpanel'],
  ['T46', 'GET /admin\\panel'],
  ['T46', 'GET \\admin\\panel'],
  ['T46', 'GET /admin/panel%00'],
  ['T46', 'GET /admin/panel%00.css'],
  ['T46', 'GET /admin/panel\u0000'],
  ['T46', 'GET /admin/panel%20'],
  ['T46', 'GET /admin/panel%0d%0a'],
  ['T46', 'GET /admin/panel;x=y'],
  ['T46', 'GET /admin;x=y/panel'],
  ['T46', 'GET /admin/panel;/../../open'],
  ['T46', 'GET /admin/panel?/open'],
  ['T46', 'GET /admin/panel?x=/../../open'],
  ['T46', 'GET /open?/admin/panel'],
  ['T46', 'GET /admin/panel#/open'],
  ['T46', 'GET /open#/../admin/panel'],
  ['T46', 'GET /admin/panel%3Fopen'],
  ['T46', 'GET /admin/panel%23open'],
  ['T46', 'GET /admin/%C0%AE%C0%AE/open'],
  ['T46', 'GET /%C1%A1dmin/panel'],
  ['T46', 'GET /admin/p\u00e4nel'],
  ['T46', 'GET /adm\u0130n/panel'],
  ['T46', 'GET /admin.json/panel'],
  ['T46', 'GET /admin/panel.json'],
  ['T46', 'GET /admin.'],
  ['T46', 'GET http://orders.internal/admin/panel'],
  ['T46', 'GET http://attacker.test/admin/panel'],
  ['T46', 'GET HTTP://orders.internal//admin/panel'],
  ['T46', 'GET http:///admin/panel'],
  ['T46', 'GET http://orders.internal:80@attacker.test/admin/panel'],
  ['T46', 'GET //attacker.test/admin/panel'],
  ['T46', 'GET admin/panel'],
  ['T46', 'GET *'],
  ['T46', 'GET ?/admin/panel'],
  ['T46', 'GET /admin/deep/inner'],
  ['T46', 'GET /admin/deep//inner'],
  ['T46', 'GET /admin/deep/../panel'],
  ['T46', 'GET /orders/7'],
  ['T46', 'GET /orders/%37'],
  ['T46', 'GET /orders/a%2Fb'],
  ['T46', 'GET /orders/..'],
  ['T46', 'GET /orders/../open'],
  ['T46', 'GET /orders/%E0%A4%A'],
  ['T46', 'GET /orders/'],
  ['T46', 'GET /one'],
  ['T46', 'GET /Two/'],
  ['T46', 'GET /pattern12'],
  ['T46', 'GET /pattern12/'],
  ['T46', 'GET /tenants/a/list'],
  ['T46', 'GET /tenants/open/list'],
  ['T46', 'GET /tenants/%2e%2e/list'],
  ['T46', 'GET /clients/a/list'],
  ['T46', 'GET /splat/a/b/c'],
  ['T46', 'GET /splat/../open'],
  ['T46', 'GET /files/x.txt'],
  ['T46', 'GET /files/../open'],
  ['T46', 'GET /files%2fx.txt'],
  ['T46', `GET /admin/panel/${long}`],
  ['T46', `GET /${'/'.repeat(3000)}admin/panel`],
  ['T46', `GET /${'a/../'.repeat(1000)}admin/panel`],
  ['T46', `GET /orders/${long}`],
  ['T46', `GET /admin/panel?${long}`],
  ['T46', 'GET /admin/panel', 'X-Original-URL: /open'],
  ['T46', 'GET /open', 'X-Original-URL: /admin/panel', 'X-Rewrite-URL: /admin/panel'],
  ['T46', 'GET /open', 'X-Forwarded-Prefix: /admin', 'X-Forwarded-Path: /admin/panel'],
  ['T47', 'HEAD /admin/panel'],
  ['T47', 'HEAD /orders/7'],
  ['T47', 'HEAD /plain'],
  ['T47', 'GET /plain'],
  ['T47', 'HEAD /every'],
  ['T47', 'OPTIONS /admin/panel'],
  ['T47', 'OPTIONS /orders/7'],
  ['T47', 'OPTIONS /every'],
  ['T47', 'OPTIONS *'],
  ['T47', 'TRACE /every'],
  ['T47', 'TRACE /admin/panel'],
  ['T47', 'PROPFIND /every'],
  ['T47', 'M-SEARCH /every'],
  ['T47', 'DELETE /orders/7'],
  ['T47', 'PATCH /orders/7'],
  ['T47', 'get /admin/panel'],
  ['T47', 'Get /orders/7'],
  ['T47', 'BREW /every'],
  ['T47', 'GETT /admin/panel'],
  ['T47', 'CONNECT /admin/panel'],
  ['T47', 'POST /orders/7', 'X-HTTP-Method-Override: DELETE', 'Content-Length: 0'],
  ['T47', 'POST /orders/7', 'X-HTTP-Method-Override: delete', 'Content-Length: 0'],
  ['T47', 'POST /orders/7', 'X-HTTP-Method-Override: HEAD', 'Content-Length: 0'],
  ['T47', 'POST /admin/panel', 'X-HTTP-Method-Override: GET', 'Content-Length: 0'],
  ['T47', 'POST /every', 'X-HTTP-Method-Override: BREW', 'Content-Length: 0'],
  ['T47', 'GET /orders/7', 'X-HTTP-Method-Override: DELETE'],
  ['T47', 'OPTIONS /orders/7', 'Origin: https://a.test', 'Access-Control-Request-Method: DELETE'],
  ['T50', 'GET /healthz'],
  ['T50', 'GET /healthz/'],
  ['T50', 'GET /healthz/../admin/panel'],
  ['T50', 'GET /admin/panel?healthz'],
  ['T50', 'GET /admin/healthz'],
  ['T50', 'GET /healthzadmin/panel'],
  ['T50', 'GET /healthz%2f..%2fadmin/panel'],
  ['T50', 'GET /admin/panel;/healthz'],
  ['T53', 'GET /admin/panel', 'Host: attacker.test'],
  ['T53', 'GET /admin/panel', 'X-Forwarded-Host: attacker.test'],
]

const tricksOf = (id: string): readonly (readonly [title: string, line: string, headers: string[]])[] =>
  tricks
    .filter(([threat]) => threat === id)
    .map(([, line, ...headers]) => [[line, ...headers].join(' | ').slice(0, 70), line, headers])

describe.each(expressVersions)('%s', (name, express) => {
  /** The labels of the handlers that ran. */
  let ran: string[] = []
  const handler =
    (label: Label | 'open'): RequestHandler =>
    (_request, response) => {
      ran.push(label)
      answer(response, label)
    }
  // One way of answering for all methods: no entity tag, nothing negotiated.
  const answer = (response: Response, label: string): void => void response.status(200).end(`<${label}>`)

  function build(isGuarded: boolean) {
    const app = express()
    const asks = (label: Label): RequestHandler[] => (isGuarded ? [requireScopes(scopes[label])] : [])
    const open: RequestHandler[] = isGuarded ? [unprotected('open')] : []
    app.use(methodOverride())
    if (isGuarded) app.use(countersign(createGuard({ audience: 'orders', issuers: [idp], log: false })))
    const deep = express.Router()
    deep.get('/inner', ...asks('deep'), handler('deep'))
    const admin = express.Router()
    if (isGuarded) admin.use(requireScopes('floor:pass'))
    admin.get('/panel', ...asks('panel'), handler('panel'))
    admin.use('/deep', deep)
    const tenant = express.Router({ mergeParams: true })
    tenant.get('/list', ...asks('tenant'), handler('tenant'))
    app.get(['/open', '/healthz'], ...open, handler('open'))
    app.use('/admin', admin)
    app
      .route('/orders/:id')
      .get(...asks('order'), handler('order'))
      .delete(...asks('remove'), handler('remove'))
    app.get(['/one', '/two'], ...asks('listed'), handler('listed'))
    app.get(/^\/pattern(\d+)$/i, ...asks('pattern'), handler('pattern'))
    app.all('/every', ...asks('every'), handler('every'))
    app.head('/plain', ...asks('head'), handler('head'))
    app.get('/plain', ...asks('plain'), handler('plain'))
    app.use(['/tenants/:tenant', '/clients/:tenant'], tenant)
    app.get(name === 'Express 5' ? '/splat/*rest' : '/splat/*', ...asks('splat'), handler('splat'))
    app.use('/files', ...asks('assets'), handler('assets'))
    return app
  }

  let bare: Served
  let guarded: Served
  beforeAll(async () => {
    bare = await serve(build(false))
    guarded = await serve(build(true))
  })
  afterAll(async () => {
    await bare[Symbol.asyncDispose]()
    await guarded[Symbol.asyncDispose]()
  })

  interface Seen {
    readonly answer: RawAnswer
    readonly ran: readonly string[]
    readonly events: readonly DecisionEvent[]
  }

  async function send(served: Served, line: string, headers: readonly string[]): Promise<Seen> {
    ran = []
    const events: DecisionEvent[] = []
    const listen = (event: unknown): void => void events.push(event as DecisionEvent) // all that the channel carries
    subscribe(decisionChannel, listen)
    const answered = await served.raw(`${line} HTTP/1.1`, ...headers)
    unsubscribe(decisionChannel, listen)
    return { answer: answered, ran, events }
  }

  const check = async (_title: string, line: string, headers: readonly string[]): Promise<void> => {
    const expected = (await send(bare, line, headers)).ran
    expect(expected.length).toBeLessThanOrEqual(1)
    const [label] = expected as readonly (Label | 'open' | undefined)[] // what handlers note

    const allowed = await send(guarded, line, [...headers, withAll])
    expect(allowed.ran).toEqual(expected)
    if (label !== undefined) {
      const decided = allowed.events.at(-1)
      expect(decided?.outcome).toBe('allow')
      expect(decided?.requirement).toContain(label === 'open' ? 'unprotected(open)' : scopes[label])
      expect(decided?.route).not.toContain('..')
    }

    const nobody = await send(guarded, line, headers)
    expect(nobody.ran).toEqual(label === 'open' ? ['open'] : [])

    // Who has every scope but the one of the route.
    if (label === undefined || label === 'open') return
    const refused = await send(guarded, line, [...headers, await without(scopes[label])])
    expect(refused.ran).toEqual([])
    expect(refused.answer.status).toBe(403)
    expect(refused.events.at(-1)).toMatchObject({ outcome: 'deny', code: 'scope_missing' })
  }

  test.each(tricksOf('T46'))('T46 `%s` runs the handler whose route was decided for, or none', check)
  test.each(tricksOf('T47'))('T47 `%s` runs the handler whose route was decided for, or none', check)
  test.each(tricksOf('T50'))('T50 `%s` opens nothing beside the route that is open', check)
  test.each(tricksOf('T53'))('T53 `%s` is decided as ever', check)

  test('T46 the tricks are many, and most of the handlers are reached by one of them', async () => {
    expect(tricks.length).toBeGreaterThan(100)
    const reached = new Set<string>()
    for (const [, line, ...headers] of tricks) {
      for (const label of (await send(bare, line, headers)).ran) reached.add(label)
    }
    expect([...reached].toSorted()).toEqual([...Object.keys(scopes), 'open'].toSorted())
  })
})
