import { createHash, randomBytes } from 'node:crypto'
import { Readable } from 'node:stream'
import { scopes } from '@countersign/core'
import { describe, expect, test } from 'vitest'
import { bearerOf } from '../house.ts'
import type { Service, Subject } from '../subject.ts'
import { withService } from './with-service.ts'

let bodiesRead = 0
const service: Service = {
  routes: [
    {
      method: 'POST',
      path: '/digest',
      placement: scopes('orders:write'),
      handle: async ({ body }) => {
        bodiesRead += 1
        const hash = createHash('sha256')
        for await (const chunk of body) hash.update(chunk)
        return { status: 201, headers: { 'x-handled': 'yes' }, body: hash.digest('hex') }
      },
    },
    {
      method: 'GET',
      path: '/stream',
      placement: scopes('orders:read'),
      handle: () => ({ body: Readable.from(chunks()) }),
    },
    {
      method: 'GET',
      path: '/fails',
      placement: scopes('orders:read'),
      handle: () => {
        throw new Error('a mistake of the application')
      },
    },
    {
      method: 'GET',
      path: '/rejects',
      placement: scopes('orders:read'),
      handle: async () => Promise.reject(new Error('another one')),
    },
  ],
}

function* chunks(): Generator<string> {
  for (let i = 0; i < 100; i += 1) yield `${i} ${'x'.repeat(1000)}\n`
}

export function bodies(subject: Subject): void {
  describe('what is sent', () => {
    test('to a handler arrives as it was, a megabyte too', async () => {
      await withService(subject, service, async (served) => {
        const content = randomBytes(1 << 20)
        const headers = {
          ...(await bearerOf('checkout', 'orders:write')),
          'content-type': 'application/octet-stream',
        }
        const answer = await served.call('/digest', {
          method: 'POST',
          headers,
          body: Readable.from([content.subarray(0, 300_000), content.subarray(300_000)]),
        })
        expect(answer).toMatchObject({ status: 201, code: null })
        expect(answer.headers['x-handled']).toBe('yes')
        expect(answer.body).toBe(createHash('sha256').update(content).digest('hex'))
      })
    })

    test('by a stream arrives whole', async () => {
      await withService(subject, service, async (served) => {
        const answer = await served.call('/stream', { headers: await bearerOf('checkout', 'orders:read') })
        expect(answer).toMatchObject({ status: 200, code: null, body: [...chunks()].join('') })
      })
    })

    test('with a refused request is read by nobody', async () => {
      await withService(subject, service, async (served) => {
        bodiesRead = 0
        const answer = await served.call('/digest', {
          method: 'POST',
          headers: { ...(await bearerOf('checkout')), 'content-type': 'application/octet-stream' },
          body: 'x'.repeat(10_000),
        })
        expect(answer).toMatchObject({ status: 403, code: 'scope_missing' })
        expect(bodiesRead).toBe(0)
      })
    })
  })

  test.each(['/fails', '/rejects'])("an error of the handler at %s stays the application's", async (path) => {
    await withService(subject, service, async (served) => {
      const answer = await served.call(path, { headers: await bearerOf('checkout', 'orders:read') })
      expect(answer).toMatchObject({ status: 500, code: null })
      expect(answer.headers['content-type']).not.toBe('application/problem+json')
      expect(answer.events.map(({ outcome }) => outcome)).toEqual(['allow'])
    })
  })
}
