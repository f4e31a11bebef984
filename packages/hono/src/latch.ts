import { Refusal, type RequestContext } from '@countersign/core/adapter'
import type { Context } from 'hono'
import { knownMethod } from './framework.ts'
import { connectionOf } from './inbound.ts'
import { refuse } from './proceed.ts'

/**
 * The last line of defence: an answer without an allow for what was reached last is replaced by a refusal, so that a handler which
 * nobody declared gives nothing away. It has run by then: the census is what prevents that.
 */
export function latch(c: Context, context: RequestContext): void {
  const connection = connectionOf(c)
  if (!c.finalized || connection?.outgoing?.headersSent === true) return
  const { status } = c.res
  if (context.decision?.outcome === 'allow') context.recordHeld()
  // An error, Hono's own 404 above all, carries no resource and must stay what it is.
  else if (status >= 400) return
  else if (context.isPreflight && status < 300) answerPreflight(c, context)
  else {
    const decision = context.refuse(undeclared, `${knownMethod(c.req.method)} (outside any route)`)
    // Where the guard only observes, it was recorded.
    if (decision.outcome === 'allow') return
    refuse(c, decision.response)
    // A WebSocket that was promised would be opened whatever is answered.
    if (connection?.outgoing === undefined) connection?.incoming.socket.destroy()
  }
}

// Whoever asks has no caller and was allowed nothing: what is said is which requests a browser may send.
function answerPreflight(c: Context, context: RequestContext): void {
  const { status, headers } = c.res
  const said = [...headers].filter(([name]) => saysWhatIsAllowed.test(name))
  context.answerPreflight('OPTIONS (CORS preflight)')
  c.res = undefined
  c.res = new Response(null, { status, headers: said })
}

const saysWhatIsAllowed = /^(?:access-control-.*|allow|cache-control|vary)$/

const undeclared = new Refusal('route_undeclared', {
  expected: 'a declaration in the same `use` as the handler',
  actual: 'a handler that answers without one',
  advice: "write app.use(path, unprotected('why'), handler), or requireScopes('…') in its place",
})
