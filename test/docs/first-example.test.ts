// What a reader pastes works: the examples of the README are started as they stand, with another issuer.
import { get } from 'node:http'
import { get as getByTls } from 'node:https'
import { createTestCa, createTestIssuer } from '@countersign/testing'
import { expect, test } from 'vitest'
import { codeBlocksOf, replaceOnce } from './documents.ts'
import { answerOf, start, type Answer } from './running-program.ts'

const [first = '', withCertificates = ''] = codeBlocksOf('README.md')
  .filter(({ label }) => label === 'ts')
  .map(({ code }) => code)

test('the first example refuses who presents nothing and lets in who has the scope', async () => {
  await using idp = await createTestIssuer({ listen: true })
  const issuer = JSON.stringify({ issuer: idp.issuer, ca: idp.ca })
  const example = replaceOnce(first, "'https://idp.internal'", issuer)
  await using running = await start(example)

  const ask = (path: string, headers = {}): Promise<Answer> =>
    answerOf(get({ port: running.port, path, headers, agent: false }))
  const audience = 'https://orders.internal'
  const authorization = (scopes: readonly string[]): Promise<object> =>
    idp.headersFor('checkout', { audience, scopes })

  expect(await ask('/healthz')).toEqual({ status: 200, challenge: undefined, text: 'ok' })
  expect(await ask('/orders/1')).toMatchObject({
    status: 401,
    challenge: 'Bearer realm="countersign", scope="orders:read"',
  })
  expect(await ask('/orders/1', await authorization([]))).toMatchObject({
    status: 403,
    text: expect.stringContaining('insufficient_scope'),
  })
  expect(await ask('/orders/1', await authorization(['orders:read']))).toMatchObject({
    status: 200,
    text: JSON.stringify({ calledBy: `${idp.issuer}#client=checkout` }),
  })
})

test('the example with client certificates refuses who presents none and lets in who is granted the scope', async () => {
  const ca = await createTestCa({ trustDomain: 'prod.example' })
  const server = await ca.serverCertificate()
  const files = { 'bundle.pem': ca.bundle, 'tls.crt': server.cert, 'tls.key': server.key }
  await using running = await start(withCertificates, { files })

  const place = { host: 'localhost', port: running.port, path: '/orders/1', ca: ca.bundle, agent: false }
  const ask = (identity: object): Promise<Answer> => answerOf(getByTls({ ...place, ...identity }))
  expect(await ask({})).toMatchObject({ status: 403 })
  expect(await ask(await ca.svid('/ns/shop/sa/reports'))).toMatchObject({ status: 403 })
  expect(await ask(await ca.svid('/ns/shop/sa/checkout'))).toMatchObject({
    status: 200,
    text: '{"calledBy":"spiffe://prod.example/ns/shop/sa/checkout"}',
  })
})
