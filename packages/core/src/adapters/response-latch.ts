import type { ServerResponse } from 'node:http'
import type { RequestContext } from '../context.ts'
import type { RefusalResponse } from '../decision/decision.ts'
import { Refusal } from '../refusal.ts'
import { send } from './answer.ts'
import { contextOf } from './attached-context.ts'

/**
 * The last line of defence. A response that starts without an allow is replaced by a refusal, so that a handler which
 * nobody declared gives nothing away. It has run by then: the census is what prevents that. Own members of this one
 * response, over whatever an earlier middleware has put there.
 */
export function installLatch(response: ServerResponse): void {
  const starting: Starting = {
    writeHead: response.writeHead.bind(response),
    write: response.write.bind(response),
    end: response.end.bind(response),
    flushHeaders: response.flushHeaders.bind(response),
    writeEarlyHints: response.writeEarlyHints.bind(response),
  }
  Object.assign(response, latch, { [beneath]: starting })
}

type Starting = Pick<ServerResponse, 'writeHead' | 'write' | 'end' | 'flushHeaders' | 'writeEarlyHints'>

// A property and no weak map: one entry for each response would keep the collector busy for longer than the request takes.
const beneath = Symbol('countersign beneath the latch')

const latch = {
  writeHead(this: ServerResponse, ...args: Parameters<Starting['writeHead']>) {
    // Node takes the low 32 bits of the number for the status.
    return mayStart(this, args[0] | 0, args.at(-1)) ? startingOf(this).writeHead(...args) : this
  },
  write(this: ServerResponse, ...args: Parameters<Starting['write']>) {
    return mayStart(this, this.statusCode) ? startingOf(this).write(...args) : true
  },
  end(this: ServerResponse, ...args: Parameters<Starting['end']>) {
    return mayStart(this, this.statusCode) ? startingOf(this).end(...args) : this
  },
  flushHeaders(this: ServerResponse) {
    if (mayStart(this, this.statusCode)) startingOf(this).flushHeaders()
  },
  // They come before an answer (RFC 8297), and say what it refers to: without an allow they are left out.
  writeEarlyHints(this: ServerResponse, ...args: Parameters<Starting['writeEarlyHints']>) {
    const context = contextOf(this.req)
    if (context === undefined || context.decision?.outcome === 'allow') {
      startingOf(this).writeEarlyHints(...args)
    }
  },
}

// What was there before, also for an object that inherits from the response, such as some middlewares hand on.
const startingOf = (response: ServerResponse): Starting => (response as unknown as Latched)[beneath] // a latch stands on it

interface Latched {
  readonly [beneath]: Starting
}

/** `given`: headers that come with the start itself, as an object. */
function mayStart(response: ServerResponse, status: number, given?: unknown): boolean {
  if (latched.has(response)) return false
  if (response.headersSent) return true
  const context = contextOf(response.req)
  if (context === undefined) return true
  if (context.decision?.outcome === 'allow') {
    context.recordHeld()
    return true
  }
  // An error, Express's own 404 above all, carries no resource and must stay what it is.
  if (status >= 400) return true
  if (context.isPreflight && status >= 200 && status < 300) {
    answerPreflight(response, context, status, given)
    return false
  }
  const decision = context.refuse(undeclared, `${response.req.method ?? ''} (outside any route)`)
  // Where the guard only observes, it was recorded.
  if (decision.outcome === 'allow') return true
  replace(response, decision.response)
  return false
}

function replace(response: ServerResponse, refusal: RefusalResponse): void {
  for (const name of response.getHeaderNames()) response.removeHeader(name)
  forgetStatusMessage(response)
  send(refusal, response)
  latched.add(response)
}

// HTTP/2 has none, and Node warns of whoever sets it.
function forgetStatusMessage(response: ServerResponse): void {
  if (response.req.httpVersionMajor < 2) response.statusMessage = ''
}

// Whoever asks has no caller and was allowed nothing: what is said is which requests a browser may send.
function answerPreflight(
  response: ServerResponse,
  context: RequestContext,
  status: number,
  given: unknown,
): void {
  if (typeof given === 'object' && given !== null && !Array.isArray(given)) {
    for (const [name, value] of Object.entries(given)) response.setHeader(name, value)
  }
  for (const name of response.getHeaderNames()) {
    if (!saysWhatIsAllowed.test(name)) response.removeHeader(name)
  }
  response.statusCode = status
  forgetStatusMessage(response)
  context.answerPreflight('OPTIONS (CORS preflight)')
  startingOf(response).end()
  latched.add(response)
}

const saysWhatIsAllowed = /^(?:access-control-.*|allow|cache-control|vary)$/

const latched = new WeakSet<ServerResponse>()
const undeclared = new Refusal('route_undeclared', {
  expected: 'a declaration in the same `use` as the handler',
  actual: 'a handler that answers without one',
  advice: "write app.use(path, unprotected('why'), handler), or requireScopes('…') in its place",
})
