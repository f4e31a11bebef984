// What a reader pastes works: the example of the README is started as it stands, with another issuer.
import { get } from 'node:http'
import { createTestIssuer } from '@countersign/testing'
import { expect, test } from 'vitest'
import { codeBlocksOf, replaceOnce } from './documents.ts'
import { answerOf, start, type Answer } from './running-program.ts'

test('the example for Koa refuses who presents nothing and lets in who has the scope', async () => {
  const [example = ''] = codeBlocksOf('packages/koa/README.md')
    .filter(({ label }) => label === 'ts')
    .map(({ code }) => code)
  await using idp = await createTestIssuer({ listen: true })
  const issuer = JSON.stringify({ issuer: idp.issuer, ca: idp.ca })
  await using running = await start(replaceOnce(example, "'https://idp.internal'", issuer))

  const ask = (path: string, headers = {}): Promise<Answer> =>
    answerOf(get({ port: running.port, path, headers, agent: false }))
  const authorization = (scopes: readonly string[]): Promise<object> =>
    idp.headersFor('checkout', { audience: 'https://orders.internal', scopes })
  expect(await ask('/healthz')).toMatchObject({ status: 200, text: 'ok' })
  expect(await ask('/orders/1')).toMatchObject({ status: 401 })
  expect(await ask('/orders/1', await authorization([]))).toMatchObject({ status: 403 })
  expect(await ask('/orders/1', await authorization(['orders:read']))).toMatchObject({
    status: 200,
    text: JSON.stringify({ calledBy: `${idp.issuer}#client=checkout` }),
  })
})
