import {
  callerIs,
  callerOf,
  callerOptional,
  countersign,
  requireScopes,
  requires,
  scopes,
  unprotected,
  type Caller,
} from '@countersign/express'
import { Router, type Express, type Request, type RequestHandler } from 'express'
import { expectTypeOf, test } from 'vitest'

// Nothing here runs: what must compile is written down, and what must not is marked as the error that it is.

declare const app: Express
declare const caller: Caller
const never = (use: () => unknown): void => void use

test('a request has a verified caller, which is read and never written', () => {
  expectTypeOf<Request['caller']>().toEqualTypeOf<Caller>()
  expectTypeOf(callerOf).returns.toEqualTypeOf<Caller | undefined>()
  never(() =>
    app.get('/a', requireScopes('a:b'), (req, res) => {
      expectTypeOf(req.caller).toEqualTypeOf<Caller>()
      // @ts-expect-error -- not even with a caller
      req.caller = caller
      res.end()
    }),
  )
})

test('a handler beside a declaration has what its path, or it itself, says', () => {
  never(() =>
    app.get('/orders/:id/items/:item', requireScopes('a:b'), (req, res) => {
      expectTypeOf(req.params).toEqualTypeOf<{ id: string } & { item: string }>()
      res.json({ of: req.caller.id })
    }),
  )
  never(() =>
    app.post<{ id: string }, { done: boolean }, { tea: number }, { dry?: string }>(
      '/orders/:id',
      requires(scopes('a:b')),
      (req, res) => {
        expectTypeOf(req.params).toEqualTypeOf<{ id: string }>()
        expectTypeOf(req.body).toEqualTypeOf<{ tea: number }>()
        expectTypeOf(req.query).toEqualTypeOf<{ dry?: string }>()
        res.json({ done: true })
        // @ts-expect-error -- another body
        res.json({ done: 'yes' })
      },
    ),
  )
  const typed: RequestHandler<{ id: string }, unknown, { tea: number }> = (req, res) => {
    res.json({ tea: req.body.tea, of: req.caller.id })
  }
  never(() => Router().put('/orders/:id', requires(callerIs('checkout')), typed))
  never(() =>
    app.route('/orders/:id').get(unprotected('why'), (req) => expectTypeOf(req.params.id).toBeString()),
  )
})

test('a declaration stands wherever Express takes a handler', () => {
  const handler: RequestHandler = (_req, res) => void res.end()
  never(() => app.use('/admin', requires(scopes('a:b'))))
  never(() => app.use(callerOptional('why'), handler))
  never(() => app.use([unprotected('why'), handler]))
  never(() => app.get('/a', [requireScopes('a:b'), handler]))
  expectTypeOf(requireScopes).returns.toExtend<RequestHandler>()
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
  never(() => countersign({ audience: 'orders', issuers: ['https://idp.internal'] }))
  // @ts-expect-error -- issuers need an audience
  never(() => countersign({ issuers: ['https://idp.internal'] }))
  // @ts-expect-error -- and an audience issuers
  never(() => countersign({ audience: 'orders' }))
  // @ts-expect-error -- `issuer` is none
  never(() => countersign({ audience: 'orders', issuers: ['https://idp.internal'], issuer: 'x' }))
})
