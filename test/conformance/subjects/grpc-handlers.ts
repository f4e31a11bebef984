// The handlers of a service as grpc-js calls them.
import { Readable } from 'node:stream'
import type { Caller } from '@countersign/core'
import {
  Metadata,
  type ServerDuplexStream,
  type ServerReadableStream,
  type ServerUnaryCall,
  type ServerWritableStream,
  type UntypedHandleCall,
  type sendUnaryData,
} from '@grpc/grpc-js'
import type { Conversation, Handle, HandlerCall, Reply, ServiceRoute } from '../subject.ts'

type Unary = ServerUnaryCall<Buffer, Buffer>
type In = ServerReadableStream<Buffer, Buffer>
type Out = ServerWritableStream<Buffer, Buffer>
type Both = ServerDuplexStream<Buffer, Buffer>

/** How an adapter has its callers known. */
export interface Callers {
  callerOf(call: { readonly metadata: Metadata }): Caller | undefined
  requireCaller(call: { readonly metadata: Metadata }): Caller
}

export function handlerOf({ method, path, streams, handle, converse }: ServiceRoute, callers: Callers) {
  const answering = handle ?? (() => ({ body: `${method} ${path}` }))
  const callOf = (call: Unary | In | Out | Both, body?: HandlerCall['body']): HandlerCall =>
    handlerCall(call, body ?? Readable.from('request' in call ? [call.request] : []), callers)
  const handlers = {
    in: (call: In, done: sendUnaryData<Buffer>) => answerOnce(answering, callOf(call, call), done),
    both: (call: Both) =>
      converse === undefined
        ? // Node 22 takes the other half of a stream away from who has read it to its end by `for await` alone.
          answerMany(answering, callOf(call, call.iterator({ destroyOnReturn: false })), call)
        : converse(conversationOf(call, callers)),
    out: (call: Out) => answerMany(answering, callOf(call), call),
    unary: (call: Unary, done: sendUnaryData<Buffer>) => answerOnce(answering, callOf(call), done),
  }
  return handlers[converse === undefined ? (streams ?? 'unary') : 'both'] satisfies UntypedHandleCall
}

export const handlerCall = (
  call: { readonly metadata: Metadata },
  body: HandlerCall['body'],
  { callerOf, requireCaller }: Callers,
): HandlerCall => ({
  caller: callerOf(call),
  requireCaller: () => requireCaller(call),
  params: {},
  headerNames: Object.keys(call.metadata.getMap()),
  body,
})

/** What a handler throws at once stays thrown: it is the framework's to answer. */
function answerOnce(handle: Handle, call: HandlerCall, done: sendUnaryData<Buffer>): void {
  textOf(handle(call)).then(
    (text) => done(null, Buffer.from(text), new Metadata()),
    (error: Error) => done(error),
  )
}

function answerMany(handle: Handle, call: HandlerCall, answer: Out | Both): void {
  const reply = handle(call)
  const send = async (): Promise<void> => {
    for await (const part of partsOf(await reply)) answer.write(part)
    answer.end()
  }
  send().catch((error: unknown) => answer.emit('error', error))
}

export async function* partsOf({ body }: Reply): AsyncGenerator<Buffer> {
  for await (const part of typeof body === 'string' ? [body] : body) yield Buffer.from(part)
}

export async function textOf(reply: Reply | Promise<Reply>): Promise<string> {
  let text = ''
  for await (const part of partsOf(await reply)) text += String(part)
  return text
}

const conversationOf = (call: Both, { callerOf }: Callers): Conversation => ({
  caller: () => callerOf(call),
  send: (text) => void call.write(Buffer.from(text)),
  onMessage: (heard) => void call.on('data', (text: Buffer) => heard(String(text))),
  onEnd: (ended) => {
    call.on('error', () => undefined)
    // What its client has ended is over when that was answered.
    call.once('end', () => call.end())
    // grpc-js says so of every call that is over.
    call.on('cancelled', ended)
  },
})
