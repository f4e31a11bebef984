import type { ServerHttp2Session } from 'node:http2'
import type { ExecutionContext } from '@nestjs/common'
import type { Deny } from '@countersign/core'
import {
  addTrailers,
  attachContext,
  endsConnection,
  grpcRefusal,
  grpcRequest,
  removeDeleted,
  type GrpcStatus,
  type Guard,
} from '@countersign/core/adapter'
import type { Call } from './call.ts'
import type { Refusing } from './refusing.ts'

/** As much of the metadata of a call as is needed. */
interface Metadata {
  toJSON(): Readonly<Record<string, readonly (string | Buffer)[]>>
  remove(name: string): void
}

/** A call of `@grpc/grpc-js` as Nest hands it on. */
export interface GrpcCall {
  readonly metadata: Metadata
  getPeer(): string
  getPath?(): string
  getAuthContext?(): { readonly sslPeerCertificate?: object }
  /** Those that are streams. */
  emit(name: 'error', error: object): boolean
  once(name: 'close' | 'finish' | 'cancelled', listener: () => void): unknown
}

/** Where grpc-js keeps the connection. Nothing of it is promised: the tests run on 1.12 and on the newest. */
interface Internals {
  readonly call?: object
  readonly nextCall?: object
  readonly stream?: { readonly session?: ServerHttp2Session }
}

/** A call over gRPC; undefined where the arguments of the handler hold none. */
export function grpcCall(execution: ExecutionContext, guard: Guard, refusing: Refusing): Call | undefined {
  const call = grpcCallIn(execution)
  if (call === undefined) return undefined
  // One object for all calls of a connection, in which core reads the whole chain.
  const request = grpcRequest(call.getPath?.() ?? '/', call.metadata, call, sessionOf(call)?.socket)
  const context = guard.admit(request)
  removeDeleted(call.metadata, request)
  attachContext(call, context)
  attachContext(call.metadata, context)
  // As grpc-js has streams ended; it listens itself.
  const end = (refused: Deny): void => void call.emit('error', errorOf(refused, call))
  return {
    context,
    allow() {
      if (!isStream(call)) return
      const stop = guard.watch(context, end)
      for (const name of ['close', 'finish', 'cancelled'] as const) call.once(name, stop)
    },
    refuse: async (refused: Deny) => {
      if (endsConnection(refused)) sessionOf(call)?.close()
      const [first] = execution.getArgs<unknown[]>()
      if (first !== call) throw refusing.rpc(errorOf(refused, call))
      // Who takes the whole call (`@GrpcStreamCall`) has to answer it, too: Nest would tell nobody what is thrown here, and a
      // rejection that nobody handles ends the process.
      end(refused)
      return new Promise<never>(() => undefined)
    },
  }
}

/** Nothing that is sent can pass for a call: it has methods. */
export const grpcCallIn = (execution: ExecutionContext): GrpcCall | undefined =>
  execution.getArgs<unknown[]>().find(isGrpcCall)

function isGrpcCall(value: unknown): value is GrpcCall {
  if (typeof value !== 'object' || value === null) return false
  const { metadata, getPeer } = value as Partial<GrpcCall> // both are checked
  return typeof metadata?.toJSON === 'function' && typeof getPeer === 'function'
}

/** A refusal as an error that Nest hands on to grpc-js, with its challenge in trailing metadata. */
function errorOf(refused: Deny, { metadata }: GrpcCall): object {
  const { status, details } = grpcRefusal(refused)
  // Made like the metadata of the call, by the copy of grpc-js that will send it.
  const trailers = Reflect.construct(metadata.constructor, []) as Trailers // a `Metadata`
  return {
    code: codes[status],
    details,
    message: details,
    metadata: addTrailers(trailers, refused.response.headers),
  }
}

// grpc-js may be absent.
const codes: Readonly<Record<GrpcStatus, number>> = {
  PERMISSION_DENIED: 7,
  INTERNAL: 13,
  UNAVAILABLE: 14,
  UNAUTHENTICATED: 16,
}

interface Trailers {
  set(name: string, value: string): void
}

const isStream = (call: object): boolean => 'pipe' in call || 'write' in call

function sessionOf(holder: object): ServerHttp2Session | undefined {
  const { call, nextCall, stream } = holder as Internals // read with care
  if (stream !== undefined) return stream.session
  const next = call ?? nextCall
  return next === undefined ? undefined : sessionOf(next)
}
