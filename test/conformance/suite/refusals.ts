import { scopes, type RefusalCode } from '@countersign/core'
import { policyDocument } from '@countersign/policy'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { bearerOf, guardWith, issuer, type Headers } from '../house.ts'
import { Served } from '../served.ts'
import type { Service, Subject } from '../subject.ts'
import { withService } from './with-service.ts'

let handled = 0
const service: Service = {
  routes: [
    {
      method: 'GET',
      path: '/orders/:id',
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
  readonly challenge: RegExp | undefined
  readonly headers: Headers | Readonly<Record<string, readonly string[]>> | (() => Promise<Headers>)
}

const classes: readonly Refused[] = [
  { code: 'credential_missing', status: 401, challenge: /^Bearer (?!.*error=)/, headers: {} },
  {
    code: 'authorization_scheme_unsupported',
    status: 401,
    challenge: /^Bearer (?!.*error=)/,
    headers: { authorization: 'Basic abc' },
  },
  {
    code: 'token_malformed',
    status: 401,
    challenge: /error="invalid_token"/,
    headers: { authorization: 'Bearer not-a-token' },
  },
  {
    code: 'audience_mismatch',
    status: 401,
    challenge: /error="invalid_token"/,
    headers: () => issuer.headersFor('checkout', { audience: 'billing', scopes: ['orders:read'] }),
  },
  {
    code: 'token_oversized',
    status: 400,
    challenge: /error="invalid_request"/,
    headers: { authorization: `Bearer ${'a'.repeat(15_000)}` },
  },
  {
    code: 'scope_missing',
    status: 403,
    challenge: /error="insufficient_scope".*scope="orders:read"/,
    headers: () => bearerOf('checkout', 'orders:list'),
  },
]

export function refusals(subject: Subject): void {
  describe('refuses', () => {
    let served: Served
    const guard = guardWith()
    beforeAll(async () => {
      served = await Served.start(await subject.build(guard, service), guard)
    })
    afterAll(async () => {
      await served.close()
      guard.close()
    })

    test.each(classes)(
      'with $code: $status, its challenge, a problem body, and no handler',
      async (refused) => {
        handled = 0
        const headers = typeof refused.headers === 'function' ? await refused.headers() : refused.headers
        const answer = await served.call('/orders/7', { headers })
        expect(answer).toMatchObject({ status: refused.status, code: refused.code })
        expect(handled).toBe(0)
        expect(answer.events).toHaveLength(1)
        const [event] = answer.events
        expect(event).toMatchObject({ route: 'GET /orders/:id', outcome: 'deny' })
        expect(answer.headers).toMatchObject({
          'content-type': 'application/problem+json',
          'cache-control': 'no-store',
          'content-length': String(Buffer.byteLength(answer.body)),
        })
        if (refused.challenge === undefined) expect(answer.headers['www-authenticate']).toBeUndefined()
        else expect(answer.headers['www-authenticate']).toMatch(refused.challenge)
        expect(JSON.parse(answer.body)).toMatchObject({ status: refused.status, decision: event?.id })
        // The precise code is for the operator.
        expect(answer.body).not.toContain(refused.code)
      },
    )

    test('two Authorization fields, whichever is right', async () => {
      const { authorization = '' } = await bearerOf('checkout', 'orders:read')
      for (const fields of [
        [authorization, 'Bearer junk'],
        ['Bearer junk', authorization],
        [authorization, authorization],
      ]) {
        const socket = await served.raw()
        const lines = fields.map((field) => `Authorization: ${field}\r\n`).join('')
        socket.write(`GET /orders/7 HTTP/1.1\r\nHost: x\r\nConnection: close\r\n${lines}\r\n`)
        let text = ''
        for await (const chunk of socket) text += String(chunk)
        expect(text).toMatch(/^HTTP\/1\.1 400 /)
        expect(text).toContain('invalid_request')
      }
    })
  })

  test('as unavailable what cannot be decided now, and says when to come again', async () => {
    const policy = policyDocument({
      follow: () => () => undefined,
    })
    await withService(
      subject,
      service,
      async (served) => {
        const answer = await served.call('/orders/7', { headers: await bearerOf('checkout', 'orders:read') })
        expect(answer).toMatchObject({ status: 503, code: 'policy_unavailable' })
        expect(answer.headers['retry-after']).toMatch(/^[1-9]\d*$/)
      },
      { policy },
    )
  })
}
