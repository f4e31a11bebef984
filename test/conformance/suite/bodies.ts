import { createHash, randomBytes } from 'node:crypto'
import { Readable } from 'node:stream'
import { scopes } from '@countersign/core'
import { describe, expect, test } from 'vitest'
import { bearerOf } from '../house.ts'
import type { HandlerCall, Reply, Service, ServiceRoute, Streams, Subject } from '../subject.ts'
import { feature, withService } from './with-service.ts'

let read = 0
const route = (
  path: string,
  handle: (call: HandlerCall) => Reply | Promise<Reply>,
  more: Partial<ServiceRoute> = {},
): ServiceRoute => ({ method: 'GET', path, placement: scopes('orders:read'), handle, ...more })

/** By what is sent: one message, or many; and what comes back. */
const kinds: readonly { readonly name: string; readonly path: string; readonly streams?: Streams }[] = [
  { name: 'one message for one', path: '/one' },
  { name: 'many messages for one', path: '/in', streams: 'in' },
  { name: 'one message for many', path: '/out', streams: 'out' },
  { name: 'many messages for many', path: '/both', streams: 'both' },
]

async function digest({ body }: HandlerCall): Promise<string> {
  read += 1
  const hash = createHash('sha256')
  for await (const chunk of body) hash.update(chunk)
  return hash.digest('hex')
}

const serviceOf = (subject: Subject): Service => ({
  routes: [
    ...kinds.map(({ path, streams }) => {
      const isMany = streams === 'out' || streams === 'both'
      const handle = async (call: HandlerCall): Promise<Reply> => {
        const text = await digest(call)
        return { body: isMany ? Readable.from([text, ...chunks()]) : text }
      }
      // A WebSocket is opened by GET, whatever is sent over it.
      const method = subject.wire === 'upgrade' ? 'GET' : 'POST'
      return route(path, handle, { method, ...(streams === undefined ? {} : { streams }) })
    }),
    route('/fails', () => {
      throw new Error('a mistake of the application')
    }),
    route('/rejects', async () => Promise.reject(new Error('another one'))),
    route('/made', () => ({ status: 201, headers: { 'x-handled': 'yes' }, body: 'made' })),
  ],
})

function* chunks(): Generator<string> {
  for (let i = 0; i < 100; i += 1) yield `${i} ${'x'.repeat(1000)}\n`
}

export function bodies(subject: Subject): void {
  const service = serviceOf(subject)
  const sending = async (body: string | Readable, ...granted: string[]) => ({
    ...(subject.wire === 'upgrade' ? {} : { method: 'POST' }),
    headers: {
      ...(await bearerOf('checkout', ...granted)),
      ...(subject.wire === 'HTTP' ? { 'content-type': 'application/octet-stream' } : {}),
    },
    body,
  })

  describe('what is sent and answered', () => {
    describe.each(kinds)('$name', ({ path, streams }) => {
      test('arrive as they were, a megabyte too', async () => {
        await withService(subject, service, async (served) => {
          const content = randomBytes(1 << 20)
          const parts = [content.subarray(0, 300_000), content.subarray(300_000)]
          const answer = await served.call(path, await sending(Readable.from(parts), 'orders:read'))
          const expected = createHash('sha256').update(content).digest('hex')
          const isMany = streams === 'out' || streams === 'both'
          expect(answer).toMatchObject({
            outcome: 'handled',
            code: null,
            body: isMany ? [expected, ...chunks()].join('') : expected,
          })
        })
      })

      test('with a refused request are read by nobody', async () => {
        await withService(subject, service, async (served) => {
          read = 0
          const answer = await served.call(path, await sending('x'.repeat(10_000)))
          expect(answer).toMatchObject({ outcome: 'forbidden', code: 'scope_missing' })
          const stranger = { ...(await sending('x'.repeat(10_000))), headers: {} }
          expect(await served.call(path, stranger)).toMatchObject({ code: 'credential_missing' })
          expect(read).toBe(0)
        })
      })
    })

    describe('a handler', () => {
      test.each(['/fails', '/rejects'])("by its error at %s answers the application's own", async (path) => {
        await withService(subject, service, async (served) => {
          const answer = await served.call(path, { headers: await bearerOf('checkout', 'orders:read') })
          expect(answer).toMatchObject({ outcome: 'failed', code: null })
          expect(answer.events.map(({ outcome }) => outcome)).toEqual(['allow'])
          expect((await served.call(path)).code).toBe('credential_missing')
        })
      })

      feature(
        subject,
        'answers with a status and fields',
        'answers with a status and fields of its own',
        async () => {
          await withService(subject, service, async (served) => {
            const answer = await served.call('/made', { headers: await bearerOf('checkout', 'orders:read') })
            expect(answer).toMatchObject({ status: 201, body: 'made' })
            expect(answer.headers['x-handled']).toBe('yes')
          })
        },
      )
    })
  })
}
