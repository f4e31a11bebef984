import {
  callerOptional,
  countersign,
  everyRoute,
  requireScopes,
  requires,
  scopes,
  unprotected,
  type Caller,
} from '@countersign/fastify'
import fastify, { type FastifyInstance, type FastifyRequest } from 'fastify'
import { expectTypeOf, test } from 'vitest'

// Nothing here runs: what must compile is written down, and what must not is marked as the error that it is.

declare const app: FastifyInstance
declare const caller: Caller
const never = (use: () => unknown): void => void use

test('a request has a verified caller', () => {
  expectTypeOf<FastifyRequest['caller']>().toEqualTypeOf<Caller>()
  expectTypeOf<{ caller: string }>().not.toExtend<Pick<FastifyRequest, 'caller'>>()
  // @ts-expect-error -- it is read, never written
  never(() => app.get('/a', (request) => (request.caller = caller)))
})

test('a declaration stands where options do, and leaves the types of the others alone', () => {
  never(() => app.get('/a', requireScopes('a:b'), (request) => request.caller.id))
  never(() => app.get('/a', unprotected('why'), async () => 'ok'))
  never(() =>
    app.post<{ Body: { tea: number }; Params: { id: string } }>(
      '/a/:id',
      { ...requires(scopes('a:b')), bodyLimit: 10, schema: { body: {} } },
      (request) => {
        expectTypeOf(request.body).toEqualTypeOf<{ tea: number }>()
        expectTypeOf(request.params).toEqualTypeOf<{ id: string }>()
        return request.caller.id
      },
    ),
  )
  never(() =>
    app.get<{ Querystring: { dry?: string }; Reply: { done: boolean } }>(
      '/a',
      { ...requireScopes('a:b') },
      async (request, reply) => {
        expectTypeOf(request.query).toEqualTypeOf<{ dry?: string }>()
        // @ts-expect-error -- another reply
        await reply.send({ done: 'yes' })
        return { done: true }
      },
    ),
  )
  never(() => app.route({ method: 'GET', url: '/a', ...callerOptional('why'), handler: async () => 'ok' }))
  never(() => app.get('/a', { config: { requires: scopes('a:b') } }, async () => 'ok'))
  // @ts-expect-error -- a word is no requirement
  never(() => app.get('/a', { config: { requires: 'a:b' } }, async () => 'ok'))
  // @ts-expect-error -- nor is a declaration
  never(() => app.get('/a', { config: { requires: requireScopes('a:b') } }, async () => 'ok'))
  // @ts-expect-error -- a word, again
  never(() => requires('a:b'))
  // @ts-expect-error -- a predicate is none
  never(() => requires(() => true))
  // @ts-expect-error -- at least one scope
  never(() => requireScopes())
})

test('the guard is registered in applications of every server', () => {
  const options = { audience: 'orders', issuers: ['https://idp.internal'] as const }
  never(() => app.register(countersign(options)))
  never(() => app.register(everyRoute(requireScopes('a:b'))))
  never(async () => {
    const other = fastify({ http2: true })
    await other.register(countersign(options))
    other.get('/a', requireScopes('a:b'), (request) => request.caller.id)
    other.get('/b', { ...unprotected('why'), schema: {} }, async () => 'ok')
  })
  never(async () => {
    const other = fastify({ https: {}, logger: true })
    await other.register(countersign(options))
    other.get('/a', requireScopes('a:b'), (request) => request.caller.id)
  })
  // @ts-expect-error -- issuers need an audience
  never(() => app.register(countersign({ issuers: ['https://idp.internal'] })))
  // @ts-expect-error -- and an audience issuers
  never(() => app.register(countersign({ audience: 'orders' })))
  // @ts-expect-error -- `issuer` is none
  never(() => app.register(countersign({ ...options, issuer: 'x' })))
})
