import {
  AllowUnprotected,
  Caller,
  CallerOptional,
  CountersignModule,
  RequireScopes,
  Requires,
  Unprotected,
  callerOf,
  guardGateways,
  requires,
  scopes,
  unprotected,
} from '@countersign/nest'
import type { Caller as CoreCaller } from '@countersign/core'
import type { DynamicModule, ExecutionContext, INestApplication } from '@nestjs/common'
import { WsAdapter } from '@nestjs/platform-ws'
import { expectTypeOf, test } from 'vitest'

// Nothing here runs: what must compile is written down, and what must not is marked as the error that it is.

const never = (use: () => unknown): void => void use

test('a parameter has a verified caller, and its type has the name of its decorator', () => {
  expectTypeOf<Caller>().toEqualTypeOf<CoreCaller>()
  expectTypeOf(Caller).returns.toEqualTypeOf<ParameterDecorator>()
  expectTypeOf(callerOf).returns.toEqualTypeOf<CoreCaller | undefined>()
  never(() => {
    class Orders {
      find(@Caller() caller: Caller, id: string): string {
        return `${id} ${caller.id}`
      }
    }
    return Orders
  })
  never(() => (execution: ExecutionContext) => callerOf(execution))
  // @ts-expect-error -- it is not told whom to find
  never(() => Caller('checkout'))
})

test('decorators stand where they mean something', () => {
  never(() => {
    @RequireScopes('a:b')
    @AllowUnprotected()
    class Orders {
      @Requires(scopes('a:b'))
      @RequireScopes('a:b', 'a:c')
      find(): void {}

      @Unprotected('why')
      live(): void {}

      @CallerOptional('why')
      prices(): void {}
    }
    return Orders
  })
  never(() => {
    // @ts-expect-error -- of one method, never of all
    @Unprotected('why')
    class Orders {}
    return Orders
  })
  never(() => {
    class Orders {
      // @ts-expect-error -- of a class
      @AllowUnprotected()
      find(): void {}
    }
    return Orders
  })
  never(() => {
    class Orders {
      // @ts-expect-error -- the placement of other adapters is no decorator
      @unprotected('why')
      live(): void {}
    }
    return Orders
  })
})

test('only requirements can be required', () => {
  // @ts-expect-error -- a word is no requirement
  never(() => Requires('a:b'))
  // @ts-expect-error -- nor a predicate
  never(() => Requires(() => true))
  // @ts-expect-error -- nor is what asks nothing
  never(() => Requires(unprotected('why')))
  // @ts-expect-error -- nor in a middleware
  never(() => requires(unprotected('why')))
  // @ts-expect-error -- at least one scope
  never(() => RequireScopes())
  // @ts-expect-error -- a scope is a text
  never(() => RequireScopes(7))
  // @ts-expect-error -- a reason
  never(() => Unprotected())
})

test('the module asks for an audience with issuers, also of a factory', () => {
  expectTypeOf(CountersignModule.forRoot).returns.toEqualTypeOf<DynamicModule>()
  const issuers = ['https://idp.internal'] as const
  never(() => CountersignModule.forRoot({ audience: 'orders', issuers }))
  never(() =>
    CountersignModule.forRootAsync({
      inject: ['audience'],
      useFactory: async (audience: string) => ({ audience, issuers }),
    }),
  )
  // @ts-expect-error -- issuers need an audience
  never(() => CountersignModule.forRoot({ issuers }))
  // @ts-expect-error -- and an audience issuers
  never(() => CountersignModule.forRoot({ audience: 'orders' }))
  // @ts-expect-error -- from a factory, too
  never(() => CountersignModule.forRootAsync({ useFactory: () => ({ issuers }) }))
})

test('an adapter for gateways stays what it is', () => {
  never(() => (app: INestApplication) => {
    expectTypeOf(guardGateways(app, new WsAdapter(app))).toEqualTypeOf<WsAdapter>()
  })
})
