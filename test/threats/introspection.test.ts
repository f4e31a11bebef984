// Opaque tokens mean what their issuer says of them, to this service, at this time: never more.
import { createGuard, scopes, type FetchDocument, type GuardOptions } from '@countersign/core'
import { createTestClock } from '@countersign/testing'
import { describe, expect, test } from 'vitest'
import { codeFor } from '../core/support/asking.ts'
import { jsonDocument } from '../core/support/network.ts'

const issuer = 'https://idp.test'
const opaque = 'mF_9.B5f-4.1JqM'
const clock = createTestClock()

const activeFor = (changes: object = {}) => ({
  active: true,
  sub: 'checkout',
  client_id: 'checkout',
  token_type: 'Bearer',
  aud: 'orders',
  scope: 'orders:read',
  exp: clock.now() / 1000 + 600,
  ...changes,
})

/** A guard whose issuer answers so, and how often it was asked. */
function asking(answer: () => object, more: { readonly issuer?: string; readonly audience?: string } = {}) {
  const asked: string[] = []
  const fetch: FetchDocument = async (url, { body = '' }) => {
    asked.push(`${url.href} ${new URLSearchParams(String(body)).get('token')}`)
    return jsonDocument(answer())
  }
  const name = more.issuer ?? issuer
  const introspection = {
    endpoint: `${name}/introspect`,
    clientId: 'orders',
    authentication: { method: 'client_secret_basic', secret: 'a-secret-of-the-orders-service' },
  }
  const issuers = [{ issuer: name, introspection }]
  const options = { audience: more.audience ?? 'orders', issuers, log: false } as unknown as GuardOptions
  return { guard: createGuard(options, { clock, fetch }), asked }
}

describe('T26 what is remembered of an opaque token', () => {
  test('T26 is who presents it, never that it was enough for a scope', async () => {
    for (const first of ['orders:read', 'orders:write']) {
      const { guard, asked } = asking(activeFor)
      await codeFor(guard, opaque, scopes(first))
      expect(await codeFor(guard, opaque, scopes('orders:read'))).toBe('allow')
      expect(await codeFor(guard, opaque, scopes('orders:write'))).toBe('scope_missing')
      expect(await codeFor(guard, opaque, scopes('orders:read', 'orders:write'))).toBe('scope_missing')
      expect(asked).toHaveLength(1)
    }
  })

  test('T26 is of the server that said it: another guard asks its own', async () => {
    const good = asking(activeFor)
    const other = asking(() => ({ active: false }), { issuer: 'https://other.test' })
    expect(await codeFor(good.guard, opaque)).toBe('allow')
    expect(await codeFor(other.guard, opaque)).toBe('token_inactive')
    expect(await codeFor(good.guard, opaque)).toBe('allow')
    expect([good.asked, other.asked]).toEqual([
      [`${issuer}/introspect ${opaque}`],
      [`https://other.test/introspect ${opaque}`],
    ])
  })

  test('T26 is of that very token, and ends', async () => {
    let answer: object = activeFor()
    const { guard, asked } = asking(() => answer)
    expect(await codeFor(guard, opaque)).toBe('allow')
    for (const near of [`${opaque}.`, opaque.slice(0, -1), opaque.toLowerCase(), `x${opaque}`]) {
      answer = { active: false }
      expect(await codeFor(guard, near), near).toBe('token_inactive')
    }
    expect(await codeFor(guard, opaque)).toBe('allow')
    expect(asked).toHaveLength(5)
    clock.advance({ seconds: 31 })
    expect(await codeFor(guard, opaque)).toBe('token_inactive')
  })
})

describe('T58 an answer for a token that was issued to or for somebody else', () => {
  test.each<[string, object, string]>([
    ['for another audience', { aud: 'billing' }, 'audience_mismatch'],
    ['for other audiences', { aud: ['billing', 'https://orders'] }, 'audience_mismatch'],
    ['for nobody in particular', { aud: undefined }, 'audience_mismatch'],
    ['for an audience of nobody', { aud: [] }, 'audience_mismatch'],
    ['of another issuer', { iss: 'https://other.test' }, 'introspection_malformed'],
    ['that is said to be active in text', { active: 'true' }, 'introspection_malformed'],
    ['that is said to be active by a number', { active: 1 }, 'introspection_malformed'],
    ['of which nothing is said', { active: undefined }, 'introspection_malformed'],
    ['that gives no access', { token_type: 'refresh_token' }, 'token_type_mismatch'],
    ['that has ended', { exp: 1 }, 'token_expired'],
    ['that never ends', { exp: undefined }, 'claim_missing'],
    ['that starts later', { nbf: 4_102_444_800 }, 'token_not_yet_valid'],
    ['without a subject', { sub: undefined }, 'claim_missing'],
    ['that is bound to a key', { token_type: 'DPoP', cnf: { jkt: 'A'.repeat(43) } }, 'bound_token_as_bearer'],
    [
      'that is bound to a key, though it does not say to which',
      { token_type: 'DPoP' },
      'introspection_malformed',
    ],
  ])('T58 %s is refused, asked anew or remembered', async (_, changes, code) => {
    const { guard } = asking(() => activeFor(changes))
    for (let i = 0; i < 2; i += 1) expect(await codeFor(guard, opaque)).toBe(code)
  })
})
