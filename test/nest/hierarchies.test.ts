// What is said of a class and of its methods, along its line: the rules of @countersign/decorators.
import {
  AllowUnprotected,
  CallerOptional,
  RequireScopes,
  Requires,
  Unprotected,
  callerIs,
} from '@countersign/nest'
import { Controller, Get, Injectable, Post, Scope, type Type } from '@nestjs/common'
import { describe, expect, test } from 'vitest'
import { bearerOf, guardWith } from '../conformance/house.ts'
import { createApp, platforms, rootWith, serving } from './nest-app.ts'

@RequireScopes('base:use')
abstract class Base {
  @Get('inherited')
  inherited(): string {
    return 'inherited'
  }

  @Get('own')
  @RequireScopes('own:read')
  own(): string {
    return 'own'
  }
}

@Controller('sub')
class Sub extends Base {
  @Get('added')
  added(): string {
    return 'added'
  }

  @Get('own')
  override own(): string {
    return 'overridden'
  }
}

@Controller('other')
@RequireScopes('other:use')
@AllowUnprotected()
class Other {
  @Get('floor')
  floor(): string {
    return 'floor'
  }

  @Get('open')
  @Unprotected('says nothing')
  open(): string {
    return 'open'
  }

  @Get('optional')
  @CallerOptional('shows more to who is known')
  optional(): string {
    return 'optional'
  }

  @Post('named')
  @Requires(callerIs('spiffe://test.example/billing'))
  named(): string {
    return 'named'
  }
}

@Injectable({ scope: Scope.REQUEST })
@Controller('scoped')
class Scoped {
  @Get()
  @RequireScopes('scoped:read')
  find(): string {
    return 'scoped'
  }
}

const bind = (_target: object, name: string, descriptor: PropertyDescriptor): PropertyDescriptor => {
  const value: unknown = descriptor.value
  if (typeof value !== 'function') throw new Error(`expected a method, got ${name}`)
  // Another decorator that puts a function of its own in the place of the method.
  const wrapped = (...args: unknown[]): unknown => Reflect.apply(value, undefined, args)
  for (const key of Reflect.getMetadataKeys(value)) {
    Reflect.defineMetadata(key, Reflect.getMetadata(key, value), wrapped)
  }
  return { ...descriptor, value: wrapped }
}

@Controller('wrapped')
class Wrapped {
  @bind
  @Get()
  @RequireScopes('wrapped:read')
  find(): string {
    return 'wrapped'
  }

  @Get('open')
  @Unprotected('is another method')
  open(): string {
    return 'open'
  }
}

describe.each(platforms)('on %s', (_platform, adapter) => {
  const open = async (...controllers: Type<unknown>[]) => {
    const guard = guardWith()
    return { guard, app: await createApp(rootWith(guard, { controllers }), adapter()) }
  }

  test.each([
    ['/sub/inherited', ['base:use']],
    ['/sub/added', ['base:use']],
    ['/sub/own', ['base:use', 'own:read']],
    ['/other/floor', ['other:use']],
    ['/scoped', ['scoped:read']],
    ['/wrapped', ['wrapped:read']],
  ] as const)('%s asks for all of %s', async (path, scopes) => {
    const { app } = await open(Sub, Other, Scoped, Wrapped)
    await serving(app, async (call) => {
      expect(await call(path)).toMatchObject({ status: 401, code: 'credential_missing' })
      for (const missing of scopes) {
        const headers = await bearerOf('checkout', 'any:use', ...scopes.filter((scope) => scope !== missing))
        expect(await call(path, { headers })).toMatchObject({ status: 403, code: 'scope_missing' })
      }
      expect(await call(path, { headers: await bearerOf('checkout', ...scopes) })).toMatchObject({
        status: 200,
      })
    })
  })

  test('an exemption holds for its method alone', async () => {
    const { app } = await open(Other, Wrapped)
    await serving(app, async (call) => {
      expect(await call('/other/open')).toMatchObject({ status: 200, code: null })
      expect(await call('/other/optional')).toMatchObject({ status: 200, code: null })
      const junk = { authorization: 'Bearer junk' }
      expect(await call('/other/open', { headers: junk })).toMatchObject({ status: 200 })
      expect(await call('/other/optional', { headers: junk })).toMatchObject({ status: 401 })
      expect(await call('/wrapped/open')).toMatchObject({ status: 200 })
      const headers = await bearerOf('checkout', 'other:use')
      expect(await call('/other/named', { method: 'POST', headers })).toMatchObject({ status: 403 })
    })
  })

  test('what cannot be true at once stops the start', async () => {
    @Controller('mistaken')
    @RequireScopes('orders:read')
    class Mistaken {
      @Get()
      @Unprotected('below a class that requires something')
      find(): string {
        return 'never'
      }
    }
    await expect(open(Mistaken)).rejects.toThrow(/Mistaken.*AllowUnprotected/)
  })

  test('the census says it of each', async () => {
    const { guard, app } = await open(Sub, Other)
    await app.init()
    const lines = guard.census().map(({ method, path, requirement }) => `${method} ${path}: ${requirement}`)
    expect(lines).toEqual(
      expect.arrayContaining([
        'GET /sub/added: scopes(base:use)',
        'GET /sub/inherited: scopes(base:use)',
        'GET /sub/own: allOf(scopes(base:use), scopes(own:read))',
        'GET /other/open: unprotected(says nothing)',
      ]),
    )
    await app.close()
  })
})
