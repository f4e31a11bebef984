// TokenReview: a Kubernetes API server asked about tokens, over real HTTPS. It answers as kube-apiserver does, for tokens
// that it really verifies, unless a test tells it to answer otherwise.
import { sign, verify } from 'node:crypto'
import fc from 'fast-check'
import { createTestClock, type TestClock } from '@countersign/testing'
import { describe, expect, test } from 'vitest'
import {
  TokenReviewer,
  type ReviewedToken,
  type TokenReviewerOptions,
} from '../../packages/core/src/identity/introspection/token-review.ts'
import { fetchDocument } from '../../packages/core/src/identity/trust/fetch-document.ts'
import { Refusal } from '../../packages/core/src/refusal.ts'
import { settled } from './support/asking.ts'
import { openSite, type IssuerSite, type Page } from './support/issuer-site.ts'
import { codeOfResult, refusalIn, scriptedFetch } from './support/introspecting.ts'
import { createRawSigner, segment } from './support/raw-signer.ts'

const path = '/apis/authentication.k8s.io/v1/tokenreviews'
const issuer = 'https://kubernetes.default.svc.cluster.local'
const cart = 'system:serviceaccount:shop:cart'
const signer = createRawSigner('RS256')

interface Cluster extends AsyncDisposable {
  readonly site: IssuerSite
  readonly clock: TestClock
  readonly asked: readonly Record<string, unknown>[]
  /** Service accounts that were deleted. */
  readonly deleted: Set<string>
  /** What becomes of the status that the API server would have answered. */
  change: (status: Record<string, unknown>) => unknown
  reviewer(options?: Partial<TokenReviewerOptions>): TokenReviewer
  token(claims?: object): string
}

async function openCluster(page?: Page): Promise<Cluster> {
  const clock = createTestClock()
  const asked: Record<string, unknown>[] = []
  const deleted = new Set<string>()
  const site = await openSite(() => ({
    [path]: async (response, request) => {
      const chunks: Buffer[] = []
      for await (const chunk of request) chunks.push(chunk)
      const review = JSON.parse(Buffer.concat(chunks).toString())
      asked.push(review)
      response.setHeader('content-type', 'application/json')
      if (typeof page === 'function') return page(response, request)
      if (request.method !== 'POST') return response.writeHead(405).end()
      if (request.headers.authorization !== 'Bearer reviewer') {
        const failure = {
          kind: 'Status',
          apiVersion: 'v1',
          status: 'Failure',
          reason: 'Unauthorized',
          code: 401,
        }
        return response.writeHead(401).end(JSON.stringify(failure))
      }
      const status = cluster.change(statusOf(review.spec, clock, deleted))
      return response
        .writeHead(201)
        .end(JSON.stringify({ ...review, metadata: { creationTimestamp: null }, status }))
    },
  }))
  const cluster: Cluster = {
    site,
    clock,
    asked,
    deleted,
    change: (status) => status,
    reviewer: (options = {}) =>
      new TokenReviewer({
        issuer,
        apiServer: new URL(site.origin),
        ca: site.ca,
        bearer: () => 'reviewer',
        maxConcurrent: 32,
        clock,
        fetch: fetchDocument,
        ...options,
      }),
    token: (claims = {}) => tokenAt(clock, claims),
    [Symbol.asyncDispose]: () => site[Symbol.asyncDispose](),
  }
  return cluster
}

function tokenAt(clock: TestClock, claims: object): string {
  const now = clock.now() / 1000
  const input = `${segment({ alg: 'RS256', kid: 'k' })}.${segment({
    iss: issuer,
    sub: cart,
    aud: ['orders'],
    iat: now,
    exp: now + 600,
    'kubernetes.io': {
      namespace: 'shop',
      serviceaccount: { name: 'cart', uid: 'u1' },
      pod: { name: 'cart-0', uid: 'p1' },
    },
    ...claims,
  })}`
  return `${input}.${sign('sha256', Buffer.from(input), signer.privateKey).toString('base64url')}`
}

/** As kube-apiserver decides: signature, time, audience, and whether the account still exists. False is left out. */
function statusOf(
  spec: { token: string; audiences?: string[] },
  clock: TestClock,
  deleted: ReadonlySet<string>,
): Record<string, unknown> {
  const [header, payload = '', signature = ''] = spec.token.split('.')
  const isSigned = verify(
    'sha256',
    Buffer.from(`${header}.${payload}`),
    signer.publicKey,
    Buffer.from(signature, 'base64url'),
  )
  const claims = isSigned ? JSON.parse(Buffer.from(payload, 'base64url').toString()) : undefined
  if (claims === undefined || claims.exp <= clock.now() / 1000 || deleted.has(claims.sub)) {
    return { user: {}, error: '[invalid bearer token, service account token is not valid yet]' }
  }
  const audiences = (spec.audiences ?? [issuer]).filter((audience) => claims.aud.includes(audience))
  if (audiences.length === 0) return { user: {}, error: 'token audiences do not match' }
  const groups = ['system:serviceaccounts', 'system:serviceaccounts:shop', 'system:authenticated']
  const extra = { 'authentication.kubernetes.io/pod-name': ['cart-0'] }
  return { authenticated: true, user: { username: claims.sub, uid: 'u1', groups, extra }, audiences }
}

const review = async (cluster: Cluster, audiences: readonly string[] = ['orders'], username = cart) =>
  cluster.reviewer().review(cluster.token(), audiences, username)

describe('a token that the cluster stands by', () => {
  test('is accepted for a minute', async () => {
    await using cluster = await openCluster()
    expect(await review(cluster)).toEqual({ cacheUntilMs: cluster.clock.now() + 60_000 })
  })

  test('is accepted for a minute from the moment at which it was asked', async () => {
    await using cluster = await openCluster()
    const asked = cluster.clock.now()
    cluster.change = (status) => (cluster.clock.advance({ seconds: 3 }), status)
    expect(await review(cluster)).toEqual({ cacheUntilMs: asked + 60_000 })
  })

  test('was asked about as Kubernetes wants it', async () => {
    await using cluster = await openCluster()
    await review(cluster, ['orders', 'https://orders.internal'])
    expect(cluster.asked).toEqual([
      {
        apiVersion: 'authentication.k8s.io/v1',
        kind: 'TokenReview',
        spec: { token: cluster.token(), audiences: ['orders', 'https://orders.internal'] },
      },
    ])
  })

  test('is asked about at an API server behind a path', async () => {
    await using site = await openSite(() => ({
      [`/clusters/c1${path}`]: (response) => response.writeHead(401).end(),
    }))
    await using cluster = await openCluster()
    const { reviewer, token } = cluster
    for (const base of ['/clusters/c1', '/clusters/c1/']) {
      const one = reviewer({ apiServer: new URL(`${site.origin}${base}`), ca: site.ca })
      expect(refusalIn(await one.review(token(), ['orders'], cart)).detail.actual).toContain('got 401')
    }
  })

  test('was asked about with a credential that is read anew each time', async () => {
    await using cluster = await openCluster()
    const bearers = ['old', 'reviewer\n']
    const reviewer = cluster.reviewer({ bearer: () => bearers.shift() ?? '' })
    const once = () => reviewer.review(cluster.token(), ['orders'], cart).then(codeOfResult)
    expect(await once()).toBe('token_review_unavailable')
    expect(await once()).toBe('active')
  })
})

describe('a token that the cluster does not stand by', () => {
  const refused = async (claims: object, username = cart) => {
    await using cluster = await openCluster()
    const token = cluster.token(claims)
    return codeOfResult(await cluster.reviewer().review(token, ['orders'], username))
  }

  test('because it expired, or was signed by somebody else, is inactive', async () => {
    expect(await refused({ exp: 1 })).toBe('token_inactive')
    await using cluster = await openCluster()
    const [header, , signature] = cluster.token().split('.')
    const forged = `${header}.${segment({ sub: cart, aud: ['orders'], exp: 4e9 })}.${signature}`
    expect(codeOfResult(await cluster.reviewer().review(forged, ['orders'], cart))).toBe('token_inactive')
  })

  test('because its account was deleted is inactive, as soon as it is asked about again', async () => {
    await using cluster = await openCluster()
    const reviewer = cluster.reviewer()
    const once = () => reviewer.review(cluster.token(), ['orders'], cart).then(codeOfResult)
    expect(await once()).toBe('active')
    cluster.deleted.add(cart)
    expect(await once()).toBe('token_inactive')
    cluster.deleted.clear()
    expect(await once()).toBe('active')
  })

  test('because it is for others is inactive', async () => {
    expect(await refused({ aud: ['billing'] })).toBe('token_inactive')
    expect(await refused({ aud: [issuer] })).toBe('token_inactive')
  })

  test('T58 because it is another account’s is refused', async () => {
    expect(await refused({ sub: 'system:serviceaccount:shop:billing' })).toBe('claim_mismatch')
    expect(await refused({}, `${cart}2`)).toBe('claim_mismatch')
    expect(await refused({}, cart.toUpperCase())).toBe('claim_mismatch')
  })

  const audiences: readonly (readonly [string, unknown, string])[] = [
    ['no audiences', undefined, 'audience_mismatch'],
    ['null for audiences', null, 'audience_mismatch'],
    ['empty audiences', [], 'audience_mismatch'],
    ['other audiences', ['billing'], 'audience_mismatch'],
    ['the audience in words', 'orders', 'audience_mismatch'],
    ['the audience within another', ['orders2', ['orders']], 'audience_mismatch'],
    ['one of two', ['billing', 'orders'], 'active'],
  ]

  test.each(audiences)('T58 where the API server confirms %s: %s → %s', async (_, confirmed, code) => {
    await using cluster = await openCluster()
    cluster.change = (status) => ({ ...status, audiences: confirmed })
    expect(codeOfResult(await review(cluster))).toBe(code)
  })

  test.each([
    [undefined],
    [null],
    [{}],
    [{ username: undefined }],
    [{ username: [cart] }],
    ['cart'],
    [[cart]],
  ])('T58 where the API server says that the user is %j is refused', async (user) => {
    await using cluster = await openCluster()
    cluster.change = (status) => ({ ...status, user })
    expect(codeOfResult(await review(cluster))).toBe('claim_mismatch')
  })

  test.each([
    [{ authenticated: false }, 'token_inactive'],
    [{ authenticated: undefined }, 'token_inactive'],
    [{ authenticated: 'true' }, 'token_review_unavailable'],
    [{ authenticated: 1 }, 'token_review_unavailable'],
    [{ authenticated: null }, 'token_review_unavailable'],
    [{ authenticated: [true] }, 'token_review_unavailable'],
    [{ error: 'the webhook timed out' }, 'token_review_unavailable'],
    [{ error: '' }, 'active'],
  ])('where the status has %j: %s', async (change, code) => {
    await using cluster = await openCluster()
    cluster.change = (status) => ({ ...status, ...change })
    expect(codeOfResult(await review(cluster))).toBe(code)
  })
})

describe('T30 an API server that does not answer', () => {
  const say =
    (status: number, body = '', headers: Record<string, string> = {}): Page =>
    (response) =>
      response.writeHead(status, headers).end(body)
  const good = (changes: object) =>
    say(
      201,
      JSON.stringify({
        apiVersion: 'authentication.k8s.io/v1',
        kind: 'TokenReview',
        status: { authenticated: true, audiences: ['orders'], user: { username: cart } },
        ...changes,
      }),
    )
  const failing: readonly (readonly [string, Page, string])[] = [
    ['sends elsewhere', say(307, '', { location: '/elsewhere' }), 'got 307'],
    ['is overloaded', say(429), 'got 429'],
    ['fails', say(500), 'got 500'],
    ['has nothing new', say(304), 'got 304'],
    ['has no such thing', say(404, '{}'), 'got 404'],
    ['says nothing', say(201), 'not a TokenReview'],
    ['says it in a list', say(201, '[]'), 'not a TokenReview'],
    ['says it in HTML', say(200, '<html>'), 'not a TokenReview'],
    ['says something else', good({ kind: 'Status' }), 'not a TokenReview'],
    [
      'says it of another version',
      good({ apiVersion: 'authentication.k8s.io/v1beta1' }),
      'not a TokenReview',
    ],
    ['says it without a status', good({ status: undefined }), 'not a TokenReview'],
    ['says it in words', good({ status: 'authenticated' }), 'not a TokenReview'],
    ['says it twice', say(200, '{"status":{},"status":{}}'), 'not a TokenReview'],
    ['sends too much', say(200, `{"x":"${'x'.repeat(600_000)}"}`), 'no whole answer'],
    ['hangs up', (response) => response.destroy(), 'ECONNRESET'],
  ]

  test.each(failing)('because it %s is unavailable', async (_, page, actual) => {
    await using cluster = await openCluster(page)
    expect(refusalIn(await review(cluster))).toMatchObject({
      code: 'token_review_unavailable',
      detail: {
        issuer,
        actual: expect.stringContaining(actual),
        advice: expect.stringContaining('reaches the API server'),
      },
    })
    expect(cluster.site.hits).toEqual([path])
  })

  test.each([200, 201])('is none that answers with %i', async (status) => {
    const page = good({})
    await using cluster = await openCluster((response, request) => {
      if (typeof page === 'function') page(Object.assign(response, { statusCode: status }), request)
    })
    expect(codeOfResult(await review(cluster))).toBe('active')
  })

  test.each([401, 403])('because this service may not ask (%i) says so to the operator', async (code) => {
    await using cluster = await openCluster(say(code))
    expect(refusalIn(await review(cluster)).detail.advice).toContain('system:auth-delegator')
  })

  test('because another authority signed its certificate is told nothing', async () => {
    await using cluster = await openCluster()
    const result = await cluster.reviewer({ ca: undefined }).review(cluster.token(), ['orders'], cart)
    expect(codeOfResult(result)).toBe('token_review_unavailable')
    expect(cluster.asked).toEqual([])
  })

  test('T56 because this service has no credential says nothing secret', async () => {
    await using cluster = await openCluster()
    const bearer = () => {
      throw Object.assign(new Error(`ENOENT ${cluster.token()}`), { code: 'ENOENT' })
    }
    const refusal = refusalIn(await cluster.reviewer({ bearer }).review(cluster.token(), ['orders'], cart))
    expect(refusal).toMatchObject({ code: 'token_review_unavailable', detail: { actual: 'ENOENT' } })
    expect(JSON.stringify(refusal)).not.toContain(cluster.token())
  })

  test('is not asked after `close`', async () => {
    await using cluster = await openCluster()
    const reviewer = cluster.reviewer()
    reviewer.close()
    expect(codeOfResult(await reviewer.review(cluster.token(), ['orders'], cart))).toBe(
      'token_review_unavailable',
    )
    expect(cluster.asked).toEqual([])
  })
})

describe('T30 what is asked', () => {
  test.each([
    ['with a line break', 'a.b.c\n', 'token_malformed'],
    ['in other characters', 'a.b."', 'token_malformed'],
    ['that is too long', 'x'.repeat(8193), 'token_oversized'],
  ])('is never a token %s', async (_, token, code) => {
    await using cluster = await openCluster()
    expect(codeOfResult(await cluster.reviewer().review(token, ['orders'], cart))).toBe(code)
    expect(cluster.asked).toEqual([])
  })

  const scripted = (maxConcurrent: number) => {
    const { fetch, questions } = scriptedFetch()
    const clock = createTestClock()
    const options = {
      issuer,
      apiServer: new URL('https://k8s.test'),
      ca: undefined,
      bearer: () => 'b',
      maxConcurrent,
      clock,
      fetch,
    }
    const reviewer = new TokenReviewer(options)
    const ask = (token: string, audience = 'orders', username = cart) =>
      reviewer.review(token, [audience], username).then(codeOfResult)
    return { ask, questions }
  }
  const status = { authenticated: true, audiences: ['orders'], user: { username: cart } }
  const answer = { apiVersion: 'authentication.k8s.io/v1', kind: 'TokenReview', status }

  test('is asked once by many at a time, and again by those who come later', async () => {
    const { ask, questions } = scripted(8)
    const many = Array.from({ length: 50 }, () => ask('token'))
    await settled()
    expect(questions).toHaveLength(1)
    questions[0]?.answer(answer)
    expect(new Set(await Promise.all(many))).toEqual(new Set(['active']))
    void ask('token')
    await settled()
    expect(questions).toHaveLength(2)
  })

  test('T25 is not answered by what was asked for another audience or another account', async () => {
    const { ask, questions } = scripted(8)
    const results = Promise.all([ask('token'), ask('token', 'billing'), ask('token', 'orders', 'other')])
    await settled()
    expect(questions).toHaveLength(3)
    for (const question of questions) question.answer(answer)
    expect(await results).toEqual(['active', 'audience_mismatch', 'claim_mismatch'])
  })

  test('is bounded in number', async () => {
    const { ask, questions } = scripted(1)
    const results = Array.from({ length: 129 }, (_, i) => ask(`token-${i}`))
    expect(await ask('one-more')).toBe('issuer_overloaded')
    for (let i = 0; i < 129; i += 1) {
      await settled()
      expect(questions).toHaveLength(i + 1)
      questions[i]?.answer(answer)
    }
    expect(new Set(await Promise.all(results))).toEqual(new Set(['active']))
  })
})

test('arbitrary answers never make it reject, and are never accepted without authenticated === true', async () => {
  const names = fc.constantFrom('authenticated', 'audiences', 'user', 'error', 'x')
  const values = fc.oneof(fc.jsonValue(), fc.constantFrom(true, ['orders'], { username: cart }, ''))
  const status = fc.oneof(
    fc.dictionary(names, values),
    fc
      .dictionary(names, values)
      .map((changes) =>
        Object.assign({ authenticated: true, audiences: ['orders'], user: { username: cart } }, changes),
      ),
    fc.jsonValue(),
  )
  const accepted: unknown[] = []
  await fc.assert(
    fc.asyncProperty(status, async (said) => {
      const answer = { apiVersion: 'authentication.k8s.io/v1', kind: 'TokenReview', status: said }
      const reviewer = new TokenReviewer({
        issuer,
        apiServer: new URL('https://k8s.test'),
        ca: undefined,
        bearer: () => 'b',
        maxConcurrent: 1,
        clock: createTestClock(),
        fetch: () =>
          Promise.resolve({ status: 201, headers: {}, octets: Buffer.from(JSON.stringify(answer)) }),
      })
      const result: ReviewedToken | Refusal = await reviewer.review('a.b.c', ['orders'], cart)
      if (result instanceof Refusal) return
      accepted.push(said)
      expect(said).toMatchObject({ authenticated: true, user: { username: cart } })
      expect(JSON.stringify(said)).toContain('orders')
    }),
    { numRuns: 2000 },
  )
  expect(accepted.length).toBeGreaterThan(50)
})
