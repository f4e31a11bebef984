// Message patterns over transports that carry no credentials, and whatever else asks the guards of Nest.
import {
  CallerOptional,
  CountersignModule,
  RequireScopes,
  Unprotected,
  authenticated,
  callerOf,
  type Guard,
} from '@countersign/nest'
import { policyDocument } from '@countersign/policy'
import { Controller, Get, Injectable, Module, type Type } from '@nestjs/common'
import { ExternalContextCreator, NestFactory } from '@nestjs/core'
import {
  ClientProxyFactory,
  Ctx,
  EventPattern,
  MessagePattern,
  Transport,
  type ClientProxy,
} from '@nestjs/microservices'
import { ExpressAdapter } from '@nestjs/platform-express'
import { Test } from '@nestjs/testing'
import { firstValueFrom } from 'rxjs'
import { beforeEach, describe, expect, test } from 'vitest'
import { guardWith } from '../conformance/house.ts'
import { recording } from './nest-app.ts'
import { freePort } from './free-port.ts'

const ran: string[] = []
beforeEach(() => {
  ran.length = 0
})

@Controller()
class Sums {
  @MessagePattern({ cmd: 'sum' })
  @RequireScopes('sums:use')
  sum(): number {
    ran.push('sum')
    return 3
  }

  @Get('open')
  @MessagePattern('open')
  @Unprotected('whoever reaches the network may ask')
  open(): string {
    ran.push('open')
    return 'open'
  }

  @MessagePattern('optional')
  @CallerOptional('who is known sees more')
  optional(@Ctx() context: object): string {
    return callerOf(context)?.id ?? 'nobody'
  }

  @MessagePattern('silent')
  silent(): string {
    ran.push('silent')
    return 'secret'
  }

  @EventPattern('happened')
  @RequireScopes('sums:use')
  happened(_data: unknown): void {
    ran.push('happened')
  }

  @Get('sums')
  @Unprotected('is a route beside patterns')
  list(): string {
    return 'sums'
  }
}

const rootOf = (guard: Guard): Type<unknown> => {
  class Root {}
  Module({ imports: [CountersignModule.forRoot(guard)], controllers: [Sums] })(Root)
  return Root
}

const tcp = (port: number) => ({ transport: Transport.TCP, options: { host: '127.0.0.1', port } }) as const

async function connected(
  guard: Guard,
  inheritAppConfig: boolean,
  run: (client: ClientProxy) => Promise<void>,
): Promise<void> {
  const port = await freePort()
  const app = await NestFactory.create(rootOf(guard), new ExpressAdapter(), {
    logger: false,
    abortOnError: false,
  })
  app.connectMicroservice(tcp(port), { inheritAppConfig })
  await app.startAllMicroservices()
  await app.init()
  const client = ClientProxyFactory.create(tcp(port))
  try {
    await run(client)
  } finally {
    await client.close()
    await app.close()
    guard.close()
  }
}

describe.each([true, false])('over TCP, inheritAppConfig: %s', (inheritAppConfig) => {
  test.each([
    [{ cmd: 'sum' }, 'credential_missing', 'MESSAGE {"cmd":"sum"}'],
    ['silent', 'route_undeclared', 'MESSAGE silent'],
  ] as const)('%s is refused to everybody, and said why', async (pattern, code, route) => {
    await connected(guardWith(), inheritAppConfig, async (client) => {
      const { value, events } = await recording(() =>
        firstValueFrom(client.send(pattern, {})).catch((error: unknown) => error),
      )
      expect(events.map((event) => [event.code, event.route])).toEqual([[code, route]])
      expect(value).toMatchObject({ status: 'error', decision: events[0]?.id })
      expect(JSON.stringify(value)).not.toContain(code)
      expect(ran).toEqual([])
    })
  })

  test('an event is refused as well', async () => {
    await connected(guardWith(), inheritAppConfig, async (client) => {
      const { events } = await recording(async () => {
        await firstValueFrom(client.emit('happened', {}), { defaultValue: undefined })
        // An answer to what was sent behind it: by then it was handled.
        await firstValueFrom(client.send('open', {}))
      })
      expect(events.map(({ code, route }) => [code, route])).toEqual([
        ['credential_missing', 'EVENT happened'],
        [null, 'MESSAGE open'],
      ])
      expect(ran).toEqual(['open'])
    })
  })

  test('what asks nothing is answered, and has no caller', async () => {
    await connected(guardWith(), inheritAppConfig, async (client) => {
      expect(await firstValueFrom(client.send('open', {}))).toBe('open')
      expect(await firstValueFrom(client.send('optional', {}))).toBe('nobody')
    })
  })
})

test('what undeclared patterns are held to is no way around it, and the operator is told why', async () => {
  const warned: string[] = []
  const log = { warn: (message: string) => void warned.push(message) }
  await connected(guardWith({ undeclared: authenticated(), log }), false, async (client) => {
    for (const pattern of ['silent', { cmd: 'sum' }]) {
      const { events } = await recording(() =>
        firstValueFrom(client.send(pattern, {})).catch(() => undefined),
      )
      expect(events.map(({ code }) => code)).toEqual(['credential_missing'])
    }
    expect(ran).toEqual([])
  })
  const told = warned.filter((line) => line.includes('over another transport'))
  expect(told).toHaveLength(2)
  for (const line of told) expect(line).toContain("@Unprotected('why')")
})

test('a policy document can open a pattern, and ask more of an open one', async () => {
  const policy = policyDocument(`version: 1
callers:
  checkout: { is: [{ issuer: https://issuer.test, clientId: checkout }], grants: [orders:read] }
routes:
  - { route: MESSAGE silent, unprotected: whoever reaches the network may ask }
  - { route: MESSAGE open, requires: { callers: [checkout] } }
`)
  await connected(guardWith({ policy }), false, async (client) => {
    expect(await firstValueFrom(client.send('silent', {}))).toBe('secret')
    const { events } = await recording(() => firstValueFrom(client.send('open', {})).catch(() => undefined))
    expect(events.map(({ code }) => code)).toEqual(['credential_missing'])
  })
})

@Injectable()
class Resolver {
  @RequireScopes('cats:read')
  cats(): string {
    ran.push('cats')
    return 'cats'
  }

  @Unprotected('says nothing')
  version(): string {
    return '1'
  }

  silent(): string {
    return 'silent'
  }
}

test('whatever else asks the guards of Nest is refused, but for what asks nothing', async () => {
  class Root {}
  Module({ imports: [CountersignModule.forRoot(guardWith())], providers: [Resolver] })(Root)
  const testing = await Test.createTestingModule({ imports: [Root] }).compile()
  const creator = testing.get(ExternalContextCreator, { strict: false })
  const resolver = testing.get(Resolver, { strict: false })
  const call = (method: 'cats' | 'version' | 'silent', type: string): Promise<unknown> =>
    creator.create(
      resolver,
      resolver[method],
      method,
      undefined,
      undefined,
      undefined,
      undefined,
      undefined,
      type,
    )({}, {})
  for (const type of ['graphql', 'rmq', 'http', 'ws', 'rpc']) {
    const { events } = await recording(async () => {
      await expect(call('cats', type)).rejects.toThrow()
      await expect(call('silent', type)).rejects.toThrow()
    })
    expect(events.map(({ code }) => code)).toContain('route_undeclared')
    expect(ran).toEqual([])
  }
  const { value, events } = await recording(() => call('version', 'graphql'))
  expect(value).toBe('1')
  expect(events[0]?.route).toBe('GRAPHQL Resolver.version')
  await testing.close()
})

test('a class is guarded in the applications that import the module, and in no other of the process', async () => {
  await connected(guardWith(), false, async () => undefined)
  const port = await freePort()
  const testing = await Test.createTestingModule({ controllers: [Sums] }).compile()
  const app = testing.createNestMicroservice({ ...tcp(port), logger: false })
  await app.listen()
  const client = ClientProxyFactory.create(tcp(port))
  expect(await firstValueFrom(client.send({ cmd: 'sum' }, {}))).toBe(3)
  await client.close()
  await app.close()
  // And again where it is imported.
  await connected(guardWith(), false, async (guarded) => {
    await expect(firstValueFrom(guarded.send({ cmd: 'sum' }, {}))).rejects.toMatchObject({ status: 'error' })
  })
})
