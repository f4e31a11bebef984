import { countersign, createGuard } from '@countersign/express'
import { Controller, Get, RequireScopes, mount, placementOf } from '@countersign/decorators'
import { createTestIssuer } from '@countersign/testing'
import express from 'express'
import { expect, test } from 'vitest'
import { ServedApp, bearer } from '../../express/served-app.ts'

test('refuses a private method', () => {
  expect(() => {
    class Orders {
      // @ts-expect-error -- a private method is out of reach
      @Get()
      #find(): void {}

      find(): void {
        this.#find()
      }
    }
    return new Orders()
  }).toThrow("`@Get('/') #find`: expected a public method of instances, got a private method")
})

/** Puts a function in the place of a class that makes its instances, and shares nothing else with it. */
function disguised<Class extends new () => object>(value: Class, context: ClassDecoratorContext): Class {
  return Object.defineProperty(unrecognisable(value, context), 'prototype', { value: {} })
}

function unrecognisable<Class extends new () => object>(
  value: Class,
  _context: ClassDecoratorContext,
): Class {
  return value.bind(undefined)
}

test('refuses a class whose place was taken by something without a prototype', () => {
  expect(() => {
    @RequireScopes('wrapped:read')
    @unrecognisable
    @Controller('/orders')
    class Orders {
      @Get()
      find(): void {}
    }
    return new Orders()
  }).toThrow('must return a class that extends it')
})

test('keeps what was said of a class whose place was taken by an unrelated one', async () => {
  @RequireScopes('wrapped:read')
  @disguised
  @RequireScopes('wrapped:write')
  @disguised
  @Controller('/disguised')
  class Orders {
    @Get()
    find(_request: unknown, response: express.Response): void {
      response.send('kept')
    }
  }
  const issuer = await createTestIssuer()
  const guard = createGuard({ audience: 'orders', issuers: [issuer], log: false })
  const app = express()
  app.use(countersign(guard))
  mount(app, new Orders())
  const served = await ServedApp.start(app)
  const call = async (...scopes: string[]) =>
    served.call('/disguised', { headers: await bearer(issuer, ...scopes) })
  expect(await call('wrapped:read')).toMatchObject({ status: 403, code: 'scope_missing' })
  expect(await call('wrapped:write')).toMatchObject({ status: 403, code: 'scope_missing' })
  expect(await call('wrapped:read', 'wrapped:write')).toMatchObject({ status: 200 })
  await served.close()
  guard.close()
})

test('refuses to tell of a method by its class, which it does not know before there is an instance', () => {
  @RequireScopes('orders:read')
  class Orders {
    @RequireScopes('orders:write')
    create(): void {}

    neverDecorated(): void {}
  }
  expect(() => placementOf(Orders, 'create')).toThrow("write placementOf(new Orders(), 'create')")
  expect(new Orders()).toBeInstanceOf(Orders)
  expect(() => placementOf(Orders, 'create')).toThrow("write placementOf(new Orders(), 'create')")
  expect(placementOf(Orders, 'neverDecorated')?.text).toBe('scopes(orders:read)')
  expect(() => placementOf(() => undefined, 'find')).toThrow('expected an instance')
})
