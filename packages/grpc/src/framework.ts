import { ConfigurationError } from '@countersign/core'
import type { Server, ServerInterceptor } from '@grpc/grpc-js'
import type { ServerHttp2Stream } from 'node:http2'

/*
 * The parts of grpc-js that this adapter looks at beyond its documented API: the HTTP/2 stream of a call, and of a server its handlers
 * and interceptors. They have had these names since there are server interceptors (1.10); the tests run on 1.12 and on the newest.
 */

interface CallInternals {
  /** In an interceptor's call: the next one towards the wire. */
  readonly nextCall?: object
  /** In the call at the wire. */
  readonly stream?: ServerHttp2Stream
}

/** The HTTP/2 stream of a call; undefined where a stranger stands between, or where grpc-js no longer has it there. */
export function streamOf(call: object): ServerHttp2Stream | undefined {
  const { stream, nextCall } = call as CallInternals // read with care: nothing of it is promised
  if (stream !== undefined) return stream
  return nextCall === undefined ? undefined : streamOf(nextCall)
}

/** The paths of all methods of a server. Throws a ConfigurationError where grpc-js no longer keeps them there. */
export function pathsOf(server: Server): readonly string[] {
  const handlers: unknown = Reflect.get(server, 'handlers')
  if (!(handlers instanceof Map)) throw unknownShape()
  return [...handlers.keys()].map(String)
}

/** The interceptors of a server, nearest to the wire first. Throws a ConfigurationError likewise. */
export function interceptorsOf(server: Server): readonly ServerInterceptor[] {
  const interceptors: unknown = Reflect.get(server, 'interceptors')
  if (!Array.isArray(interceptors)) throw unknownShape()
  return interceptors
}

const unknownShape = (): ConfigurationError =>
  new ConfigurationError(
    'sealRoutes',
    'expected a Server of @grpc/grpc-js: this value, or this release of it, does not show its methods, so write a release that this package was tested with',
  )
