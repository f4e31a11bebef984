import { ConfigurationError } from '@countersign/core'
import { countersign, createGuard, requireScopes } from '@countersign/express'
import { Controller, Get, Post, RequireScopes, mount } from '@countersign/decorators'
import { createTestIssuer } from '@countersign/testing'
import express from 'express'
import { expect, test } from 'vitest'
import { ServedApp, bearer } from '../../express/served-app.ts'

@Controller('/orders')
class Orders {
  @Get('/:id')
  find(request: express.Request, response: express.Response): void {
    response.send(request.caller.id)
  }

  @Post()
  @RequireScopes('orders:write')
  create(_request: express.Request, response: express.Response): void {
    response.send('created')
  }
}

test('refuses an application that no adapter recognises', () => {
  expect(() => mount({}, new Orders())).toThrow(ConfigurationError)
  expect(() => mount(express(), new Orders())).toThrow(
    'no adapter recognises this application: call app.use(countersign({…})) before mount(app, …)',
  )
})

const notInstances: readonly (readonly [string, unknown, string])[] = [
  ['a class', Orders, 'expected an instance, got a class: write mount(app, new Orders())'],
  ['nothing', undefined, 'got undefined: write mount(app, new Orders())'],
  ['a string', 'orders', 'got orders: write mount(app, new Orders())'],
  ['a plain object', {}, "not a controller: write @Controller('/path')"],
  ['an object without a prototype', Object.create(null), "not a controller: write @Controller('/path')"],
]

test.each(notInstances)('refuses %s in place of an instance', (_name, instance, message) => {
  expect(() => Reflect.apply(mount, undefined, [express(), instance])).toThrow(ConfigurationError)
  expect(() => Reflect.apply(mount, undefined, [express(), instance])).toThrow(message)
})

test('places no route where one of them is refused', () => {
  class Mixed extends Orders {
    @RequireScopes('orders:read')
    forgotten(): void {}
  }
  const app = express()
  app.use(countersign(createGuard({ audience: 'orders', issuers: ['https://idp.test'], log: false })))
  const layers = app.router.stack.length
  expect(() => mount(app, new Mixed())).toThrow('`Mixed.forgotten`: no route, so this protects nothing')
  expect(app.router.stack).toHaveLength(layers)
})

test('places a route once that a subclass repeats', () => {
  class Repeating extends Orders {
    @Get('/:id')
    override find(): void {}
  }
  const app = express()
  app.use(countersign(createGuard({ audience: 'orders', issuers: ['https://idp.test'], log: false })))
  mount(app, new Repeating())
  const paths = app.router.stack.flatMap(({ route }) => (route === undefined ? [] : [route.path]))
  expect(paths).toEqual(['/orders/:id', '/orders'])
})

test('adds to the floor of the router that it is mounted in', async () => {
  const issuer = await createTestIssuer()
  const guard = createGuard({ audience: 'orders', issuers: [issuer], log: false })
  const app = express()
  const router = express.Router()
  app.use(countersign(guard))
  router.use(requireScopes('api:use'))
  mount(router, new Orders())
  app.use('/api', router)
  const served = await ServedApp.start(app)
  const call = async (method: string, path: string, ...scopes: string[]) =>
    served.call(path, { method, headers: await bearer(issuer, ...scopes) })
  expect(await call('GET', '/api/orders/7')).toMatchObject({ status: 403, code: 'scope_missing' })
  expect(await call('GET', '/api/orders/7', 'api:use')).toMatchObject({ status: 200 })
  for (const scope of ['api:use', 'orders:write']) {
    expect(await call('POST', '/api/orders', scope)).toMatchObject({ status: 403, code: 'scope_missing' })
  }
  expect(await call('POST', '/api/orders', 'api:use', 'orders:write')).toMatchObject({ status: 200 })
  await served.close()
  guard.close()
})
