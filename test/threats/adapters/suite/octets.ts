// Requests as no client would write them, spoken to octet by octet.
import { authenticated, scopes, unprotected } from '@countersign/core'
import { policyDocument } from '@countersign/policy'
import { describe, expect, test } from 'vitest'
import type { Served } from '../../../conformance/served.ts'
import { overHttp } from '../../../conformance/wires/http.ts'
import type { HttpSubject, Service } from '../../../conformance/subject.ts'
import { tricks } from '../../support/url-tricks.ts'
import { good, guardWith, issuer } from '../house.ts'

let ran: string[] = []
const noting = (name: string) => () => {
  ran.push(name)
  return { body: name }
}
const service: Service = {
  floor: { prefix: '/admin', requirement: scopes('admin:write') },
  routes: [
    { method: 'GET', path: '/open', placement: unprotected('a page'), handle: noting('open') },
    { method: 'GET', path: '/orders', placement: scopes('orders:read'), handle: noting('orders') },
    { method: 'POST', path: '/orders', placement: scopes('orders:write'), handle: noting('written') },
    { method: 'GET', path: '/admin/panel', placement: authenticated(), handle: noting('panel') },
    { method: 'GET', path: '/admin/deep/inner', placement: authenticated(), handle: noting('inner') },
    { method: 'DELETE', path: '/admin/panel', placement: authenticated(), handle: noting('removed') },
  ],
}

/** Writes this on a connection, and reads until the server hangs up. */
async function send(served: Served, text: string): Promise<string> {
  const socket = await served.raw()
  let answered = ''
  socket.on('data', (chunk: Buffer) => (answered += chunk.toString('latin1')))
  socket.on('error', () => undefined) // the server may hang up while more is sent
  const closed = new Promise((resolve) => socket.once('close', resolve))
  socket.write(Buffer.from(text, 'latin1'))
  await closed
  return answered
}

const lines = (...all: readonly string[]): string => [...all, '', ''].join('\r\n')
const last = lines('GET /nowhere HTTP/1.1', 'Host: x', 'Connection: close')

export function octets(subject: HttpSubject): void {
  const serving = async (run: (served: Served) => Promise<void>): Promise<void> => {
    ran = []
    const guard = guardWith()
    const served = await overHttp(subject).start(guard, service)
    try {
      await run(served)
    } finally {
      await served.close()
      guard.close()
    }
  }
  const reader = async (): Promise<string> => (await good()).join(': ')

  describe('a request', () => {
    test.skipIf(subject.name === 'node:http')(
      'T46 comes below a floor by no spelling without what the floor asks',
      async () => {
        await serving(async (served) => {
          for (const [, line, ...fields] of tricks) {
            for (const credential of [[], [await reader()]]) {
              await send(
                served,
                lines(`${line} HTTP/1.1`, 'Host: x', 'Connection: close', ...fields, ...credential),
              )
              expect([line, ran.filter((name) => name !== 'open' && name !== 'orders')]).toEqual([line, []])
            }
          }
          const admin = await issuer.headersFor('admin', { scopes: ['admin:write'] })
          await send(
            served,
            lines(
              'GET /admin/panel HTTP/1.1',
              'Host: x',
              'Connection: close',
              `Authorization: ${admin.authorization}`,
            ),
          )
          expect(ran.at(-1)).toBe('panel')
        })
      },
    )

    test('T46 in the body of a refused one is a body, and none', async () => {
      await serving(async (served) => {
        const inner = lines('GET /orders HTTP/1.1', 'Host: x', await reader())
        const chunked = `${inner.length.toString(16)}\r\n${inner}\r\n0\r\n\r\n`
        for (const credential of [[], [await reader()], ['Authorization: Bearer junk']]) {
          const head = ['POST /orders HTTP/1.1', 'Host: x', ...credential]
          await send(served, lines(...head, `Content-Length: ${inner.length}`) + inner + last)
          await send(served, lines(...head, 'Transfer-Encoding: chunked') + chunked + last)
        }
        expect(ran).toEqual([])
      })
    })

    test.each([
      ['two lengths', ['Content-Length: 0', 'Content-Length: 5']],
      ['a length beside chunks', ['Content-Length: 0', 'Transfer-Encoding: chunked']],
      ['chunks by another name', ['Transfer-Encoding: xchunked']],
      ['a length that is none', ['Content-Length: +5']],
      ['a space before a colon', ['Content-Length : 5']],
      ['a name that is none', ['X Y: 1']],
    ])('T46 with %s runs nothing, and what is behind it neither', async (_what, fields) => {
      await serving(async (served) => {
        const inner = lines('GET /orders HTTP/1.1', 'Host: x', await reader(), 'Connection: close')
        const answer = await send(
          served,
          lines('POST /orders HTTP/1.1', 'Host: x', await reader(), ...fields) + inner,
        )
        expect(answer).toMatch(/^HTTP\/1\.1 4\d\d /)
        expect(ran).toEqual([])
      })
    })

    test('T29 with two Authorization fields has none, however they are spelled and whichever is right', async () => {
      await serving(async (served) => {
        const right = await reader()
        const value = right.slice('Authorization: '.length)
        for (const pair of [
          [right, 'Authorization: Bearer junk'],
          ['Authorization: Bearer junk', right],
          [right, right],
          [right, `authorization: ${value}`],
          [right, `AUTHORIZATION: ${value}`],
          [right, 'Authorization: '],
          ['Authorization: ', right],
        ]) {
          const answer = await send(
            served,
            lines('GET /orders HTTP/1.1', 'Host: x', 'Connection: close', ...pair),
          )
          expect([pair, ran, answer.slice(0, 10)]).toEqual([pair, [], 'HTTP/1.1 4'])
        }
        // One line that is folded over two is no two (RFC 9112 §5.2), and Node joins or refuses it.
        await send(
          served,
          lines('GET /orders HTTP/1.1', 'Host: x', 'Connection: close', 'Authorization: Bearer', ` ${value}`),
        )
        expect(ran).toEqual([])
      })
    })

    test('T51 is no other one by a token in its query', async () => {
      await serving(async (served) => {
        const token = await issuer.token('checkout', { scopes: ['orders:read'] })
        for (const query of [`access_token=${token}`, `token=${token}`, `authorization=Bearer%20${token}`]) {
          await send(served, lines(`GET /orders?${query} HTTP/1.1`, 'Host: x', 'Connection: close'))
        }
        expect(ran).toEqual([])
      })
    })

    test.each(['X-HTTP-Method-Override', 'X-HTTP-Method', 'X-Method-Override', '_method'])(
      'T47 has its own method, whatever %s says',
      async (name) => {
        await serving(async (served) => {
          for (const [method, other] of [
            ['POST', 'GET'],
            ['GET', 'POST'],
            ['POST', 'HEAD'],
          ]) {
            await send(
              served,
              lines(
                `${method} /orders HTTP/1.1`,
                'Host: x',
                'Connection: close',
                'Content-Length: 0',
                `${name}: ${other}`,
                ...(method === 'POST' ? [await reader()] : []),
              ),
            )
          }
          expect(ran).toEqual([])
        })
      },
    )

    test('T47 that is a preflight is asked like any other where the policy document says who may send it', async () => {
      const options: Service = { routes: [{ method: 'OPTIONS', path: '/said', handle: noting('said') }] }
      const policy = policyDocument(`version: 1
callers:
  checkout: { is: [{ issuer: https://issuer.test, clientId: checkout }], grants: [orders:read] }
routes:
  - { route: OPTIONS /said, requires: { scopes: [orders:read] } }
`)
      const guard = guardWith({ policy, preflight: 'pass' })
      const served = await overHttp(subject).start(guard, options)
      ran = []
      const preflight = [
        'OPTIONS /said HTTP/1.1',
        'Host: x',
        'Connection: close',
        'Origin: https://a.test',
        'Access-Control-Request-Method: GET',
      ]
      expect(await send(served, lines(...preflight))).toMatch(/^HTTP\/1\.1 401 /)
      expect(ran).toEqual([])
      expect(await send(served, lines(...preflight, await reader()))).toMatch(/^HTTP\/1\.1 200 /)
      expect(ran).toEqual(['said'])
      await served.close()
      guard.close()
    })

    test('T25 in one packet with others has its own caller, and none has what the one before it had', async () => {
      await serving(async (served) => {
        const one = lines('GET /orders HTTP/1.1', 'Host: x', await reader())
        const none = lines('GET /orders HTTP/1.1', 'Host: x')
        const junk = lines('GET /orders HTTP/1.1', 'Host: x', 'Authorization: Bearer junk')
        const text = await send(served, [one, none, one, junk, one, none, junk, last].join(''))
        const statuses = [...text.matchAll(/HTTP\/1\.1 (\d{3})/g)].map(([, status]) => status)
        expect(statuses).toEqual(['200', '401', '200', '401', '200', '401', '401', '404'])
        expect(ran).toEqual(['orders', 'orders', 'orders'])
      })
    })

    test('T52 that is refused gets nothing of an answer in its challenge but what the guard says', async () => {
      await serving(async (served) => {
        for (const word of ['Bearer a\tb', 'Bearer x"y', 'Bearer %0d%0aX-Injected: 1', 'Bearer \u00e4"']) {
          const text = await send(
            served,
            lines(
              'GET /orders HTTP/1.1',
              'Host: x',
              'Connection: close',
              `Authorization: ${word}`,
              'X-Request-Id: a%0d%0ab',
            ),
          )
          expect(text).toMatch(/^HTTP\/1\.1 4\d\d /)
          expect(text).not.toMatch(/^x-injected/im)
          expect(text).not.toContain('x"y')
        }
        expect(ran).toEqual([])
      })
    })
  })
}
