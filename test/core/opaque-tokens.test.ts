// Where a token is asked about instead of being verified here, or as well: which tokens that are, and for how long it counts.
import { writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createGuard, type FetchDocument, type GuardOptions } from '@countersign/core'
import { describe, expect, test, vi } from 'vitest'
import { callerFor, codeFor, refusalOf, requestWith } from './support/asking.ts'
import { createHouse, issuer } from './support/house.ts'
import { jsonDocument } from './support/network.ts'

type Members = Readonly<Record<string, unknown>>

const { signer, clock, token, jws, header, claims } = createHouse()
const keys = { keys: [{ ...signer.jwk, kid: 'key-1' }] }
const introspection = {
  endpoint: `${issuer}/introspect`,
  clientId: 'orders',
  authentication: { method: 'client_secret_basic', secret: 'a-secret-of-the-orders-service' },
}

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

function asking(options: object, answer: (body: string) => object) {
  const asked: string[] = []
  const fetch: FetchDocument = async (url, { body = '' }) => {
    asked.push(url.pathname)
    return jsonDocument(answer(String(body)))
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

  test('and whose keys are not to be had, is not asked twice for one answer', async () => {
    const jwksUri = `${issuer}/keys`
    const { guard, asked } = asking({ jwksUri, introspection }, active)
    for (let i = 0; i < 3; i += 1) expect(await codeFor(guard, 'opaque')).toBe('allow')
    expect(asked.filter((path) => path === '/introspect')).toHaveLength(1)
  })

  test('is asked again from the very moment at which its answer ends', async () => {
    const { guard, asked } = asking({ introspection }, active)
    for (const [ms, times] of [
      [0, 1],
      [29_999, 1],
      [1, 2],
    ] as const) {
      clock.advance(ms)
      expect(await codeFor(guard, 'opaque')).toBe('allow')
      expect(asked).toHaveLength(times)
    }
  })

  test('is asked again by a clock that stepped back further than clocks may differ', async () => {
    const exp = clock.now() / 1000 + 3600
    const { guard, asked } = asking({ introspection }, () => ({ ...active(), iat: undefined, exp }))
    for (const [ms, times] of [
      [0, 1],
      [-30_000, 1],
      [-1, 2],
    ] as const) {
      clock.advance(ms)
      expect(await codeFor(guard, 'opaque')).toBe('allow')
      expect(asked).toHaveLength(times)
    }
  })

  test('is the only one: without it, an opaque token is no token', async () => {
    const { guard, asked } = asking({ jwks: keys }, active)
    expect(await codeFor(guard, 'opaque')).toBe('token_malformed')
    expect(asked).toEqual([])
  })
})

describe('what an issuer says of an opaque token', () => {
  const saying = (changes: Members, options: object = {}) =>
    asking({ introspection, ...options }, () => ({
      ...claims(changes),
      active: true,
      token_type: 'Bearer',
    })).guard

  test('is enough without an audience, of a client whose tokens are meant for this service', async () => {
    const named = { introspection: { ...introspection, clients: ['checkout'] } }
    expect(await codeFor(saying({ aud: undefined }, named), 'opaque')).toBe('allow')
    expect(await codeFor(saying({ aud: 'billing' }, named), 'opaque')).toBe('audience_mismatch')
    expect(await codeFor(saying({ aud: undefined, exp: 1 }, named), 'opaque')).toBe('token_expired')
  })

  test('names a thousand audiences at most', async () => {
    const aud = ['orders', ...Array.from({ length: 999 }, (_, i) => `a${i}`)]
    expect(await codeFor(saying({ aud }), 'opaque')).toBe('allow')
    expect(await codeFor(saying({ aud: [...aud, 'one more'] }), 'opaque')).toBe('claim_malformed')
  })

  describe('without a subject', () => {
    const unnamed = { sub: undefined, client_id: 'reports' }
    const ofClients = (said: { readonly sub_type?: unknown }) =>
      said.sub_type === 'client' ? 'workload' : 'user'

    test.each<[string, Members, object]>([
      ['says that its tokens are workloads’', {}, { represents: 'workload' }],
      ['says so of this one', { sub_type: 'client' }, { represents: ofClients }],
    ])('is about the client where the operator %s', async (_, changes, options) => {
      const caller = await callerFor(saying({ ...unnamed, ...changes }, options), 'opaque')
      expect(caller).toMatchObject({ id: `${issuer}#client=reports`, user: undefined })
    })

    test.each<[string, Members, object]>([
      ['says nothing', {}, {}],
      ['says that its tokens are users’', {}, { represents: 'user' }],
      ['says that this one is a user’s', { sub_type: 'public' }, { represents: ofClients }],
    ])('is about nobody where the operator %s', async (_, changes, options) => {
      const guard = saying({ ...unnamed, ...changes }, options)
      const { refusal } = await refusalOf(guard, requestWith('Bearer opaque'))
      expect(refusal).toEqual({
        code: 'claim_missing',
        detail: {
          issuer,
          expected: '`sub`',
          actual: 'no `sub`',
          advice:
            "the issuer names no subject; if it leaves out only its clients' own, write `represents: 'workload'`, or a function " +
            'of the claims that tells them',
        },
      })
    })

    test('is about nobody where there is no client either', async () => {
      const guard = saying({ sub: undefined, client_id: undefined }, { represents: 'workload' })
      expect(await codeFor(guard, 'opaque')).toBe('claim_missing')
    })
  })

  test('of a subject is about that one, also where its tokens are workloads’', async () => {
    const guard = saying({ sub: 'reports-1', client_id: 'reports' }, { represents: 'workload' })
    expect((await callerFor(guard, 'opaque')).claims).toMatchObject({ sub: 'reports-1' })
  })

  test('and is wrong elsewhere than in its subject, is not told to be about that', async () => {
    const { refusal } = await refusalOf(saying({ acr: 7 }), requestWith('Bearer opaque'))
    expect(refusal).toEqual({
      code: 'claim_malformed',
      detail: { issuer, expected: '`acr`: a string', actual: 'number' },
    })
  })
})

describe('a cluster that is asked whether it stands by a token', () => {
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

test.each([
  ['an issuer', { introspection }, 'opaque'],
  ['a cluster', kubernetes, serviceAccountToken()],
])('%s that was asked something is hung up on when the guard closes', async (_, options, presented) => {
  const asked = Promise.withResolvers<AbortSignal>()
  const fetch: FetchDocument = (_url, { signal }) => {
    asked.resolve(signal)
    return new Promise(() => undefined)
  }
  const all = { audience: 'orders', issuers: [{ issuer, ...options }], log: false } as unknown as GuardOptions
  const guard = createGuard(all, { clock, fetch })
  const answer = codeFor(guard, presented)
  const signal = await asked.promise
  guard.close()
  expect(signal.aborted).toBe(true)
  expect(await answer).not.toBe('allow')
})

test('an opaque token is not kept itself, however short it is', async () => {
  const { guard } = asking({ introspection }, () => ({ active: true, token_type: 'Bearer', ...claims() }))
  const set = vi.spyOn(Map.prototype, 'set')
  const secret = 'mF_9.B5f-4.1JqM'
  expect(await codeFor(guard, secret)).toBe('allow')
  const kept = set.mock.calls.filter(([key]) => typeof key === 'string' && key.includes(secret))
  const found = set.mock.calls.length
  set.mockRestore()
  expect(found).toBeGreaterThan(0)
  expect(kept).toEqual([])
})
