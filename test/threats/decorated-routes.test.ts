// What is declared above methods and classes is found wherever the method comes from (U48), and the rules surprise
// nobody in either direction (U49).
import { countersign, createGuard, type Guard } from '@countersign/express'
import { mount } from '@countersign/decorators'
import { createTestIssuer } from '@countersign/testing'
import express from 'express'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { hierarchies as legacy } from '../decorators/legacy/hierarchies.ts'
import { hierarchies as standard } from '../decorators/standard/hierarchies.ts'
import { ServedApp, bearer, type Answer } from '../express/served-app.ts'

const issuer = await createTestIssuer()

describe.each([
  ['standard', standard],
  ['legacy', legacy],
])('%s decorators', (_dialect, hierarchies) => {
  let guard: Guard
  let served: ServedApp
  beforeAll(async () => {
    guard = createGuard({ audience: 'orders', issuers: [issuer], log: false })
    const app = express()
    app.use(countersign(guard))
    for (const controller of hierarchies()) mount(app, controller)
    served = await ServedApp.start(app)
  })
  afterAll(async () => {
    await served.close()
    guard.close()
  })

  const call = async (path: string, ...scopes: string[]): Promise<Answer> =>
    served.call(path, { headers: await bearer(issuer, ...scopes) })

  describe.each([
    ['a generic method that is overridden by one of a known type', '/generic/find', ['items:read']],
    ['a method with type parameters that is inherited', '/generic/search', ['items:search']],
    [
      'an override of a method that two classes between do not mention',
      '/levels/leaf',
      ['levels:use', 'levels:middle', 'levels:read'],
    ],
    [
      'an override of a method that each class adds to',
      '/levels/each',
      ['levels:use', 'levels:middle', 'levels:oldest', 'levels:own'],
    ],
    ['a method of a mixin', '/mixed/audit', ['audit:use', 'audit:read']],
    ['a method of a mixin upon a mixin', '/mixed/export', ['audit:use', 'export:read']],
    ['a method of a mixin that is mixed in twice', '/mixed-again/audit', ['audit:use', 'audit:read']],
    ['an override of a method of a mixin', '/mixed-again/export', ['audit:use', 'export:read']],
    ['a method that a mixin copied', '/copies/copied', ['copies:use', 'copied:read']],
    ['a method that is bound in the constructor', '/bound', ['bound:read']],
    ['a field in the place of a method', '/overridden/field', ['overridable:read']],
    ['an accessor in the place of a method', '/overridden/accessor', ['overridable:read']],
    ['an override of a method whose name is a symbol', '/symbol', ['symbol:read']],
    ['an instance behind a proxy', '/proxy', ['proxy:use', 'proxy:read']],
    ['a method that says nothing beside unprotected ones', '/open/closed', ['open:use']],
    ['such a method below a class that adds to the floor', '/open-again/closed', ['open:use', 'open:again']],
  ])('%s', (_case, path, needed) => {
    test('T49 is held to the union of what every class and the method say, whatever the precedence', async () => {
      expect(await served.call(path)).toMatchObject({ status: 401, code: 'credential_missing' })
      for (const missing of needed) {
        const rest = needed.filter((scope) => scope !== missing)
        expect(await call(path, ...rest)).toMatchObject({ status: 403, code: 'scope_missing' })
      }
      expect(await call(path, ...needed)).toMatchObject({ status: 200, body: 'kept', code: null })
    })
  })

  test('T49 refuses a method for which nothing is found, whoever calls', async () => {
    expect(await served.call('/missing/own')).toMatchObject({ status: 403, code: 'route_undeclared' })
    expect(await call('/missing/own', 'overridable:read')).toMatchObject({ code: 'route_undeclared' })
  })

  test('T49 shows every route in the census, and the undeclared one as such', () => {
    const entries = guard.census().filter(({ requirement }) => requirement === null)
    expect(entries).toMatchObject([{ method: 'GET', path: '/missing/own', scopes: [] }])
  })

  test.each(['/open', '/open-again', '/open-override'])(
    'T49 opens what every class that requires something allows to be unprotected, and nothing beside it: %s',
    async (path) => {
      expect(await served.call(`${path}/live`)).toMatchObject({ status: 200, body: 'nobody' })
      expect(await call(`${path}/live`)).toMatchObject({ status: 200, body: 'nobody' })
    },
  )

  test.each(['/open', '/open-again'])(
    'T49 lets who presents nothing call where the caller is optional, and refuses a bad credential: %s',
    async (path) => {
      expect(await served.call(`${path}/greeting`)).toMatchObject({ status: 200, body: 'nobody' })
      const authorization = `Bearer ${await issuer.broken('expired', 'checkout')}`
      expect(await served.call(`${path}/greeting`, { headers: { authorization } })).toMatchObject({
        status: 401,
        code: 'token_expired',
      })
    },
  )
})
