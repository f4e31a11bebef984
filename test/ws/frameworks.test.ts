// Upgrades beside the routes of a framework, on the server that it answers on, with one guard for both.
import { createServer, type RequestListener } from 'node:http'
import * as expressAdapter from '@countersign/express'
import * as fastifyAdapter from '@countersign/fastify'
import * as honoAdapter from '@countersign/hono'
import * as koaAdapter from '@countersign/koa'
import { createGuard, protectUpgrades, scopes, type Guard } from '@countersign/ws'
import { getRequestListener } from '@hono/node-server'
import { Router } from '@koa/router'
import express from 'express'
import fastify from 'fastify'
import { Hono } from 'hono'
import Koa from 'koa'
import { createTestIssuer } from '@countersign/testing'
import { describe, expect, test } from 'vitest'
import { WebSocketServer } from 'ws'
import { hangUp, listen, opened, refused } from './served-sockets.ts'

const read = scopes('orders:read')

/** A service with one route, `GET /feed`, which says `route`. */
const frameworks: Readonly<Record<string, (guard: Guard) => RequestListener | Promise<RequestListener>>> = {
  Express(guard) {
    const app = express().use(expressAdapter.countersign(guard))
    app.get('/feed', expressAdapter.requires(read), (_req, res) => void res.send('route'))
    return app
  },
  async Fastify(guard) {
    const app = fastify()
    await app.register(fastifyAdapter.countersign(guard))
    app.get('/feed', fastifyAdapter.requires(read), async () => 'route')
    await app.ready()
    return (request, response) => app.routing(request, response)
  },
  Hono(guard) {
    const app = new Hono().use(honoAdapter.countersign(guard))
    app.get('/feed', honoAdapter.requires(read), (c) => c.text('route'))
    return getRequestListener(app.fetch)
  },
  Koa(guard) {
    const app = new Koa()
    app.use(koaAdapter.countersign(guard))
    const router = new Router()
    router.get('/feed', koaAdapter.requires(read), (context) => void (context.body = 'route'))
    return app.use(router.routes()).callback()
  },
}

describe.each(Object.entries(frameworks))('beside routes of %s', (_name, listenerWith) => {
  test('upgrades are decided by their own declaration, and routes by theirs', async () => {
    const idp = await createTestIssuer()
    const guard = createGuard({ audience: 'orders', issuers: [idp], log: false })
    const server = createServer(await listenerWith(guard))
    const sockets = new WebSocketServer({ noServer: true })
    sockets.on('connection', (socket) => socket.send('open'))
    protectUpgrades(server, sockets, { guard, route: 'GET /feed', requires: scopes('feed:follow') })
    const port = await listen(server)
    try {
      const [reader, follower] = await Promise.all(
        ['orders:read', 'feed:follow'].map((scope) => idp.headersFor('checkout', { scopes: [scope] })),
      )
      const url = `ws://127.0.0.1:${port}`
      expect(await refused(`${url}/feed`)).toMatchObject({ status: 401 })
      expect(await refused(`${url}/feed`, { headers: reader })).toMatchObject({ status: 403 })
      expect(await refused(`${url}/other`, { headers: follower })).toMatchObject({ status: 404 })
      const { socket, closed } = await opened(`${url}/feed`, { headers: follower })
      socket.close()
      await closed
      const ask = async (headers: Record<string, string> = {}): Promise<unknown[]> => {
        const answer = await fetch(`http://127.0.0.1:${port}/feed`, { headers })
        return [answer.status, answer.ok ? await answer.text() : 'refused']
      }
      expect(await ask()).toEqual([401, 'refused'])
      expect(await ask(follower)).toEqual([403, 'refused'])
      expect(await ask(reader)).toEqual([200, 'route'])
    } finally {
      hangUp(server)
      guard.close()
    }
  })
})
