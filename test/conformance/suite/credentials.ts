import { authenticated, callerIs, callerOptional, provenBy, scopes, unprotected } from '@countersign/core'
import { describe, expect, test } from 'vitest'
import {
  bearerOf,
  callerIdOf,
  checkout,
  externalUrl,
  issuer,
  otherIssuer,
  proofKey,
  reports,
  stranger,
} from '../house.ts'
import type { Service, ServiceRoute, Subject } from '../subject.ts'
import { feature, routeOf, withService } from './with-service.ts'

const tell: ServiceRoute['handle'] = ({ caller, requireCaller }) => ({
  body: JSON.stringify({ id: requireCaller().id, same: caller?.id, provenBy: caller?.provenBy }),
})
const service: Service = {
  routes: [
    { method: 'GET', path: '/token', placement: scopes('orders:read'), handle: tell },
    { method: 'GET', path: '/dpop', placement: provenBy('dpop'), handle: tell },
    { method: 'GET', path: '/certificate', placement: callerIs('spiffe://test.example/*'), handle: tell },
    { method: 'GET', path: '/bound', placement: provenBy('boundToken'), handle: tell },
    {
      method: 'GET',
      path: '/optional',
      placement: callerOptional('greets whoever it knows'),
      handle: ({ caller }) => ({ body: `hello ${caller?.id ?? 'stranger'}` }),
    },
    {
      method: 'GET',
      path: '/open',
      placement: unprotected('a page for everybody'),
      handle: ({ caller }) => ({ body: `open to ${caller?.id ?? 'nobody'}` }),
    },
    {
      method: 'GET',
      path: '/careless',
      placement: unprotected('whose handler expects a caller'),
      handle: ({ requireCaller }) => {
        try {
          return { body: `called by ${requireCaller().id}` }
        } catch (error) {
          return { body: String((error as { code?: string }).code) } // what is thrown has one
        }
      },
    },
  ],
}

export function credentials(subject: Subject): void {
  describe('allows', () => {
    test('a token, and the handler knows its caller', async () => {
      await withService(subject, service, async (served) => {
        const answer = await served.call('/token', { headers: await bearerOf('checkout', 'orders:read') })
        expect(answer).toMatchObject({ outcome: 'handled', code: null })
        expect(JSON.parse(answer.body)).toEqual({
          id: callerIdOf('checkout'),
          same: callerIdOf('checkout'),
          provenBy: ['token'],
        })
        expect(answer.events).toHaveLength(1)
        expect(answer.events[0]).toMatchObject({ route: routeOf(subject, 'GET', '/token'), outcome: 'allow' })
      })
    })

    test('a token bound by DPoP, once, and says the nonce where there is one', async () => {
      await withService(
        subject,
        service,
        async (served) => {
          const token = await issuer.token('checkout', { audience: 'orders', scopes: [], boundTo: proofKey })
          const { method, path } = (subject.target ?? subject.spell)('GET', '/dpop')
          const first = await proofKey.headersFor(token, { method, url: `${externalUrl}${path}` })
          const challenged = await served.call('/dpop', { headers: first })
          expect(challenged).toMatchObject({ outcome: 'unauthenticated', code: 'dpop_nonce_required' })
          const nonce = String(challenged.headers['dpop-nonce'])
          const proof = { method, url: `${externalUrl}${path}?a=b`, nonce }
          const headers = await proofKey.headersFor(token, proof)
          const answer = await served.call('/dpop?a=b', { headers })
          expect(answer).toMatchObject({ outcome: 'handled', code: null })
          expect(JSON.parse(answer.body).provenBy).toEqual(['token', 'boundToken', 'dpop'])
          expect(await served.call('/dpop?a=b', { headers })).toMatchObject({ code: 'dpop_proof_replayed' })
          for (const other of [{ url: `${externalUrl}/token` }, { method: 'PUT' }]) {
            const forOther = await proofKey.headersFor(token, { ...proof, ...other })
            expect(await served.call('/dpop', { headers: forOther })).toMatchObject({
              code: 'dpop_proof_mismatch',
            })
          }
          const { authorization, dpop } = await proofKey.headersFor(token, proof)
          const twice = { authorization, dpop: [dpop, dpop] }
          expect(await served.call('/dpop', { headers: twice })).toMatchObject({
            code: 'dpop_proof_duplicated',
          })
        },
        { dpop: { externalUrl, nonces: true } },
      )
    })

    feature(subject, 'client certificates', 'a certificate, and a token that is bound to it', async () => {
      await withService(
        subject,
        service,
        async (served) => {
          const alone = await served.call('/certificate', { certificate: checkout })
          expect(alone).toMatchObject({ outcome: 'handled', code: null })
          expect(JSON.parse(alone.body)).toMatchObject({
            id: 'spiffe://test.example/checkout',
            provenBy: ['certificate'],
          })
          const token = await issuer.token('checkout', {
            audience: 'orders',
            scopes: ['orders:read'],
            boundTo: checkout,
            claims: { spiffe_id: 'spiffe://test.example/checkout' },
          })
          const headers = { authorization: `Bearer ${token}` }
          expect(await served.call('/bound', { headers, certificate: checkout })).toMatchObject({
            code: null,
          })
          expect(await served.call('/bound', { headers, certificate: reports })).toMatchObject({
            outcome: 'unauthenticated',
            code: 'certificate_binding_mismatch',
          })
          expect(await served.call('/certificate', { certificate: stranger })).toMatchObject({
            code: 'certificate_untrusted',
          })
          expect(await served.call('/bound', { headers })).toMatchObject({
            outcome: 'unauthenticated',
            code: 'certificate_binding_missing',
          })
          expect(await served.call('/certificate')).toMatchObject({
            outcome: 'unauthenticated',
            code: 'credential_missing',
          })
        },
        { transport: 'https' },
      )
    })

    feature(subject, 'HTTP/2', 'tokens and certificates over HTTP/2', async () => {
      await withService(
        subject,
        service,
        async (served) => {
          const headers = await bearerOf('checkout', 'orders:read')
          expect(await served.call('/token', { headers })).toMatchObject({ outcome: 'handled', code: null })
          expect(await served.call('/token')).toMatchObject({
            outcome: 'unauthenticated',
            code: 'credential_missing',
          })
          expect(await served.call('/certificate', { certificate: checkout })).toMatchObject({
            outcome: 'handled',
          })
        },
        { transport: 'http2' },
      )
    })

    test('nobody but who presents something valid, or nothing, where a caller is optional', async () => {
      await withService(subject, service, async (served) => {
        expect((await served.call('/optional')).body).toBe('hello stranger')
        const headers = await bearerOf('checkout')
        expect((await served.call('/optional', { headers })).body).toBe(`hello ${callerIdOf('checkout')}`)
        const invalid = await served.call('/optional', { headers: { authorization: 'Bearer junk' } })
        expect(invalid).toMatchObject({ outcome: 'unauthenticated', code: 'token_malformed' })
      })
    })

    test('everybody where nothing is protected, without a caller', async () => {
      await withService(subject, service, async (served) => {
        const junk = { headers: { authorization: 'Bearer junk' } }
        expect(await served.call('/open', junk)).toMatchObject({ outcome: 'handled', body: 'open to nobody' })
        expect(await served.call('/careless')).toMatchObject({
          outcome: 'handled',
          body: 'caller_unavailable',
        })
      })
    })

    test('no token of an issuer that nobody trusts', async () => {
      await withService(subject, service, async (served) => {
        const headers = await otherIssuer.headersFor('checkout', {
          audience: 'orders',
          scopes: ['orders:read'],
        })
        expect(await served.call('/token', { headers })).toMatchObject({
          outcome: 'unauthenticated',
          code: 'issuer_unknown',
        })
      })
    })

    test('whoever would be refused where the service only observes, as nobody', async () => {
      const observed: Service = {
        routes: [
          {
            method: 'GET',
            path: '/observed',
            placement: authenticated(),
            handle: ({ caller }) => ({ body: caller?.id ?? 'nobody' }),
          },
        ],
      }
      await withService(
        subject,
        observed,
        async (served) => {
          const answer = await served.call('/observed')
          expect(answer).toMatchObject({ outcome: 'handled', body: 'nobody', code: 'credential_missing' })
          expect(answer.events[0]).toMatchObject({ mode: 'observe', outcome: 'allow' })
        },
        { mode: { observe: { until: '2099-12-31' } } },
      )
    })
  })
}
