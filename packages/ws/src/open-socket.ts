import type { Clock, Deny } from '@countersign/core'
import { attachContext, closeFrame, type Guard, type RequestContext } from '@countersign/core/adapter'
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

function cutOff(webSocket: WebSocket, refused: Deny, clock: Clock): void {
  silence(webSocket)
  const { code, reason } = closeFrame(refused)
  webSocket.close(code, reason)
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
