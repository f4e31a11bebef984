// Who connects to a gateway: asked by the request that it connects with, and again while it stays.
import type { IncomingMessage } from 'node:http'
import type { Decision, Deny } from '@countersign/core'
import { attachContext, closeFrame, contextOf, type Guard } from '@countersign/core/adapter'
import type { Application } from './application.ts'
import { decideAll } from './call.ts'
import type { GatewayPlace } from './gateway-places.ts'

/** A client of `ws`, or of socket.io. */
export interface Client {
  once(name: 'close' | 'disconnect', listener: () => void): unknown
  close?(code: number, reason: string): void
  disconnect?(closesConnection: true): void
}

/**
 * Asks whether somebody may connect to a place. Every gateway there has to allow it: all of them are reached by one connection. The
 * context hangs on the `carrier` then.
 */
export function askToConnect(
  application: Application,
  place: GatewayPlace,
  request: IncomingMessage,
  carrier: object = request,
): Decision | Promise<Decision> {
  const { guard } = application
  const known = contextOf(request)
  // In socket.io, one connection may have several namespaces: what came with it is verified once.
  const isKnown = known !== undefined && guard.hasOpened(known)
  const context = isKnown ? known.forMessage() : guard.admit(request)
  if (!isKnown) attachContext(request, context)
  attachContext(carrier, context)
  return decideAll({ context }, application.connectionsTo(place), guard)
}

/** Takes in a client that may connect, and ends it when it may no longer. False for one that nobody has asked about. */
export function takeIn(client: Client, carrier: object, guard: Guard): boolean {
  const context = contextOf(carrier)
  if (context?.decision?.outcome !== 'allow') return false
  attachContext(client, context)
  // Each gateway at one place is told of each client.
  if (watched.has(client)) return true
  watched.add(client)
  const stop = guard.watch(context, (refused) => end(client, refused))
  client.once('close', stop)
  client.once('disconnect', stop)
  return true
}

/** Ends a connection. */
export function end(client: Client, refused: Deny | undefined): void {
  if (client.disconnect !== undefined) client.disconnect(true)
  else {
    const { code, reason } = refused === undefined ? unasked : closeFrame(refused)
    client.close?.(code, reason)
  }
}

const unasked = { code: 1008, reason: 'nobody was asked' }

const watched = new WeakSet<Client>()
