// How routes are called in events, the census and policy documents: as Nest registers them with its platform.
import { RequireScopes } from '@countersign/nest'
import {
  All,
  Controller,
  Get,
  Head,
  Module,
  Options,
  Post,
  RequestMethod,
  VERSION_NEUTRAL,
  Version,
  VersioningType,
  type INestApplication,
  type Type,
} from '@nestjs/common'
import { RouterModule } from '@nestjs/core'
import { policyDocument } from '@countersign/policy'
import { describe, expect, test } from 'vitest'
import { bearerOf, guardWith } from '../conformance/house.ts'
import { createApp, platforms, rootWith, serving } from './nest-app.ts'

@Controller(['orders', 'bestellungen'])
@RequireScopes('orders:read')
class Orders {
  @Get(['list', 'all'])
  list(): string {
    return 'list'
  }

  @Post()
  create(): string {
    return 'create'
  }

  @Get()
  @RequireScopes('orders:never')
  root(): string {
    return 'root'
  }

  @All('any')
  any(): string {
    return 'any'
  }

  @Head('headed')
  headed(): void {}

  @Options('asked')
  asked(): string {
    return 'asked'
  }

  @Get('deep/:one/x/:two')
  deep(): string {
    return 'deep'
  }
}

@Controller({ path: 'things', version: '1' })
@RequireScopes('orders:read')
class Things {
  @Get()
  first(): string {
    return 'v1'
  }

  @Get()
  @Version(['2', VERSION_NEUTRAL])
  second(): string {
    return 'v2'
  }
}

@Controller({ path: 'hosted', host: ':tenant.example' })
@RequireScopes('orders:read')
class Hosted {
  @Get()
  hosted(): string {
    return 'hosted'
  }
}

@Controller({ path: 'hosted' })
@RequireScopes('other:read')
class Unhosted {
  @Get()
  unhosted(): string {
    return 'unhosted'
  }
}

@Controller('files')
@RequireScopes('orders:read')
class Files {
  @Get('*')
  file(): string {
    return 'file'
  }
}

describe.each(platforms)('on %s', (platform, adapter) => {
  const open = async (
    controllers: Type<unknown>[],
    prepare: (app: INestApplication) => unknown = () => undefined,
    options: Parameters<typeof guardWith>[0] = {},
  ) => {
    const guard = guardWith(options)
    return { guard, app: await createApp(rootWith(guard, { controllers }), adapter(), { prepare }) }
  }
  const namesIn = (guard: ReturnType<typeof guardWith>): readonly string[] =>
    guard.census().map(({ method, path }) => `${method} ${path}`)

  test('a handler with several paths is listed by each, and decided by the one that was called', async () => {
    const { guard, app } = await open([Orders])
    await serving(app, async (call) => {
      expect(namesIn(guard)).toEqual([
        'GET /orders/list',
        'GET /orders/all',
        'GET /bestellungen/list',
        'GET /bestellungen/all',
        'POST /orders',
        'POST /bestellungen',
        'GET /orders',
        'GET /bestellungen',
        '* /orders/any',
        '* /bestellungen/any',
        'HEAD /orders/headed',
        'HEAD /bestellungen/headed',
        'OPTIONS /orders/asked',
        'OPTIONS /bestellungen/asked',
        'GET /orders/deep/:one/x/:two',
        'GET /bestellungen/deep/:one/x/:two',
      ])
      const headers = await bearerOf('checkout', 'orders:read')
      for (const [method, path, route] of [
        ['GET', '/bestellungen/all?x=1', 'GET /bestellungen/all'],
        ['POST', '/orders', 'POST /orders'],
        ['PUT', '/orders/any', 'PUT /orders/any'],
        ['HEAD', '/orders/headed', 'HEAD /orders/headed'],
        ['OPTIONS', '/orders/asked', 'OPTIONS /orders/asked'],
        ['GET', '/orders/deep/a%2Fb/x/c', 'GET /orders/deep/:one/x/:two'],
      ] as const) {
        const answer = await call(path, { method, headers })
        expect(answer.status, path).toBeLessThan(300)
        expect(answer.events.map((event) => event.route)).toEqual([route])
        expect(await call(path, { method })).toMatchObject({ status: 401, code: 'credential_missing' })
      }
    })
  })

  test('a document speaks of one of them alone', async () => {
    const policy = policyDocument(`version: 1
callers:
  checkout: { is: [{ issuer: https://issuer.test, clientId: checkout }], grants: [orders:read] }
  billing: { is: [{ issuer: https://issuer.test, clientId: billing }], grants: [orders:read] }
routes:
  - { route: GET /bestellungen/all, requires: { callers: [billing] } }
  - { route: "* /orders/any", requires: { callers: [billing] } }
`)
    const { app } = await open([Orders], undefined, { policy })
    await serving(app, async (call) => {
      const headers = await bearerOf('checkout', 'orders:read')
      expect(await call('/orders/all', { headers })).toMatchObject({ status: 200 })
      expect(await call('/bestellungen/all', { headers })).toMatchObject({ status: 403 })
      expect(await call('/orders/any', { headers, method: 'PUT' })).toMatchObject({ status: 403 })
      expect(await call('/bestellungen/any', { headers, method: 'PUT' })).toMatchObject({ status: 200 })
    })
  })

  test('prefix and version are part of the name, and what is excluded from the prefix has none', async () => {
    const { guard, app } = await open([Orders, Things], (each) =>
      each
        .setGlobalPrefix('api', { exclude: [{ path: 'orders/list', method: RequestMethod.GET }] })
        .enableVersioning({ type: VersioningType.URI }),
    )
    await serving(app, async (call) => {
      expect(namesIn(guard)).toEqual(
        expect.arrayContaining([
          'GET /orders/list',
          'GET /api/orders/all',
          'POST /api/orders',
          'GET /api/v1/things',
          'GET /api/v2/things',
          'GET /api/things',
        ]),
      )
      expect(namesIn(guard)).not.toContain('GET /api/orders/list')
      const headers = await bearerOf('checkout', 'orders:read')
      for (const path of [
        '/orders/list',
        '/api/orders/all',
        '/api/v1/things',
        '/api/v2/things',
        '/api/things',
      ]) {
        const answer = await call(path, { headers })
        expect(answer).toMatchObject({ status: 200, code: null })
        expect(answer.events[0]?.route).toBe(`GET ${path}`)
      }
    })
  })

  test('a version that is in no path is in no name', async () => {
    const { guard, app } = await open([Things], (each) =>
      each.enableVersioning({ type: VersioningType.HEADER, header: 'x-version' }),
    )
    await serving(app, async (call) => {
      expect(namesIn(guard)).toEqual(['GET /things', 'GET /things'])
      const headers = await bearerOf('checkout', 'orders:read')
      const answer = await call('/things', { headers: { ...headers, 'x-version': '2' } })
      expect(answer).toMatchObject({ status: 200, body: 'v2' })
      expect(await call('/things', { headers: { 'x-version': '1' } })).toMatchObject({ status: 401 })
    })
  })

  test('a module may have a path of its own', async () => {
    class Below {}
    Module({ controllers: [Files] })(Below)
    const guard = guardWith()
    const imports = [Below, RouterModule.register([{ path: 'tenants/:tenant', module: Below }])]
    await serving(await createApp(rootWith(guard, { imports }), adapter()), async (call) => {
      expect(namesIn(guard)).toEqual([expect.stringMatching(/^GET \/tenants\/:tenant\/files\/.*\*/)])
      const answer = await call('/tenants/a/files/b', { headers: await bearerOf('checkout', 'orders:read') })
      expect(answer.events.map(({ route }) => route)).toEqual(namesIn(guard))
      expect(await call('/tenants/a/files/b')).toMatchObject({ status: 401 })
    })
  })

  test('wildcards are spelled as the platform has them', async () => {
    const { guard, app } = await open([Files])
    await serving(app, async (call) => {
      expect(namesIn(guard)).toEqual([platform === 'Express' ? 'GET /files/{*path}' : 'GET /files/*'])
      const answer = await call('/files/a/b', { headers: await bearerOf('checkout', 'orders:read') })
      expect(answer).toMatchObject({ status: 200, body: 'file' })
      expect(answer.events.map(({ route }) => route)).toEqual(namesIn(guard))
      expect(await call('/files/a/b')).toMatchObject({ status: 401 })
    })
  })

  test.runIf(platform === 'Express')(
    'of two controllers for different hosts, the one that answers is asked',
    async () => {
      const { app } = await open([Hosted, Unhosted])
      await serving(app, async (call) => {
        const headers = await bearerOf('checkout', 'orders:read')
        expect(await call('/hosted', { headers: { ...headers, host: 'a.example' } })).toMatchObject({
          body: 'hosted',
        })
        expect(await call('/hosted', { headers: { ...headers, host: 'other' } })).toMatchObject({
          code: 'scope_missing',
        })
      })
    },
  )
})
