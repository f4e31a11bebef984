// An application that was made before the adapter was loaded, as by a command line that loads plugins on demand.
import type * as Adapter from '@countersign/fastify'
import { createTestIssuer } from '@countersign/testing'
import type { FastifyInstance } from 'fastify'
import fastify5 from 'fastify'
import fastify50 from 'fastify50'
import { afterAll, beforeAll, expect, test } from 'vitest'

const versions = [
  [
    'Fastify 5.12',
    fastify5() as FastifyInstance,
    fastify5() as FastifyInstance,
    fastify5() as FastifyInstance,
  ],
  ['Fastify 5.0', ...([fastify50(), fastify50(), fastify50()] as unknown as FastifyInstance[])], // the same interface
] as unknown as readonly (readonly [string, FastifyInstance, FastifyInstance, FastifyInstance])[]

const closing: { close(): unknown }[] = versions.flatMap(([, ...apps]) => apps)
afterAll(() => Promise.all(closing.map((each) => each.close())))

let adapter: typeof Adapter
let issuer: Awaited<ReturnType<typeof createTestIssuer>>
beforeAll(async () => {
  adapter = await import('@countersign/fastify')
  issuer = await createTestIssuer()
})

const handler = async (): Promise<string> => 'answered'

function guardWith(undeclared: 'refuse' | 'fail-start', told: string[] = []) {
  const log = { warn: (message: string) => void told.push(message) }
  const guard = adapter.createGuard({ audience: 'orders', issuers: [issuer], undeclared, log })
  closing.push(guard)
  return guard
}

test.each(versions)('is followed from where the guard is registered on, with %s', async (_name, app) => {
  const { countersign, requireScopes, everyRoute, scopes } = adapter
  const guard = guardWith('refuse')
  await app.register(async (inner) => {
    await inner.register(everyRoute(scopes('c:d')))
    await inner.register(countersign(guard))
    inner.get('/orders', requireScopes('a:b'), handler)
    inner.get('/silent', handler)
  })
  await adapter.sealRoutes(app)
  expect((await app.inject('/orders')).statusCode).toBe(401)
  expect((await app.inject('/silent')).statusCode).toBe(401)
  expect(guard.census().map(({ path, requirement }) => [path, requirement])).toEqual([
    ['/orders', 'allOf(scopes(c:d), scopes(a:b))'],
    ['/silent', 'scopes(c:d)'],
  ])
})

test.each(versions)('refuses routes that nobody has seen, and says so, with %s', async (_name, _, app) => {
  const told: string[] = []
  app.get('/early', adapter.unprotected('nobody has seen it'), handler)
  await app.register(adapter.countersign(guardWith('refuse', told)))
  app.get('/orders', adapter.unprotected('seen'), handler)
  const answer = await app.inject('/early')
  expect([answer.statusCode, answer.body.includes('answered')]).toEqual([500, false])
  expect((await app.inject('/orders')).body).toBe('answered')
  expect(told.join('\n')).toContain('routes were registered before anybody looked, and are refused')
  expect(told.join('\n')).toContain('declaration_misplaced')
})

test.each(versions)(
  'does not start with such routes under fail-start, with %s',
  async (_name, _, __, app) => {
    app.get('/early', adapter.unprotected('nobody has seen it'), handler)
    await app.register(adapter.countersign(guardWith('fail-start')))
    await expect(app.ready()).rejects.toThrow("import '@countersign/fastify' before fastify() is called")
  },
)
