import { setTimeout as later } from 'node:timers/promises'
import { scopes } from '@countersign/core'
import { describe, expect, test } from 'vitest'
import { bearerOf, callerIdOf, replaceablePolicy } from '../house.ts'
import type { Handle, Service, Subject } from '../subject.ts'
import { feature, withService } from './with-service.ts'

const tell: Handle = async ({ requireCaller }) => {
  const { id } = requireCaller()
  // Others run meanwhile.
  await later(id.length % 3)
  return { body: JSON.stringify([id, requireCaller().id]) }
}

const service: Service = {
  routes: [
    { method: 'GET', path: '/who', placement: scopes('orders:read'), handle: tell },
    { method: 'GET', path: '/stream', streams: 'both', placement: scopes('orders:read'), handle: tell },
    {
      method: 'POST',
      path: '/slow',
      streams: 'in',
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
  describe('connections', () => {
    describe('many requests', () => {
      test('at once do not mix their callers, known and new, allowed and refused', async () => {
        await withService(subject, service, async (served) => {
          const calls = served.kept(16)
          const names = Array.from({ length: 40 }, (_, i) => `caller-${'x'.repeat(i % 5)}${i}`)
          const tokens = await Promise.all(names.map((name) => bearerOf(name, 'orders:read')))
          const poor = await bearerOf('poor', 'orders:list')
          const answers = await Promise.all(
            Array.from({ length: 200 }, (_, i) =>
              calls.call(i % 3 === 0 ? '/stream' : '/who', {
                headers: i % 10 === 9 ? poor : (tokens[i % names.length] ?? {}),
              }),
            ),
          )
          for (const [i, { outcome, body }] of answers.entries()) {
            if (i % 10 === 9) expect(outcome).toBe('forbidden')
            else {
              const id = callerIdOf(names[i % names.length] ?? '')
              expect([outcome, JSON.parse(body)]).toEqual(['handled', [id, id]])
            }
          }
          await calls.close()
        })
      })

      feature(
        subject,
        'many requests on one connection',
        'one after the other on one connection have each their own caller',
        async () => {
          await withService(subject, service, async (served) => {
            const { call, close } = served.kept(1)
            const known = await bearerOf('known', 'orders:read')
            for (const name of ['first', 'second', 'third']) {
              const fresh = await bearerOf(name, 'orders:read')
              expect((await call('/who', { headers: known })).body).toContain(callerIdOf('known'))
              expect((await call('/who', { headers: fresh })).body).toContain(callerIdOf(name))
              expect(await call('/who')).toMatchObject({ code: 'credential_missing' })
            }
            await close()
          })
        },
      )

      feature(
        subject,
        'many requests on one connection',
        'at once on one connection, new callers among known ones, have each their own',
        async () => {
          await withService(subject, service, async (served) => {
            const { call, close } = served.kept(1)
            const known = await bearerOf('known', 'orders:read')
            await call('/who', { headers: known })
            const names = Array.from({ length: 30 }, (_, i) => (i % 3 === 0 ? `fresh-${i}` : 'known'))
            const answers = await Promise.all(
              names.map(async (name) =>
                call('/who', { headers: name === 'known' ? known : await bearerOf(name, 'orders:read') }),
              ),
            )
            for (const [i, { body }] of answers.entries()) {
              const id = callerIdOf(names[i] ?? '')
              expect(JSON.parse(body)).toEqual([id, id])
            }
            await close()
          })
        },
      )

      feature(
        subject,
        'pipelining',
        'in one packet are answered in their order, each as its own',
        async () => {
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
        },
      )
    })

    test('a caller that hangs up in the middle leaves the service as it was', async () => {
      await withService(subject, service, async (served) => {
        const { authorization = '' } = await bearerOf('checkout', 'orders:read')
        const fresh = await bearerOf('after', 'orders:read')
        const path = subject.wire === 'upgrade' ? '/who' : '/slow'
        for (const headers of [{ authorization }, { authorization: 'Bearer junk' }, fresh]) {
          await served.abandon(path, { headers }, 'begun')
          await served.abandon(path, { headers }, 'at once')
        }
        const newest = await bearerOf('newest', 'orders:read')
        await served.abandon(path, { headers: newest }, 'at once')
        expect((await served.call('/who', { headers: { authorization } })).outcome).toBe('handled')
      })
    })

    test('headers beyond measure are refused, by Node itself or by the guard, and harm nobody', async () => {
      await withService(subject, service, async (served) => {
        const field = `Bearer ${'a'.repeat(subject.wire === 'gRPC' ? 100_000 : 40_000)}`
        if (subject.wire === 'gRPC') {
          const answer = await served.call('/who', { headers: { authorization: field } })
          expect(answer).toMatchObject({ outcome: 'unauthenticated', code: 'token_oversized' })
        } else {
          const socket = await served.raw()
          const lines = ['GET /who HTTP/1.1', 'Host: x', ...served.opening, `Authorization: ${field}`, '', '']
          socket.on('error', () => undefined)
          socket.write(lines.join('\r\n'))
          let text = ''
          socket.on('data', (chunk) => (text += chunk.toString('latin1')))
          await new Promise((resolve) => socket.once('close', resolve))
          expect(text).toMatch(/^HTTP\/1\.1 431 /)
        }
        const headers = await bearerOf('checkout', 'orders:read')
        expect((await served.call('/who', { headers })).outcome).toBe('handled')
      })
    })

    test('a policy that is replaced while requests come holds for the next one, and fails none', async () => {
      const { policy, grant } = replaceablePolicy('orders:read')
      await withService(
        subject,
        service,
        async (served) => {
          const { call, close } = served.kept(4)
          const headers = await bearerOf('checkout', 'orders:read')
          const outcomes = async (count: number): Promise<readonly unknown[]> => {
            const answers = await Promise.all(Array.from({ length: count }, () => call('/who', { headers })))
            return [...new Set(answers.map(({ outcome }) => outcome))]
          }
          expect(await outcomes(20)).toEqual(['handled'])
          const underWay = outcomes(50)
          grant('orders:list')
          for (const outcome of await underWay) expect(['handled', 'forbidden']).toContain(outcome)
          expect(await outcomes(20)).toEqual(['forbidden'])
          grant('orders:read')
          expect(await outcomes(20)).toEqual(['handled'])
          await close()
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
              // Of one message, some frameworks call the handler when they have it.
              streams: 'in',
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
  })
}
