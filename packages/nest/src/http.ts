import type { IncomingMessage, ServerResponse } from 'node:http'
import type { ExecutionContext } from '@nestjs/common'
import { ConfigurationError, type Allow, type Deny } from '@countersign/core'
import {
  attachContext,
  contextOf,
  installLatch,
  refuse,
  type Guard,
  type RequestContext,
} from '@countersign/core/adapter'
import { oddlySpelled } from './asked-by-path.ts'
import type { Call } from './call.ts'

// An import of `node:http` by name reads all its names, and so loads Node's fetch and WebSocket client.
const methods: ReadonlySet<string> = new Set(process.getBuiltinModule('node:http').METHODS)

/** A request as Nest hands it around: Node's own in Express, one that holds it in Fastify. */
interface PlatformRequest {
  readonly raw?: IncomingMessage
  readonly params?: Readonly<Record<string, unknown>>
  /** In Express, the route that was chosen. */
  readonly route?: { readonly path?: unknown }
  /** In Fastify. */
  readonly routeOptions?: { readonly url?: unknown }
}

/** Likewise. The rest is Fastify's. */
interface PlatformResponse {
  readonly raw?: ServerResponse
  hijack?(): void
  getHeaders?(): Readonly<Record<string, number | string | readonly string[] | undefined>>
}

/**
 * Takes away what could pass for an identity, opens the undecided context, and keeps back whatever is answered without an allow. Done
 * once for each request. Throws a ConfigurationError where another guard has seen it.
 */
export function admit(request: IncomingMessage, response: ServerResponse, guard: Guard): RequestContext {
  const known = contextOf(request)
  if (known === undefined) {
    const context = guard.admit(request)
    attachContext(request, context)
    installLatch(response)
    return context
  }
  if (guard.hasOpened(known)) return known
  throw new ConfigurationError(
    'CountersignModule',
    'two guards saw one request: import one CountersignModule, or give both the same guard',
  )
}

/** A call over HTTP; undefined where the arguments of the handler are no request and response of Node. */
export function httpCall(execution: ExecutionContext, guard: Guard): Call | undefined {
  const [request, response] = execution.getArgs<[PlatformRequest | undefined, PlatformResponse | undefined]>()
  const raw = nodeRequest(request)
  const answer = nodeResponse(response)
  if (request === undefined || raw === undefined || answer === undefined) return undefined
  const context = admit(raw, answer, guard)
  attachContext(request, context)
  const end = request === raw ? undefined : oddlySpelled(raw.url ?? '')
  return {
    context,
    ...(end && { end }),
    params: request.params ?? {},
    // A middleware may have put a caller's text in place of the method.
    method: raw.method !== undefined && methods.has(raw.method) ? raw.method : '*',
    narrow(spellings) {
      const path = request.routeOptions?.url ?? request.route?.path
      const chosen = spellings.filter((spelling) => spelling.path === path)
      return chosen.length > 0 ? chosen : spellings
    },
    allow(decision: Allow) {
      for (const [name, value] of Object.entries(decision.headers ?? {})) answer.setHeader(name, value)
    },
    refuse(decision: Deny) {
      if (response?.hijack !== undefined) hijack(response, answer)
      refuse(decision, answer)
      // It was answered, and nothing that comes behind guards can make another answer of it: no filter, no interceptor. What waits
      // for this is collected with it; one promise for all would keep them all.
      return new Promise<never>(() => undefined)
    },
  }
}

// What hooks before the guard have set, such as CORS headers, without which a browser could not read the refusal.
function hijack(reply: PlatformResponse, answer: ServerResponse): void {
  for (const [name, value] of Object.entries(reply.getHeaders?.() ?? {})) {
    if (value !== undefined && !answer.headersSent) answer.setHeader(name, value)
  }
  reply.hijack?.()
}

function nodeRequest(request: PlatformRequest | undefined): IncomingMessage | undefined {
  const raw = request?.raw ?? request
  return raw !== undefined && 'rawHeaders' in raw && 'headers' in raw ? raw : undefined
}

function nodeResponse(response: PlatformResponse | undefined): ServerResponse | undefined {
  const raw = response?.raw ?? response
  return raw !== undefined && 'writeHead' in raw && 'setHeader' in raw ? raw : undefined
}
