// Where a token is asked about instead of being verified here, or as well: which tokens that are, and for how long it counts.
import { writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createGuard, type FetchDocument, type GuardOptions } from '@countersign/core'
import { describe, expect, test } from 'vitest'
import { codeFor } from './support/asking.ts'
import { createHouse, issuer } from './support/house.ts'
import { jsonDocument } from './support/network.ts'

const { signer, clock, token, jws, header, claims } = createHouse()
const keys = { keys: [{ ...signer.jwk, kid: 'key-1' }] }
const introspection = {
  endpoint: `${issuer}/introspect`,
  clientId: 'orders',
  authentication: { method: 'client_secret_basic', secret: 'a-secret-of-the-orders-service' },
}

function asking(options: object, answer: (body: string) => object) {
  const asked: string[] = []
  const fetch: FetchDocument = async (url, { body = '' }) => {
    asked.push(url.pathname)
    return jsonDocument(answer(body))
  }
  const all = { audience: 'orders', issuers: [{ issuer, ...options }], log: false } as unknown as GuardOptions
  return { guard: createGuard(all, { clock, fetch }), asked }
}

describe('an issuer that is asked about opaque tokens', () => {
  const active = () => ({ ...claims(), active: true, token_type: 'Bearer' })

  test('is never asked about a signed one, however broken: whoever holds the endpoint could turn it into a good one', async () => {
    const { guard, asked } = asking({ jwks: keys, introspection }, active)
    const [head = '', body = '', tail = ''] = token().split('.')
    for (const [text, code] of [
      [`${head}.${body}.`, 'token_malformed'],
      [`${head}.${body}`, 'token_malformed'],
      [`${head}.${body}.${tail}.`, 'token_malformed'],
      [`${head}.!.${tail}`, 'token_malformed'],
      [`${head}.`, 'token_malformed'],
      [jws({ ...header, alg: 'none' }, claims()), 'algorithm_not_allowed'],
      [jws({ ...header, crit: ['x'] }, claims()), 'token_critical_header'],
      [jws(header, 'no claims'), 'token_malformed'],
      [jws(header, claims({ iss: 'https://other.test' })), 'issuer_unknown'],
      [`${head}.${body}.${tail.slice(0, -4)}AAAA`, 'signature_invalid'],
      [token({ exp: 1 }), 'token_expired'],
    ] as const) {
      expect(await codeFor(guard, text), text.slice(-20)).toBe(code)
    }
    expect(await codeFor(guard, token())).toBe('allow')
    expect(asked).toEqual([])
    expect(await codeFor(guard, 'opaque')).toBe('allow')
    expect(asked).toEqual(['/introspect'])
  })

  test('and has no keys, takes no signed token', async () => {
    const { guard, asked } = asking({ introspection }, active)
    expect(await codeFor(guard, token())).toBe('key_unknown')
    expect(await codeFor(guard, 'opaque')).toBe('allow')
    expect(asked).toEqual(['/introspect'])
  })

  test('is the only one: without it, an opaque token is no token', async () => {
    const { guard, asked } = asking({ jwks: keys }, active)
    expect(await codeFor(guard, 'opaque')).toBe('token_malformed')
    expect(asked).toEqual([])
  })
})

describe('a cluster that is asked whether it stands by a token', () => {
  const bearerFile = join(tmpdir(), `countersign-test-token-${process.pid}`)
  writeFileSync(bearerFile, 'own-token')
  const sub = 'system:serviceaccount:shop:checkout'
  const account = { namespace: 'shop', serviceaccount: { name: 'checkout', uid: 'u-1' } }
  const kubernetes = {
    jwks: keys,
    profile: 'kubernetes',
    tokenReview: { apiServer: 'https://kubernetes.test', bearerFile },
  }
  const serviceAccountToken = () =>
    jws({ alg: 'ES256', kid: 'key-1' }, claims({ sub, 'kubernetes.io': account, client_id: undefined }))
  const review = (status: object) => ({
    apiVersion: 'authentication.k8s.io/v1',
    kind: 'TokenReview',
    status,
  })
  const good = { authenticated: true, user: { username: sub }, audiences: ['orders'] }

  test('decides beside the signature, not instead of it', async () => {
    const { guard, asked } = asking(kubernetes, () => review(good))
    expect(await codeFor(guard, serviceAccountToken())).toBe('allow')
    expect(asked).toEqual(['/apis/authentication.k8s.io/v1/tokenreviews'])
    const forged = createHouse().jws(
      { alg: 'ES256', kid: 'key-1' },
      claims({ sub, 'kubernetes.io': account }),
    )
    expect(await codeFor(guard, forged)).toBe('signature_invalid')
    expect(asked).toHaveLength(1)
  })

  test.each<[string, object, string]>([
    ['does not know it', review({ authenticated: false }), 'token_inactive'],
    ['gives another answer', { kind: 'Status' }, 'token_review_unavailable'],
  ])('that %s ends it', async (_, answer, code) => {
    const { guard } = asking(kubernetes, () => answer)
    expect(await codeFor(guard, serviceAccountToken())).toBe(code)
  })

  test('is asked again after a while, so that a deleted pod is nobody', async () => {
    let status: object = good
    const { guard } = asking(kubernetes, () => review(status))
    const held = serviceAccountToken()
    expect(await codeFor(guard, held)).toBe('allow')
    status = { authenticated: false }
    expect(await codeFor(guard, held)).toBe('allow')
    clock.advance({ seconds: 61 })
    expect(await codeFor(guard, held)).toBe('token_inactive')
  })
})
