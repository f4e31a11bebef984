import {
  callerOf,
  callerOptional,
  countersign,
  guardHandlers,
  requireCaller,
  requireScopes,
  requires,
  scopes,
  unprotected,
  type Caller,
} from '@countersign/hono'
import { Hono, type ContextVariableMap } from 'hono'
import { hc } from 'hono/client'
import { validator } from 'hono/validator'
import { expectTypeOf, test } from 'vitest'

// Nothing here runs: what must compile is written down, and what must not is marked as the error that it is.

declare const app: Hono
const never = (use: () => unknown): void => void use

test('a context has a verified caller', () => {
  expectTypeOf<ContextVariableMap['caller']>().toEqualTypeOf<Caller>()
  never(() =>
    app.get('/a', requireScopes('a:b'), (c) => {
      expectTypeOf(c.var.caller).toEqualTypeOf<Caller>()
      expectTypeOf(c.get('caller')).toEqualTypeOf<Caller>()
      expectTypeOf(callerOf(c)).toEqualTypeOf<Caller | undefined>()
      expectTypeOf(requireCaller(c)).toEqualTypeOf<Caller>()
      // @ts-expect-error -- what calls is a Caller
      c.set('caller', 'checkout')
      return c.body(null)
    }),
  )
})

test('a handler beside a declaration keeps variables, parameters and what was validated', () => {
  const own = new Hono<{ Variables: { tenant: string } }>()
  never(() =>
    own.post(
      '/orders/:id',
      requires(scopes('a:b')),
      validator('json', (value: { tea: number }) => value),
      (c) => {
        expectTypeOf(c.var.tenant).toEqualTypeOf<string>()
        expectTypeOf(c.var.caller).toEqualTypeOf<Caller>()
        expectTypeOf(c.req.param('id')).toEqualTypeOf<string>()
        expectTypeOf(c.req.valid('json')).toEqualTypeOf<{ tea: number }>()
        return c.json({ done: true })
      },
    ),
  )
})

test('a handler that asks its guard itself keeps variables, and a client knows what it answers', () => {
  const service = () => {
    const own = new Hono<{ Variables: { tenant: string } }>()
    const guarded = guardHandlers(own, { audience: 'orders', issuers: ['https://idp.internal'] })
    return own.get(
      '/orders/:id',
      guarded(requireScopes('a:b'), (c) => {
        expectTypeOf(c.var.tenant).toEqualTypeOf<string>()
        expectTypeOf(c.var.caller).toEqualTypeOf<Caller>()
        // TypeScript does not see a path through a call.
        expectTypeOf(c.req.param('id')).toEqualTypeOf<string | undefined>()
        return c.json({ of: c.var.caller.id })
      }),
    )
  }
  never(async () => {
    const answer = await hc<ReturnType<typeof service>>('https://orders.internal').orders[':id'].$get({
      param: { id: '7' },
    })
    expectTypeOf(await answer.json()).toEqualTypeOf<{ of: string }>()
  })
})

test('a client knows the routes behind declarations', () => {
  const service = () =>
    new Hono()
      .use(countersign({ audience: 'orders', issuers: ['https://idp.internal'] }))
      .get('/orders/:id', requireScopes('a:b'), (c) => c.json({ of: c.var.caller.id }))
      .get('/prices', callerOptional('why'), (c) => c.json({ lamp: 40 }))
      .get('/healthz', unprotected('why'), (c) => c.text('ok'))
  const client = hc<ReturnType<typeof service>>('http://orders.internal')
  never(async () => {
    const answer = await client.orders[':id'].$get({ param: { id: '7' } })
    expectTypeOf(await answer.json()).toEqualTypeOf<{ of: string }>()
    expectTypeOf(await (await client.prices.$get()).json()).toEqualTypeOf<{ lamp: number }>()
    // @ts-expect-error -- there is no such route
    await client.users.$get()
  })
})

test('only placements can be required', () => {
  // @ts-expect-error -- a word is no requirement
  never(() => requires('a:b'))
  // @ts-expect-error -- nor is a declaration
  never(() => requires(requireScopes('a:b')))
  // @ts-expect-error -- nor a predicate
  never(() => requires(() => true))
  // @ts-expect-error -- at least one scope
  never(() => requireScopes())
  // @ts-expect-error -- a reason
  never(() => unprotected())
})

test('the guard asks for an audience with issuers, and takes nothing misspelt', () => {
  // @ts-expect-error -- issuers need an audience
  never(() => countersign({ issuers: ['https://idp.internal'] }))
  // @ts-expect-error -- and an audience issuers
  never(() => countersign({ audience: 'orders' }))
  // @ts-expect-error -- `issuer` is none
  never(() => countersign({ audience: 'orders', issuers: ['https://idp.internal'], issuer: 'x' }))
})
