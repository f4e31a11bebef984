import { subscribe, unsubscribe } from 'node:diagnostics_channel'
import { decisionChannel, type DecisionEvent } from '@countersign/core'
import { countersign, createGuard, requireScopes, unprotected } from '@countersign/express'
import { createTestIssuer } from '@countersign/testing'
import type { RequestHandler, Response } from 'express'
import methodOverride from 'method-override'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { bearer, expressVersions, serve, type RawAnswer, type Served } from './support/served.ts'
import { tricks } from './support/url-tricks.ts'

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
