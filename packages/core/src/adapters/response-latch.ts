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
  const latched = response as unknown as Starting & { [beneath]?: Beneath } // each has several signatures, which pass through here
  const { writeHead, write, end, flushHeaders, writeEarlyHints } = latched
  latched[beneath] = { response, writeHead, write, end, flushHeaders, writeEarlyHints, isAnswered: false }
  // One by one: it is done for every request, and `Object.assign` takes several times as long.
  latched.writeHead = latch.writeHead
  latched.write = latch.write
  latched.end = latch.end
  latched.flushHeaders = latch.flushHeaders
  latched.writeEarlyHints = latch.writeEarlyHints
}

/** What starts an answer. */
interface Starting {
  writeHead: Start
  write: Start
  end: Start
  flushHeaders: Start
  writeEarlyHints: Start
}

type Start = (this: ServerResponse, ...args: unknown[]) => unknown

interface Beneath extends Starting {
  /** What the latch was put on. `this` may be an object that inherits from it, such as some middlewares hand on. */
  readonly response: ServerResponse
  /** True once the latch itself has answered: nothing else is written. */
  isAnswered: boolean
}

// A property and no weak map: one entry for each response would keep the collector busy for longer than the request takes.
const beneath = Symbol('countersign beneath the latch')

const latch: Starting = {
  writeHead(...args) {
    const { response, writeHead } = beneathOf(this)
    // Node takes the low 32 bits of the number for the status.
    return mayStart(this, Number(args[0]) | 0, args.at(-1)) ? writeHead.apply(response, args) : this
  },
  write(...args) {
    const { response, write } = beneathOf(this)
    return mayStart(this, this.statusCode) ? write.apply(response, args) : true
  },
  end(...args) {
    const { response, end } = beneathOf(this)
    return mayStart(this, this.statusCode) ? end.apply(response, args) : this
  },
  flushHeaders() {
    const { response, flushHeaders } = beneathOf(this)
    if (mayStart(this, this.statusCode)) flushHeaders.call(response)
  },
  // They come before an answer (RFC 8297), and say what it refers to: without an allow they are left out.
  writeEarlyHints(...args) {
    const context = contextOf(this.req)
    if (context === undefined || context.decision?.outcome === 'allow') {
      const { response, writeEarlyHints } = beneathOf(this)
      writeEarlyHints.apply(response, args)
    }
  },
}

const beneathOf = (response: object): Beneath => (response as { readonly [beneath]: Beneath })[beneath] // a latch stands on it

/** `given`: headers that come with the start itself, as an object. */
function mayStart(response: ServerResponse, status: number, given?: unknown): boolean {
  if (beneathOf(response).isAnswered) return false
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
  beneathOf(response).isAnswered = true
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
  const below = beneathOf(response)
  below.end.call(below.response)
  below.isAnswered = true
}

const saysWhatIsAllowed = /^(?:access-control-.*|allow|cache-control|vary)$/

const undeclared = new Refusal('route_undeclared', {
  expected: 'a declaration in the same `use` as the handler',
  actual: 'a handler that answers without one',
  advice: "write app.use(path, unprotected('why'), handler), or requireScopes('…') in its place",
})
