import { tlsOptions } from '@countersign/core'
import {
  callerOf,
  createGuard,
  decisionOf,
  protectUpgrades,
  scopes,
  type Guard,
  type GuardOptions,
} from '@countersign/ws'
import {
  createTestCa,
  createTestClock,
  createTestIssuer,
  type TestClock,
  type TestIssuer,
} from '@countersign/testing'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import type { Server } from 'node:http'
import { createServer as createTlsServer } from 'node:https'
import { connect } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, afterEach, beforeEach, describe, expect, test } from 'vitest'
import type { WebSocket } from 'ws'
import {
  hangUp,
  listen,
  makeServer,
  opened,
  refused,
  textOf,
  upgradeTo,
  wsVersions,
  type Opened,
} from './served-sockets.ts'

// What is open is asked about again, and ends when its caller's access does.

const folder = mkdtempSync(join(tmpdir(), 'sockets-'))
afterAll(() => rmSync(folder, { recursive: true }))

describe.each(wsVersions)('%s', (_version, WebSocketServer) => {
  let clock: TestClock
  let issuer: TestIssuer
  let guard: Guard
  let server: Server
  let sockets: InstanceType<typeof WebSocketServer>
  let url: string
  /** What the application has heard. */
  let heard: string[]
  let closed: (readonly [number, string])[]

  async function start(options: Partial<GuardOptions> = {}, made: Server = makeServer()): Promise<number> {
    guard = createGuard({ audience: 'orders', issuers: [issuer], log: false, ...options }, { clock })
    await guard.ready()
    server = made
    sockets = new WebSocketServer({ noServer: true })
    sockets.on('connection', (webSocket: WebSocket) => {
      webSocket.on('message', (text) => {
        heard.push(textOf(text))
        webSocket.send(`echo ${textOf(text)}`)
      })
      webSocket.on('ping', () => heard.push('ping'))
      webSocket.on('close', (code, reason) => closed.push([code, String(reason)]))
    })
    const route = { guard, route: 'GET /feed', requires: scopes('feed:read') }
    protectUpgrades(server, sockets, route, { clock })
    const port = await listen(server)
    url = `ws://127.0.0.1:${port}/feed`
    return port
  }
  const token = async (expiresIn = 3000, caller = 'checkout') => ({
    headers: await issuer.headersFor(caller, { scopes: ['feed:read'], expiresIn }),
  })
  /** Lets time pass until a socket has ended: files and signatures are read and checked outside this thread. */
  async function ended(
    { closed: whole }: Opened,
    seconds = 1,
  ): Promise<readonly [code: number, reason: string]> {
    let result: readonly [code: number, reason: string] | undefined
    void whole.then((end) => (result = end))
    await expect
      .poll(
        () => {
          if (result === undefined) clock.advance({ seconds })
          return result
        },
        { interval: 5, timeout: 10_000 },
      )
      .toBeDefined()
    return result ?? [0, '']
  }
  async function passing(seconds: number): Promise<void> {
    for (let i = 0; i < seconds; i += 1) {
      clock.advance({ seconds: 1 })
      await new Promise(setImmediate)
    }
  }
  const onlySocket = (): WebSocket => [...sockets.clients][0] as WebSocket // there is one

  beforeEach(async () => {
    clock = createTestClock()
    issuer = await createTestIssuer({ clock })
    heard = []
    closed = []
  })
  afterEach(() => {
    hangUp(server)
    guard.close()
  })

  test('stays open while its token is good, and is closed as policy when that expires', async () => {
    await start()
    const client = await opened(url, await token(300))
    await passing(290)
    client.socket.send('early')
    await expect.poll(() => client.messages).toEqual(['echo early'])
    expect(callerOf(onlySocket())?.id).toContain('checkout')
    const webSocket = onlySocket()
    const [code, reason] = await ended(client)
    expect(code).toBe(1008)
    const refusal = decisionOf(webSocket)
    expect(reason).toBe(`access has ended (decision ${refusal?.id ?? ''})`)
    expect(refusal).toMatchObject({ outcome: 'deny', refusal: { code: 'token_expired' } })
    expect(callerOf(webSocket)).toBeUndefined()
    await expect.poll(() => closed).toEqual([[1008, expect.any(String)]])
    expect(sockets.clients.size).toBe(0)
  })

  test('is asked to come again later where nobody can tell', async () => {
    let isDown = false
    await start({
      deciders: [{ name: 'other', decide: () => ({ effect: isDown ? 'error' : 'permit' }) }],
    })
    const client = await opened(url, await token())
    isDown = true
    const [code, reason] = await ended(client)
    expect([code, reason]).toEqual([
      1013,
      expect.stringMatching(/^access cannot be checked now \(decision [\w-]+\)$/),
    ])
  })

  test('hears nothing more, however long its client goes on, and is torn down in the end', async () => {
    const port = await start()
    const { authorization } = (await token(60)).headers
    const accepting = once(server, 'connection')
    const socket = connect({ port, host: '127.0.0.1', allowHalfOpen: true })
    const [accepted] = await accepting
    let text = ''
    socket.on('data', (chunk) => (text += chunk.toString('latin1')))
    socket.on('error', () => undefined)
    socket.write(`${upgradeTo('/feed', `Authorization: ${authorization ?? ''}`).join('\r\n')}\r\n\r\n`)
    const frame = (opcode: number, content: string): Buffer =>
      Buffer.from([128 | opcode, 128 | content.length, 0, 0, 0, 0, ...Buffer.from(content)])
    socket.write(frame(1, 'before'))
    await expect.poll(() => heard).toEqual(['before'])
    const webSocket = onlySocket()
    const gone = new Promise((resolve) => webSocket.once('close', resolve))
    await expect
      .poll(
        () => {
          if (webSocket.readyState === 1) clock.advance({ seconds: 1 })
          return text
        },
        { interval: 5, timeout: 10_000 },
      )
      .toContain('access has ended')
    // It never answers the close frame.
    const sent = Buffer.concat([frame(1, 'after'), frame(9, ''), frame(1, 'again')])
    const all = accepted.bytesRead + sent.length
    socket.write(sent)
    webSocket.on('message', (message) => heard.push(`late ${textOf(message)}`))
    await expect.poll(() => accepted.bytesRead).toBe(all)
    await passing(4)
    expect(webSocket.readyState).toBe(2)
    await passing(1)
    await gone
    expect(heard).toEqual(['before'])
    socket.destroy()
  })

  test('over TLS is known by its client certificate, and ends with it', async () => {
    // Certificates are made for now.
    clock = createTestClock(new Date())
    const ca = await createTestCa()
    const served = await ca.serverCertificate()
    const certificates = { trustDomains: { 'test.example': ca.bundle } }
    const grants = { 'spiffe://test.example/checkout': ['feed:read'] as const }
    const parent = createGuard({ certificates, log: false }, { clock })
    const tls = tlsOptions({ cert: served.cert, key: served.key, guard: parent }, { clock })
    const made = tls.applyTo(createTlsServer(tls))
    const port = await start({ audience: undefined, issuers: undefined, certificates, grants } as never, made)
    const where = `wss://localhost:${port}/feed`
    const svid = await ca.svid('/checkout')
    const stranger = await (await createTestCa()).svid('/checkout')
    expect((await refused(where, { ca: ca.bundle })).status).toBe(403)
    expect((await refused(where, { ca: ca.bundle, cert: stranger.cert, key: stranger.key })).status).toBe(403)
    const client = await opened(where, { ca: ca.bundle, cert: svid.cert, key: svid.key })
    expect(callerOf(onlySocket())?.id).toBe('spiffe://test.example/checkout')
    expect((await ended(client, 60))[0]).toBe(1008)
    parent.close()
  })
})
