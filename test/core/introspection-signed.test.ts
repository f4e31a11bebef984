// Signed introspection responses (RFC 9701), good and bad, over real HTTPS.
import { describe, expect, test } from 'vitest'
import { fetchDocument } from '../../packages/core/src/identity/trust/fetch-document.ts'
import type { KeySource } from '../../packages/core/src/identity/trust/key-source.ts'
import { PublishedKeys } from '../../packages/core/src/identity/trust/published-keys.ts'
import {
  activeAnswer,
  activeOf,
  codeOfResult,
  keysOf,
  openAuthorizationServer,
  refusalIn,
  type Answer,
  type AuthorizationServer,
} from './support/introspecting.ts'
import { createRawSigner, type Part } from './support/raw-signer.ts'

const signer = createRawSigner('ES256')
const stranger = createRawSigner('ES256')
const published = { ...signer.jwk, kid: 'key-1', alg: 'ES256', use: 'sig' }
const header = { alg: 'ES256', typ: 'token-introspection+jwt', kid: 'key-1' }
const mediaType = 'application/token-introspection+jwt'

const answerOf = (server: AuthorizationServer, changes: object = {}) => ({
  iss: server.issuer,
  aud: 'orders',
  iat: Math.floor(server.clock.now() / 1000),
  token_introspection: activeAnswer(server.clock),
  ...changes,
})

const sending =
  (body: string, contentType = mediaType): Answer =>
  (response) =>
    response.setHeader('content-type', contentType).end(body)

/** What becomes of a response with this header and these members. */
async function outcomeOf(
  changedHeader: object,
  changes: object | ((server: AuthorizationServer) => Part),
  sign: (head: Part, payload: Part) => string = signer.jws,
) {
  await using server = await openAuthorizationServer({})
  const payload = typeof changes === 'function' ? changes(server) : answerOf(server, changes)
  server.answers(sending(sign({ ...header, ...changedHeader }, payload)))
  return await introspectSigned(server)
}

async function introspectSigned(server: AuthorizationServer, keys?: Pick<KeySource, 'find'>) {
  const introspector = server.introspector(
    { signedResponse: true },
    { keys: keys ?? keysOf(server.issuer, [published]) },
  )
  return introspector.introspect('opaque')
}

describe('a signed answer', () => {
  test('is asked for by its media type, and its claims are those inside', async () => {
    await using server = await openAuthorizationServer({})
    server.answers(sending(signer.jws(header, answerOf(server)), `${mediaType}; charset=utf-8`))
    expect(activeOf(await introspectSigned(server))).toMatchObject({
      claims: { iss: server.issuer, sub: 'checkout', scope: 'orders:read' },
      boundBy: 'audience',
    })
    expect(server.asked[0]?.headers.accept).toBe(mediaType)
  })

  test.each([
    ['one of several audiences', {}, { aud: ['orders', 'billing'] }],
    ['the name that tokens have for this service', {}, { aud: 'https://orders.internal' }],
    ['a type in full', { typ: `application/token-introspection+jwt` }, {}],
    ['a type in capitals', { typ: 'TOKEN-INTROSPECTION+JWT' }, {}],
  ])('is accepted with %s', async (_, head, changes) => {
    expect(codeOfResult(await outcomeOf(head, changes))).toBe('active')
  })

  test('that says inactive says so', async () => {
    expect(codeOfResult(await outcomeOf({}, { token_introspection: { active: false } }))).toBe(
      'token_inactive',
    )
  })
})

describe('T58 a signed answer is malformed', () => {
  const bad: readonly (readonly [string, object, object, RegExp])[] = [
    ['with the type of an access token', { typ: 'at+jwt' }, {}, /`typ`/],
    ['with the type of an ID token', { typ: 'JWT' }, {}, /`typ`/],
    ['without a type', { typ: undefined }, {}, /`typ`/],
    ['with an algorithm that is not configured', { alg: 'ES384' }, {}, /ES256/],
    ['with an algorithm of a shared secret', { alg: 'HS256' }, {}, /ES256/],
    ['without a signature', { alg: 'none' }, {}, /JWS/],
    ['with a critical header', { crit: ['exp'] }, {}, /JWS/],
    ['with a key that the issuer does not publish', { kid: 'key-2' }, {}, /key of the issuer/],
    ['of another issuer', {}, { iss: 'https://other.test' }, /`iss`/],
    ['of no issuer', {}, { iss: undefined }, /`iss`/],
    ['for another service', {}, { aud: 'billing' }, /`aud`/],
    ['for other services', {}, { aud: ['billing', 'orders2'] }, /`aud`/],
    ['for nobody', {}, { aud: undefined }, /`aud`/],
    ['with `exp` at the top, like an access token', {}, { exp: 4e9 }, /neither `sub`/],
    ['with `sub` at the top, like an access token', {}, { sub: 'checkout' }, /neither `sub`/],
    ['without `iat`', {}, { iat: undefined }, /`iat`/],
    ['with `iat` in words', {}, { iat: '2030' }, /`iat`/],
    ['without the answer', {}, { token_introspection: undefined }, /`token_introspection`/],
    ['with the answer in a list', {}, { token_introspection: [{ active: true }] }, /`token_introspection`/],
    ['with the answer in words', {}, { token_introspection: '{"active":true}' }, /`token_introspection`/],
    ['with the answer outside', {}, { active: true, token_introspection: {} }, /`active`/],
  ]

  test.each(bad)('%s', async (_, head, changes, expected) => {
    expect(refusalIn(await outcomeOf(head, changes))).toMatchObject({
      code: 'introspection_malformed',
      detail: { expected: expect.stringMatching(expected) },
    })
  })

  test.each([
    ['signed by another key', (head: Part, payload: Part) => stranger.jws(head, payload)],
    ['changed', (head: Part, payload: Part) => signer.jws(head, payload).replace(/.\./, 'A.')],
  ])('%s', async (_, sign) => {
    expect(codeOfResult(await outcomeOf({}, {}, sign))).toBe('introspection_malformed')
  })

  test('with claims that are no object, or name a member twice', async () => {
    expect(codeOfResult(await outcomeOf({}, () => '[1]'))).toBe('introspection_malformed')
    const twice = (server: AuthorizationServer) =>
      JSON.stringify(answerOf(server)).replace('{', '{"aud":"billing",')
    expect(codeOfResult(await outcomeOf({}, twice))).toBe('introspection_malformed')
  })

  test('with an `iat` beyond all numbers', async () => {
    const beyond = (server: AuthorizationServer) =>
      JSON.stringify(answerOf(server, { iat: 0 })).replace('"iat":0', '"iat":1e400')
    expect(codeOfResult(await outcomeOf({}, beyond))).toBe('introspection_malformed')
  })

  test.each([
    [90, 'active'],
    [91, 'introspection_malformed'],
    [-30, 'active'],
    [-31, 'introspection_malformed'],
  ])('%i seconds after it was made: %s', async (age, code) => {
    const iat = (server: AuthorizationServer) => answerOf(server, { iat: server.clock.now() / 1000 - age })
    expect(codeOfResult(await outcomeOf({}, iat))).toBe(code)
  })

  test.each([
    ['plain JSON', 'application/json'],
    ['any other JWT', 'application/jwt'],
    ['nothing', ''],
  ])('where it is called %s', async (_, contentType) => {
    await using server = await openAuthorizationServer({})
    server.answers(sending(signer.jws(header, answerOf(server)), contentType))
    expect(refusalIn(await introspectSigned(server)).detail.expected).toBe(mediaType)
  })

  test('where it is plain JSON: a signature that was asked for is never done without', async () => {
    await using server = await openAuthorizationServer({})
    for (const contentType of [mediaType, 'application/json']) {
      server.answers(sending(JSON.stringify(activeAnswer(server.clock)), contentType))
      expect(codeOfResult(await introspectSigned(server))).toBe('introspection_malformed')
    }
  })

  test('where it is encrypted', async () => {
    await using server = await openAuthorizationServer({})
    server.answers(sending(`${signer.jws(header, answerOf(server))}.a.b`))
    expect(codeOfResult(await introspectSigned(server))).toBe('introspection_malformed')
  })
})

describe('where plain answers are expected', () => {
  test('a signed one is malformed', async () => {
    await using server = await openAuthorizationServer({})
    server.answers(sending(signer.jws(header, answerOf(server))))
    expect(codeOfResult(await server.introspector().introspect('opaque'))).toBe('introspection_malformed')
  })
})

describe('T31 where the keys of the issuer are not to be had', () => {
  test('the token cannot be checked now, which is not remembered', async () => {
    let isUp = false
    await using server = await openAuthorizationServer({}, () => ({
      '/keys': (response) => {
        if (isUp) response.end(JSON.stringify({ keys: [published] }))
        else response.writeHead(503).end()
      },
    }))
    server.answers(sending(signer.jws(header, answerOf(server))))
    const { issuer, clock } = server
    const keys = new PublishedKeys({
      issuer,
      location: { kind: 'url', url: new URL(`${issuer}/keys`) },
      format: 'jwks',
      ca: server.site.ca,
      bearer: undefined,
      maxStaleMs: 60_000,
      clock,
      fetch: fetchDocument,
    })
    expect(codeOfResult(await introspectSigned(server, keys))).toBe('issuer_unavailable')
    isUp = true
    clock.advance({ seconds: 2 })
    expect(codeOfResult(await introspectSigned(server, keys))).toBe('active')
    keys.close()
  })
})
