import {
  COUNTERSIGN_GUARD,
  Caller,
  CountersignModule,
  RequireScopes,
  createGuard,
  type Guard,
  type GuardOptions,
} from '@countersign/nest'
import { Controller, Get, Injectable, Module, Scope, type DynamicModule, type Type } from '@nestjs/common'
import { Test } from '@nestjs/testing'
import type { IncomingMessage, ServerResponse } from 'node:http'
import { describe, expect, expectTypeOf, test } from 'vitest'
import type { Caller as CoreCaller } from '@countersign/core'
import { createTestIssuer } from '@countersign/testing'
import { bearerOf, callerIdOf, guardWith, issuer } from '../conformance/house.ts'
import { Orders } from './orders.ts'
import { createApp, platforms, rootWith, serving } from './nest-app.ts'

const options: GuardOptions = { audience: 'orders', issuers: [issuer], log: false }

@Injectable()
class Settings {
  readonly audience = 'orders'
}
class SettingsModule {}
Module({ providers: [Settings], exports: [Settings] })(SettingsModule)

const rootOf = (countersign: DynamicModule, ...controllers: Type<unknown>[]): Type<unknown> => {
  class Root {}
  Module({ imports: [countersign], controllers })(Root)
  return Root
}

describe.each(platforms)('on %s', (_platform, adapter) => {
  test.each([
    ['options', () => CountersignModule.forRoot(options)],
    ['a guard', () => CountersignModule.forRoot(createGuard(options))],
    [
      'a factory that asks for something',
      () =>
        CountersignModule.forRootAsync({
          imports: [SettingsModule],
          inject: [Settings],
          useFactory: async ({ audience }: Settings) => ({ ...options, audience }),
        }),
    ],
    [
      'a factory that makes a guard',
      () => CountersignModule.forRootAsync({ useFactory: () => createGuard(options) }),
    ],
  ])('takes %s', async (_what, countersign) => {
    await serving(await createApp(rootOf(countersign(), Orders), adapter()), async (call) => {
      expect(await call('/orders/7')).toMatchObject({ status: 401, code: 'credential_missing' })
      const answer = await call('/orders/7', { headers: await bearerOf('checkout', 'orders:read') })
      expect(answer).toMatchObject({ status: 200 })
    })
  })

  test.each([
    ['a wrong option', CountersignModule.forRoot({ ...options, audience: '' }), /audience/],
    [
      'what a factory makes wrong',
      CountersignModule.forRootAsync({ useFactory: () => ({}) }),
      /issuers|guard|certificates/,
    ],
  ])('does not start with %s', async (_what, countersign, message) => {
    await expect(createApp(rootOf(countersign, Orders), adapter())).rejects.toThrow(message)
  })

  test('does not start with a guard that would be another one for each request', async () => {
    @Injectable({ scope: Scope.REQUEST })
    class PerRequest {
      readonly audience = 'orders'
    }
    class PerRequestModule {}
    Module({ providers: [PerRequest], exports: [PerRequest] })(PerRequestModule)
    const countersign = CountersignModule.forRootAsync({
      imports: [PerRequestModule],
      inject: [PerRequest],
      useFactory: ({ audience }: PerRequest) => ({ ...options, audience }),
    })
    const starting = createApp(rootOf(countersign, Orders), adapter()).then((app) => app.init())
    await expect(starting).rejects.toThrow(/request/i)
  })

  test("does not start under 'fail-start' while nobody says who may call a route", async () => {
    const app = await createApp(
      rootWith(guardWith({ undeclared: 'fail-start' }), { controllers: [Orders] }),
      adapter(),
    )
    await expect(app.listen(0, '127.0.0.1')).rejects.toThrow(/GET \/orders\/silent/)
    await app.close()
  })

  test('closes a guard that it has made, when the application ends, and no other', async () => {
    for (const [countersign, isReady] of [
      [CountersignModule.forRoot(options), false],
      [CountersignModule.forRoot(createGuard(options)), true],
    ] as const) {
      const app = await createApp(rootOf(countersign), adapter())
      await app.init()
      const guard = app.get<Guard>(COUNTERSIGN_GUARD)
      expect((await guard.ready()).ready).toBe(true)
      await app.close()
      expect((await guard.ready()).ready).toBe(isReady)
    }
  })

  test('is tested with a guard of its own in the place of the real one, before the application or after it', async () => {
    const idp = await createTestIssuer({ issuer: 'https://idp.test' })
    for (const prepare of [false, true]) {
      const testing = await Test.createTestingModule({
        imports: [rootOf(CountersignModule.forRoot(options), Orders)],
      })
        .overrideProvider(COUNTERSIGN_GUARD)
        .useValue(createGuard({ audience: 'orders', issuers: [idp], log: false }))
        .compile()
      const app = testing.createNestApplication(adapter(), { logger: false })
      const secret = (_request: IncomingMessage, response: ServerResponse): unknown => response.end('secret')
      if (prepare) await app.init()
      app.use('/stray', secret)
      await serving(app, async (call) => {
        const ours = await idp.headersFor('checkout', { audience: 'orders', scopes: ['orders:read'] })
        expect(await call('/orders/7', { headers: ours })).toMatchObject({ status: 200 })
        const real = await bearerOf('checkout', 'orders:read')
        expect(await call('/orders/7', { headers: real })).toMatchObject({
          status: 401,
          code: 'issuer_unknown',
        })
        expect(await call('/orders/7')).toMatchObject({ status: 401 })
        if (!prepare) expect(await call('/stray')).toMatchObject({ status: 403, code: 'route_undeclared' })
      })
    }
  })

  test('gives nothing away where a test puts another guard of Nest in the place of this one', async () => {
    const { CountersignGuard } = await import('@countersign/nest')
    const testing = await Test.createTestingModule({
      imports: [rootOf(CountersignModule.forRoot(options), Orders)],
    })
      .overrideProvider(CountersignGuard)
      .useValue({ canActivate: () => true })
      .compile()
    await serving(testing.createNestApplication(adapter(), { logger: false }), async (call) => {
      expect(await call('/orders/silent')).toMatchObject({ status: 403, code: 'route_undeclared' })
    })
  })
})

test('what the package hands out is typed', () => {
  expectTypeOf<Caller>().toEqualTypeOf<CoreCaller>()
  expectTypeOf(Caller).returns.toEqualTypeOf<ParameterDecorator>()
  // @ts-expect-error -- a scope is a text
  expect(() => RequireScopes(7)).toThrow(/scope/)
  class Typed {
    @Get()
    find(@Caller() caller: Caller): string {
      return caller.id
    }
  }
  Controller()(Typed)
  expect(callerIdOf('x')).toBeDefined()
})
