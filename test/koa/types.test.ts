import {
  callerOf,
  callerOptional,
  countersign,
  requireScopes,
  requires,
  scopes,
  unprotected,
  type Caller,
} from '@countersign/koa'
import { Router } from '@koa/router'
import Koa, { type Context, type DefaultState, type Middleware } from 'koa'
import { expectTypeOf, test } from 'vitest'

// Nothing here runs: what must compile is written down, and what must not is marked as the error that it is.

declare const router: Router
declare const caller: Caller
const never = (use: () => unknown): void => void use

test('a context has a verified caller, which is read and never written', () => {
  expectTypeOf<Context['caller']>().toEqualTypeOf<Caller>()
  never(() => new Koa().use((ctx) => expectTypeOf(ctx.caller).toEqualTypeOf<Caller>()))
  never(() =>
    router.get('/a', requireScopes('a:b'), (ctx) => {
      expectTypeOf(ctx.caller).toEqualTypeOf<Caller>()
      expectTypeOf(callerOf(ctx)).toEqualTypeOf<Caller | undefined>()
    }),
  )
  // @ts-expect-error -- not even with a caller
  never(() => new Koa().use((ctx) => (ctx.caller = caller)))
})

test('a handler beside a declaration keeps state, context and parameters', () => {
  const own = new Router<{ user?: string }, { database: number }>()
  never(() =>
    own.get('/orders/:id', requires(scopes('a:b')), (ctx) => {
      expectTypeOf(ctx.state.user).toEqualTypeOf<string | undefined>()
      expectTypeOf(ctx.database).toEqualTypeOf<number>()
      expectTypeOf(ctx.params['id']).toEqualTypeOf<string | undefined>()
    }),
  )
  never(() =>
    own.post('/orders', callerOptional('why'), (ctx) =>
      expectTypeOf(callerOf(ctx)?.id).toEqualTypeOf<string | undefined>(),
    ),
  )
  const app = new Koa<{ user: string }, { database: number }>()
  never(() =>
    app.use(requireScopes('a:b')).use((ctx) => {
      expectTypeOf(ctx.state.user).toEqualTypeOf<string>()
      expectTypeOf(ctx.database).toEqualTypeOf<number>()
    }),
  )
})

test('a declaration with handlers beside it takes what Koa and its router take', () => {
  const middleware: Middleware<DefaultState, { extra: number }> = (ctx) => void ctx.extra
  never(() => new Koa().use(unprotected('why', (ctx) => expectTypeOf(ctx.caller).toEqualTypeOf<Caller>())))
  never(() => new Koa().use(requires(scopes('a:b'), router.routes(), router.allowedMethods())))
  expectTypeOf(unprotected('why', middleware)).toEqualTypeOf<Middleware<DefaultState, { extra: number }>>()
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
  never(() => new Koa().use(countersign({ audience: 'orders', issuers: ['https://idp.internal'] })))
  // @ts-expect-error -- issuers need an audience
  never(() => countersign({ issuers: ['https://idp.internal'] }))
  // @ts-expect-error -- and an audience issuers
  never(() => countersign({ audience: 'orders' }))
  // @ts-expect-error -- `issuer` is none
  never(() => countersign({ audience: 'orders', issuers: ['https://idp.internal'], issuer: 'x' }))
})
