import type { IncomingMessage, ServerResponse } from 'node:http'
import {
  type Guard,
  type RequestContext,
  attachContext,
  contextOf,
  installLatch,
} from '@countersign/core/adapter'
import type { Context } from 'hono'
import { twoGuards } from './mistakes.ts'

/** What @hono/node-server hands around beside a request. There is no `outgoing` where a connection asks to become a WebSocket. */
interface NodeConnection {
  readonly incoming: IncomingMessage
  readonly outgoing?: ServerResponse
}

/** The request and the response of Node; undefined on other runtimes, and where a test calls `app.request()`. */
export function connectionOf({ env }: Context): NodeConnection | undefined {
  const incoming: unknown = env?.incoming
  const isNode =
    typeof incoming === 'object' && incoming !== null && 'rawHeaders' in incoming && 'socket' in incoming
  return isNode ? env : undefined
}

/** Takes away what could pass for an identity, opens the undecided context, and keeps back what is written past Hono. */
export function admit(c: Context, guard: Guard): RequestContext {
  const connection = connectionOf(c)
  const known = connection && contextOf(connection.incoming)
  const context = known === undefined ? open(c, guard, connection) : again(known, guard)
  attachContext(c, context)
  return context
}

function open(c: Context, guard: Guard, connection: NodeConnection | undefined): RequestContext {
  const request = connection?.incoming ?? inboundOf(c.req.raw)
  const { length } = request.rawHeaders
  const context = guard.admit(request)
  if (request.rawHeaders.length !== length) hide(c, request.rawHeaders)
  if (connection === undefined) tellWithoutConnection(guard)
  else attachContext(connection.incoming, context)
  if (connection?.outgoing !== undefined) installLatch(connection.outgoing)
  return context
}

// An application that another one has called, with the same request: each decides for itself, and both may run at once.
function again(known: RequestContext, guard: Guard): RequestContext {
  if (!guard.hasOpened(known)) throw twoGuards()
  return known.again()
}

function inboundOf({ method, url, headers }: Request) {
  const { pathname, search } = new URL(url)
  return {
    method,
    url: pathname + search,
    headers: Object.fromEntries(headers),
    rawHeaders: [...headers].flat(),
    // Nothing may be remembered of a connection that is not known.
    socket: {},
  }
}

// Somebody may have read the headers of the Fetch request before, which are a copy.
function hide(c: Context, left: readonly string[]): void {
  const kept = new Set(left.filter((_, i) => i % 2 === 0).map((name) => name.toLowerCase()))
  const gone = [...c.req.raw.headers.keys()].filter((name) => !kept.has(name))
  try {
    for (const name of gone) c.req.raw.headers.delete(name)
  } catch {
    // On some runtimes the headers of what came cannot be changed.
    const headers = new Headers(c.req.raw.headers)
    for (const name of gone) headers.delete(name)
    c.req.raw = new Request(c.req.raw, { headers })
  }
}

const told = new WeakSet<Guard>()

function tellWithoutConnection(guard: Guard): void {
  if (!guard.acceptsCertificates || told.has(guard)) return
  told.add(guard)
  guard.reportServing(
    'no client certificate can be seen: requests come without a connection of Node, such as on another runtime or from `app.request()`. Serve the application with @hono/node-server',
  )
}
