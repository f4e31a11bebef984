// The handlers of a service as they answer over WebSockets.
import { PassThrough } from 'node:stream'
import type { IncomingMessage } from 'node:http'
import type { Caller } from '@countersign/core'
import type { RawData, WebSocket } from 'ws'
import { textOf } from '../../ws/served-sockets.ts'
import type { Conversation, HandlerCall, Reply, ServiceRoute } from '../subject.ts'
import { paramsIn } from './params-in.ts'

/** How an adapter has its callers known. */
export interface Callers {
  callerOf(webSocket: object): Caller | undefined
  requireCaller(webSocket: object): Caller
}

/** Answers over a WebSocket that was opened for a route, and closes it with a code that says how that went. */
export function serve(
  webSocket: WebSocket,
  request: IncomingMessage,
  { path, handle, converse }: ServiceRoute,
  callers: Callers,
): void {
  if (converse !== undefined) {
    converse(conversationOf(webSocket, callers))
    return
  }
  const answer = async (reply: Reply | Promise<Reply>): Promise<void> => {
    const { body } = await reply
    if (typeof body === 'string') webSocket.send(body)
    else for await (const chunk of body) webSocket.send(chunk)
    webSocket.close(1000)
  }
  try {
    const reply = handle?.(callOf(webSocket, request, path, callers)) ?? { body: `GET ${path}` }
    answer(reply).catch(() => webSocket.close(1011))
  } catch {
    webSocket.close(1011)
  }
}

function callOf(
  webSocket: WebSocket,
  request: IncomingMessage,
  path: string,
  { callerOf, requireCaller }: Callers,
): HandlerCall {
  const body = new PassThrough()
  webSocket.on('message', (data: RawData) => {
    // A message, which comes in one piece here.
    const chunk = data as Buffer
    // Nothing is the end of what a client sends.
    if (chunk.length > 0) body.write(chunk)
    else body.end()
  })
  return {
    caller: callerOf(webSocket),
    requireCaller: () => requireCaller(webSocket),
    params: paramsIn(path, (request.url ?? '').split('?', 1)[0] ?? '') ?? {},
    headerNames: [...Object.keys(request.headers), ...request.rawHeaders.filter((_, i) => i % 2 === 0)].map(
      (name) => name.toLowerCase(),
    ),
    body,
  }
}

const conversationOf = (webSocket: WebSocket, { callerOf }: Callers): Conversation => ({
  caller: () => callerOf(webSocket),
  send: (text) => webSocket.send(text),
  onMessage: (heard) => void webSocket.on('message', (data: RawData) => heard(textOf(data))),
  onEnd: (ended) => void webSocket.on('close', ended),
})
