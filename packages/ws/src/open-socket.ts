import type { Clock, Deny } from '@countersign/core'
import { attachContext, type Guard, type RequestContext } from '@countersign/core/adapter'
import type { WebSocket } from 'ws'
import { graceMs } from './raw-answer.ts'

/** Has a WebSocket know its caller, and lose access when the caller does. */
export function watchSocket(webSocket: WebSocket, context: RequestContext, guard: Guard, clock: Clock): void {
  attachContext(webSocket, context)
  webSocket.once(
    'close',
    guard.watch(context, (refused) => cutOff(webSocket, refused, clock)),
  )
}

function cutOff(webSocket: WebSocket, { id, response }: Deny, clock: Clock): void {
  silence(webSocket)
  // RFC 6455 §7.4.1: 1008 is a policy that was violated; 1013, in the registry, asks to try again later.
  if (response.status === 503) webSocket.close(1013, `access cannot be checked now (decision ${id})`)
  else webSocket.close(1008, `access has ended (decision ${id})`)
  clock.schedule?.(() => webSocket.terminate(), graceMs)
}

/** INVARIANT: no message reaches the application after a refusal, though its sender may go on until it has answered the close frame. */
function silence(webSocket: WebSocket): void {
  const emit = webSocket.emit.bind(webSocket)
  const silenced = (name: string | symbol, ...args: readonly unknown[]): boolean =>
    !messages.has(name) && emit(name, ...args)
  Object.assign(webSocket, { emit: silenced })
}

const messages: ReadonlySet<string | symbol> = new Set(['message', 'ping', 'pong'])
