import { once } from 'node:events'
import { scopes, unprotected } from '@countersign/core'
import { protectUpgrades } from '@countersign/ws'
import { describe, expect, test } from 'vitest'
import { hangUp, listen, makeServer, rawExchange, upgradeTo, wsVersions } from '../../ws/served-sockets.ts'
import { tricks } from '../support/url-tricks.ts'
import { wsDoors } from './doors/ws.ts'
import { good, guardWith } from './house.ts'
import { threatsAt } from './threats.ts'

for (const door of wsDoors) threatsAt(door)

describe.each(wsVersions)('%s', (_name, WebSocketServer) => {
  test('T46 T47 opens nothing by another spelling, or another method, than that of a route which the caller may use', async () => {
    const guard = guardWith()
    const server = makeServer()
    const opened: string[] = []
    for (const [path, requires] of [
      ['/admin/panel', scopes('admin:write')],
      ['/open', unprotected('a test')],
    ] as const) {
      const sockets = new WebSocketServer({ noServer: true })
      sockets.on('connection', (webSocket) => {
        opened.push(path)
        webSocket.terminate()
      })
      protectUpgrades(server, sockets, { guard, route: `GET ${path}`, requires })
    }
    const port = await listen(server)
    const credential = (await good()).join(': ')
    const [, , ...upgrade] = upgradeTo('/')
    for (const [, line, ...fields] of tricks) {
      await rawExchange(port, [`${line} HTTP/1.1`, 'Host: x', ...upgrade, ...fields, credential])
      expect([line, opened.filter((path) => path !== '/open')]).toEqual([line, []])
    }
    expect(opened.length).toBeGreaterThan(0)
    const closed = once(server, 'close')
    hangUp(server)
    guard.close()
    await closed
  })
})
