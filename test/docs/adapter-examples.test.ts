// What a reader pastes works: the first example of each README is started as it stands, with another issuer.
import { get } from 'node:http'
import { createTestIssuer } from '@countersign/testing'
import { transform } from 'esbuild'
import { describe, expect, test } from 'vitest'
import { opened, refused } from '../ws/served-sockets.ts'
import { codeBlocksOf, replaceOnce } from './documents.ts'
import { answerOf, start, type Answer, type Running } from './running-program.ts'

/** The first example of an adapter, as JavaScript. */
async function exampleOf(adapter: string): Promise<string> {
  const example = codeBlocksOf(`packages/${adapter}/README.md`).find(({ label }) => label === 'ts')
  // Only those of Nest are more than JavaScript: it compiles decorators, and has parameters of types.
  const tsconfigRaw = { compilerOptions: { experimentalDecorators: true } }
  return (await transform(example?.code ?? '', { loader: 'ts', tsconfigRaw })).code
}

async function withExample(
  adapter: string,
  run: (
    running: Running,
    headersFor: (...scopes: string[]) => Promise<Record<string, string>>,
    issuer: string,
  ) => Promise<void>,
): Promise<void> {
  await using idp = await createTestIssuer({ listen: true })
  const issuer = JSON.stringify({ issuer: idp.issuer, ca: idp.ca })
  await using running = await start(replaceOnce(await exampleOf(adapter), '"https://idp.internal"', issuer))
  const headersFor = (...scopes: string[]): Promise<Record<string, string>> =>
    idp.headersFor('checkout', { audience: 'https://orders.internal', scopes })
  await run(running, headersFor, idp.issuer)
}

describe('the example for', () => {
  test.each(['express', 'fastify', 'hono', 'koa', 'nest', 'node-http'])(
    '%s refuses who presents nothing and lets in who has the scope',
    async (adapter) => {
      await withExample(adapter, async ({ port }, headersFor, issuer) => {
        const ask = (path: string, headers = {}): Promise<Answer> =>
          answerOf(get({ port, path, headers, agent: false }))
        expect(await ask('/healthz')).toMatchObject({ status: 200, text: 'ok' })
        expect(await ask('/orders/1')).toMatchObject({ status: 401 })
        expect(await ask('/orders/1', await headersFor())).toMatchObject({ status: 403 })
        const { status, text } = await ask('/orders/1', await headersFor('orders:read'))
        expect(status).toBe(200)
        expect(JSON.parse(text)).toMatchObject({ calledBy: `${issuer}#client=checkout` })
      })
    },
  )

  test('ws refuses who presents nothing and opens to who has the scope', async () => {
    await withExample('ws', async ({ port }, headersFor, issuer) => {
      const url = `ws://127.0.0.1:${port}/feed`
      expect(await refused(url)).toMatchObject({ status: 401 })
      expect(await refused(url, { headers: await headersFor() })).toMatchObject({ status: 403 })
      const { socket, messages, closed } = await opened(url, { headers: await headersFor('feed:read') })
      if (messages.length === 0) await new Promise((resolve) => socket.once('message', resolve))
      expect(messages).toEqual([`hello, ${issuer}#client=checkout`])
      socket.close()
      await closed
    })
  })
})
