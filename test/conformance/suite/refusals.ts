import { status as grpc } from '@grpc/grpc-js'
import { refusals as entries, scopes, type RefusalCode } from '@countersign/core'
import { policyDocument } from '@countersign/policy'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { bearerOf, guardWith, issuer, type Headers } from '../house.ts'
import type { Served } from '../served.ts'
import type { Service, Subject } from '../subject.ts'
import { feature, routeOf, withService } from './with-service.ts'

let handled = 0
const service: Service = {
  routes: [
    {
      method: 'GET',
      path: '/orders',
      placement: scopes('orders:read'),
      handle: () => {
        handled += 1
        return { body: 'handled' }
      },
    },
  ],
}

interface Refused {
  readonly code: RefusalCode
  readonly status: number
  readonly grpc: number
  readonly challenge: RegExp
  readonly headers: Headers | (() => Promise<Headers>)
}

const classes: readonly Refused[] = [
  {
    code: 'credential_missing',
    status: 401,
    grpc: grpc.UNAUTHENTICATED,
    challenge: /^Bearer (?!.*error=)/,
    headers: {},
  },
  {
    code: 'authorization_scheme_unsupported',
    status: 401,
    grpc: grpc.UNAUTHENTICATED,
    challenge: /^Bearer (?!.*error=)/,
    headers: { authorization: 'Basic abc' },
  },
  {
    code: 'token_malformed',
    status: 401,
    grpc: grpc.UNAUTHENTICATED,
    challenge: /error="invalid_token"/,
    headers: { authorization: 'Bearer not-a-token' },
  },
  {
    code: 'audience_mismatch',
    status: 401,
    grpc: grpc.UNAUTHENTICATED,
    challenge: /error="invalid_token"/,
    headers: () => issuer.headersFor('checkout', { audience: 'billing', scopes: ['orders:read'] }),
  },
  {
    code: 'token_oversized',
    status: 400,
    grpc: grpc.UNAUTHENTICATED,
    challenge: /error="invalid_request"/,
    headers: { authorization: `Bearer ${'a'.repeat(15_000)}` },
  },
  {
    code: 'scope_missing',
    status: 403,
    grpc: grpc.PERMISSION_DENIED,
    challenge: /error="insufficient_scope".*scope="orders:read"/,
    headers: () => bearerOf('checkout', 'orders:list'),
  },
]

export function refusals(subject: Subject): void {
  describe('refuses', () => {
    let served: Served
    const guard = guardWith()
    beforeAll(async () => {
      served = await subject.start(guard, service)
    })
    afterAll(async () => {
      await served.close()
      guard.close()
    })

    test.each(classes)(
      'with $code: its status, its challenge, the public sentence, and no handler',
      async (refused) => {
        handled = 0
        const headers = typeof refused.headers === 'function' ? await refused.headers() : refused.headers
        const answer = await served.call('/orders', { headers })
        const status = subject.wire === 'gRPC' ? refused.grpc : refused.status
        expect(answer).toMatchObject({ status, code: refused.code })
        expect(handled).toBe(0)
        expect(answer.events).toHaveLength(1)
        const [event] = answer.events
        expect(event).toMatchObject({ route: routeOf(subject, 'GET', '/orders'), outcome: 'deny' })
        expect(answer.headers['www-authenticate']).toMatch(refused.challenge)
        const { sentence } = entries[refused.code]
        if (subject.wire === 'gRPC') expect(answer.body).toBe(`${sentence} (decision ${event?.id})`)
        else {
          expect(answer.headers).toMatchObject({
            'content-type': 'application/problem+json',
            'cache-control': 'no-store',
            'content-length': String(Buffer.byteLength(answer.body)),
          })
          expect(JSON.parse(answer.body)).toMatchObject({ status, detail: sentence, decision: event?.id })
        }
        // The precise code is for the operator.
        expect(answer.body).not.toContain(refused.code)
      },
    )

    feature(subject, 'a field twice', 'two Authorization fields, whichever is right', async () => {
      const { authorization = '' } = await bearerOf('checkout', 'orders:read')
      for (const fields of [
        [authorization, 'Bearer junk'],
        ['Bearer junk', authorization],
        [authorization, authorization],
      ]) {
        const socket = await served.raw()
        const lines = [...served.opening, ...fields.map((field) => `Authorization: ${field}`)]
        socket.write(`GET /orders HTTP/1.1\r\nHost: x\r\n${lines.join('\r\n')}\r\n\r\n`)
        let text = ''
        for await (const chunk of socket) text += String(chunk)
        expect(text).toMatch(/^HTTP\/1\.1 400 /)
        expect(text).toContain('invalid_request')
      }
    })

    test('as unavailable what cannot be decided now, and says when to come again', async () => {
      const policy = policyDocument({
        follow: () => () => undefined,
      })
      await withService(
        subject,
        service,
        async (waiting) => {
          const answer = await waiting.call('/orders', { headers: await bearerOf('checkout', 'orders:read') })
          expect(answer).toMatchObject({ outcome: 'unavailable', code: 'policy_unavailable' })
          expect(String(answer.headers['retry-after'])).toMatch(/^[1-9]\d*$/)
        },
        { policy },
      )
    })
  })
}
