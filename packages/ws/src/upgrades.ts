import { ConfigurationError, type Clock, type Decision, type RefusalResponse } from '@countersign/core'
import {
  Refusal,
  attachContext,
  censusEntry,
  type Guard,
  type RequestContext,
} from '@countersign/core/adapter'
import type { EventEmitter } from 'node:events'
import type { IncomingMessage } from 'node:http'
import type { Duplex } from 'node:stream'
import { watchSocket } from './open-socket.ts'
import { bare, writeAnswer } from './raw-answer.ts'
import type { Params, UpgradeRoute } from './upgrade-route.ts'

/** A server of `node:http` or `node:https`, or of `node:http2` with `allowHTTP1`; whatever framework it serves. */
export type UpgradeServer = Pick<EventEmitter, 'prependListener' | 'listenerCount'>

/** All upgrades of one server. */
export class Upgrades {
  readonly #server: UpgradeServer
  readonly #guard: Guard
  readonly #clock: Clock
  readonly #routes: UpgradeRoute[] = []
  #hasTold = false

  private constructor(server: UpgradeServer, guard: Guard, clock: Clock) {
    this.#server = server
    this.#guard = guard
    this.#clock = clock
    guard.register(() => this.#routes.map(({ known }) => censusEntry(known, guard)))
    server.prependListener('upgrade', (request: IncomingMessage, socket: Duplex, head: Buffer) =>
      this.#receive(request, socket, head),
    )
  }

  /** Those of a server, which has one guard, and nobody else who takes its upgrades. */
  static of(server: UpgradeServer, guard: Guard, clock: Clock): Upgrades {
    const known = all.get(server)
    if (known === undefined) {
      if (server.listenerCount('upgrade') > 0) throw new ConfigurationError('server', takenByOthers)
      const made = new Upgrades(server, guard, clock)
      all.set(server, made)
      return made
    }
    if (known.#guard === guard) return known
    throw new ConfigurationError(
      'guard',
      'one server has one: make it with createGuard(…), and give it to each',
    )
  }

  add(route: UpgradeRoute): void {
    if (this.#routes.some(({ name }) => name === route.name)) {
      throw new ConfigurationError('route', `\`${route.name}\` is there already`)
    }
    this.#routes.push(route)
  }

  #receive(request: IncomingMessage, socket: Duplex, head: Buffer): void {
    // Node has taken its own listener away: a client that resets the connection would end the process.
    socket.on('error', destroyed)
    if (this.#server.listenerCount('upgrade') > 1) {
      if (!this.#hasTold) this.#guard.reportServing(takenByOthers)
      this.#hasTold = true
      writeAnswer(socket, bare(500), this.#clock)
      return
    }
    const context = this.#guard.admit(request)
    attachContext(request, context)
    const found = this.#routeOf(request, context)
    if (found === undefined || 'status' in found) {
      writeAnswer(socket, found ?? bare(404), this.#clock)
      return
    }
    const { route, params } = found
    const settle = (decision: Decision): void => {
      if (decision.outcome === 'allow') this.#open(route, request, socket, head, context)
      else writeAnswer(socket, decision.response, this.#clock)
    }
    const decision = context.decide(route.known.own, route.name, false, params, route.name)
    if (decision instanceof Promise) void decision.then(settle)
    else settle(decision)
  }

  /** The first route that an upgrade is for; undefined for none. An answer where the application could not tell. */
  #routeOf(
    request: IncomingMessage,
    context: RequestContext,
  ): { readonly route: UpgradeRoute; readonly params: Params } | RefusalResponse | undefined {
    // A WebSocket is opened by GET (RFC 6455 §4.1).
    if (request.method !== 'GET') return undefined
    for (const route of this.#routes) {
      try {
        const params = route.match(request)
        if (params !== undefined) return { route, params }
      } catch {
        const refused = context.refuse(matchFailed, route.name)
        return refused.outcome === 'deny' ? refused.response : bare(500)
      }
    }
    return undefined
  }

  #open(
    { sockets }: UpgradeRoute,
    request: IncomingMessage,
    socket: Duplex,
    head: Buffer,
    context: RequestContext,
  ): void {
    sockets.handleUpgrade(request, socket, head, (webSocket) => {
      watchSocket(webSocket, context, this.#guard, this.#clock)
      sockets.emit('connection', webSocket, request)
    })
    socket.off('error', destroyed)
  }
}

const all = new WeakMap<UpgradeServer, Upgrades>()

// The socket is destroyed already, which is all that can be done.
const destroyed = (): void => undefined

const takenByOthers =
  'something else takes upgrades of this server, and would open sockets that nobody decided: write new WebSocketServer({ noServer: true }), and protectUpgrades(server, sockets, …) for each route'

const matchFailed = new Refusal('internal_error', {
  expected: 'parameters or undefined from `match`',
  actual: 'an error',
  advice: 'text of the path may be anything, such as `%` alone: have `match` return undefined for it',
})
