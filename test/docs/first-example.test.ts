// What a reader pastes works: the examples of the README are started as they stand, with another issuer and port.
import { fork } from 'node:child_process'
import { once } from 'node:events'
import { get, type ClientRequest, type IncomingMessage } from 'node:http'
import { get as getByTls } from 'node:https'
import { createTestCa, createTestIssuer } from '@countersign/testing'
import { expect, test } from 'vitest'
import { codeBlocksOf } from './documents.ts'
import { Workshop } from './workshop.ts'

const [first = '', withCertificates = ''] = codeBlocksOf('README.md')
  .filter(({ label }) => label === 'ts')
  .map(({ code }) => code)

test('the first example refuses who presents nothing and lets in who has the scope', async () => {
  await using idp = await createTestIssuer({ listen: true })
  const issuer = JSON.stringify({ issuer: idp.issuer, ca: idp.ca })
  const example = replaceOnce(replaceOnce(first, "'https://idp.internal'", issuer), '3000', '0')
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
  await using running = await start(replaceOnce(withCertificates, '8443', '0'), files)

  const place = { host: 'localhost', port: running.port, path: '/orders/1', ca: ca.bundle, agent: false }
  const ask = (identity: object): Promise<Answer> => answerOf(getByTls({ ...place, ...identity }))
  expect(await ask({})).toMatchObject({ status: 403 })
  expect(await ask(await ca.svid('/ns/shop/sa/reports'))).toMatchObject({ status: 403 })
  expect(await ask(await ca.svid('/ns/shop/sa/checkout'))).toMatchObject({
    status: 200,
    text: '{"calledBy":"spiffe://prod.example/ns/shop/sa/checkout"}',
  })
})

interface Running {
  readonly port: number
  [Symbol.asyncDispose](): Promise<void>
}

/** Runs a program as its reader would: saved as `server.mjs`, in a folder of its own. */
async function start(program: string, files: Readonly<Record<string, string>> = {}): Promise<Running> {
  const workshop = new Workshop()
  for (const [name, text] of Object.entries(files)) workshop.write(name, text)
  const child = fork(workshop.write('server.mjs', program), {
    cwd: workshop.folder,
    execArgv: ['--import', workshop.write('tell-port.mjs', tellPort)],
    stdio: ['ignore', 'ignore', 'pipe', 'ipc'],
  })
  const said: Buffer[] = []
  child.stderr?.on('data', (chunk: Buffer) => said.push(chunk))
  const exited = once(child, 'exit')
  const [port] = await Promise.race([once(child, 'message'), exited.then(() => [undefined])])
  if (typeof port !== 'number') {
    workshop[Symbol.dispose]()
    throw new Error(`the program ended before it listened:\n${Buffer.concat(said).toString()}`)
  }
  return {
    port,
    async [Symbol.asyncDispose]() {
      child.kill()
      await exited
      workshop[Symbol.dispose]()
    },
  }
}

const tellPort = `
  import { Server } from 'node:net'
  const { listen } = Server.prototype
  Server.prototype.listen = function (...args) {
    this.once('listening', () => process.send(this.address().port))
    return listen.apply(this, args)
  }
`

interface Answer {
  readonly status: number | undefined
  readonly challenge: string | undefined
  readonly text: string
}

async function answerOf(sent: ClientRequest): Promise<Answer> {
  const [response]: IncomingMessage[] = await once(sent, 'response')
  if (response === undefined) throw new Error('expected a response')
  const text = Buffer.concat(await response.toArray()).toString()
  return { status: response.statusCode, challenge: response.headers['www-authenticate'], text }
}

/** Substitutes what a reader has to put in, and would notice if the example no longer had it. */
function replaceOnce(text: string, what: string, by: string): string {
  if (text.split(what).length !== 2) throw new Error(`expected \`${what}\` once in the example`)
  return text.replace(what, () => by)
}
