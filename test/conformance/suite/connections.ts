import { once } from 'node:events'
import { Agent } from 'node:http'
import { setTimeout as later } from 'node:timers/promises'
import { scopes, type SourceListener } from '@countersign/core'
import { policyDocument } from '@countersign/policy'
import { describe, expect, test } from 'vitest'
import { bearerOf, callerIdOf } from '../house.ts'
import type { Service, Subject } from '../subject.ts'
import { feature, withService } from './with-service.ts'

/** The order in which things happened in a request, for what has to happen at once. */
const service: Service = {
  routes: [
    {
      method: 'GET',
      path: '/who',
      placement: scopes('orders:read'),
      handle: async ({ requireCaller }) => {
        const { id } = requireCaller()
        // Others run meanwhile.
        await later(id.length % 3)
        return { body: JSON.stringify([id, requireCaller().id]) }
      },
    },
    {
      method: 'POST',
      path: '/slow',
      placement: scopes('orders:read'),
      handle: async ({ body }) => {
        let length = 0
        for await (const chunk of body) length += chunk.length
        return { body: String(length) }
      },
    },
  ],
}

export function connections(subject: Subject): void {
  describe('many requests', () => {
    test('at once do not mix their callers, known and new, allowed and refused', async () => {
      await withService(subject, service, async (served) => {
        const agent = new Agent({ keepAlive: true, maxSockets: 16 })
        const names = Array.from({ length: 40 }, (_, i) => `caller-${'x'.repeat(i % 5)}${i}`)
        const tokens = await Promise.all(names.map((name) => bearerOf(name, 'orders:read')))
        const poor = await bearerOf('poor', 'orders:list')
        const calls = Array.from({ length: 200 }, (_, i) =>
          i % 10 === 9
            ? served.call('/who', { headers: poor, agent })
            : served.call('/who', { headers: tokens[i % names.length] ?? {}, agent }),
        )
        const answers = await Promise.all(calls)
        for (const [i, { status, body }] of answers.entries()) {
          if (i % 10 === 9) expect(status).toBe(403)
          else {
            const id = callerIdOf(names[i % names.length] ?? '')
            expect([status, JSON.parse(body)]).toEqual([200, [id, id]])
          }
        }
        agent.destroy()
      })
    })

    test('one after the other on one connection have each their own caller', async () => {
      await withService(subject, service, async (served) => {
        const agent = new Agent({ keepAlive: true, maxSockets: 1 })
        const known = await bearerOf('known', 'orders:read')
        for (const name of ['first', 'second', 'third']) {
          const fresh = await bearerOf(name, 'orders:read')
          expect((await served.call('/who', { headers: known, agent })).body).toContain(callerIdOf('known'))
          expect((await served.call('/who', { headers: fresh, agent })).body).toContain(callerIdOf(name))
          expect(await served.call('/who', { agent })).toMatchObject({ code: 'credential_missing' })
        }
        agent.destroy()
      })
    })

    test('in one packet are answered in their order, each as its own', async () => {
      await withService(subject, service, async (served) => {
        const one = await bearerOf('one', 'orders:read')
        const two = await bearerOf('two', 'orders:read')
        const line = (fields: Readonly<Record<string, string>>, rest = ''): string =>
          `GET /who HTTP/1.1\r\nHost: x\r\n${Object.entries(fields)
            .map(([name, value]) => `${name}: ${value}\r\n`)
            .join('')}${rest}\r\n`
        const socket = await served.raw()
        socket.write(line(one) + line({}) + line(two) + line(one, 'Connection: close\r\n'))
        let text = ''
        for await (const chunk of socket) text += String(chunk)
        const seen = [...text.matchAll(/HTTP\/1\.1 (\d+)|(?<=client=)(one|two)(?=")/g)].map(
          ([found]) => found,
        )
        expect(seen.join(' ')).toBe(
          'HTTP/1.1 200 one one HTTP/1.1 401 HTTP/1.1 200 two two HTTP/1.1 200 one one',
        )
      })
    })
  })

  test('a caller that hangs up in the middle leaves the service as it was', async () => {
    await withService(subject, service, async (served) => {
      const { authorization = '' } = await bearerOf('checkout', 'orders:read')
      for (const field of [authorization, 'Bearer junk']) {
        const socket = await served.raw()
        socket.write(
          `POST /slow HTTP/1.1\r\nHost: x\r\nContent-Length: 1000\r\nAuthorization: ${field}\r\n\r\nabc`,
        )
        await later(5)
        socket.destroy()
        await once(socket, 'close')
      }
      const fresh = await bearerOf('after', 'orders:read')
      const unfinished = await served.raw()
      unfinished.end(`GET /who HTTP/1.1\r\nHost: x\r\nAuthorization: ${fresh['authorization']}\r\n\r\n`)
      unfinished.destroy()
      expect((await served.call('/who', { headers: { authorization } })).status).toBe(200)
    })
  })

  test("headers that are too large get Node's own answer, and no decision", async () => {
    await withService(subject, service, async (served) => {
      const socket = await served.raw()
      socket.write(`GET /who HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer ${'a'.repeat(40_000)}\r\n\r\n`)
      let text = ''
      socket.on('error', () => undefined)
      for await (const chunk of socket) text += String(chunk)
      expect(text).toMatch(/^HTTP\/1\.1 431 /)
    })
  })

  test('a policy that is replaced while requests come holds for the next one, and fails none', async () => {
    const granting = (scope: string): string => `version: 1
callers:
  checkout: { is: [{ issuer: https://issuer.test, clientId: checkout }], grants: [${scope}] }
`
    let listener: SourceListener | undefined
    const policy = policyDocument({
      follow: (found) => {
        listener = found
        found.replace(granting('orders:read'))
        return () => undefined
      },
    })
    await withService(
      subject,
      service,
      async (served) => {
        const agent = new Agent({ keepAlive: true, maxSockets: 4 })
        const headers = await bearerOf('checkout', 'orders:read')
        const codes = async (count: number): Promise<readonly unknown[]> => {
          const answers = await Promise.all(
            Array.from({ length: count }, () => served.call('/who', { headers, agent })),
          )
          return [...new Set(answers.map(({ status }) => status))]
        }
        expect(await codes(20)).toEqual([200])
        const underWay = codes(50)
        listener?.replace(granting('orders:list'))
        for (const status of await underWay) expect([200, 403]).toContain(status)
        expect(await codes(20)).toEqual([403])
        listener?.replace(granting('orders:read'))
        expect(await codes(20)).toEqual([200])
        agent.destroy()
      },
      { policy },
    )
  })

  feature(
    subject,
    'synchronous on a hit',
    'a credential that is known is decided about before any other task runs',
    async () => {
      const order: string[] = []
      const noting: Service = {
        routes: [
          {
            method: 'GET',
            path: '/order',
            placement: scopes('orders:read'),
            handle: () => {
              order.push('handler')
              return { body: 'done' }
            },
          },
        ],
      }
      await withService(subject, noting, async (served, guard) => {
        const headers = await bearerOf('checkout', 'orders:read')
        const admit = guard.admit.bind(guard)
        guard.admit = (request) => {
          // Had anything been awaited in between, this would come first.
          queueMicrotask(() => order.push('microtask'))
          return admit(request)
        }
        await served.call('/order', { headers })
        order.length = 0
        await served.call('/order', { headers })
        expect(order).toEqual(['handler', 'microtask'])
      })
    },
  )
}
