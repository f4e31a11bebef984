import { Refusal } from '@countersign/core/adapter'
import type { ServerResponse } from 'node:http'
import { send } from './answer.ts'
import { contextOf } from './request-context.ts'

/**
 * The last line of defence. A response of an application that starts without an allow is replaced by a refusal, so
 * that a handler which nobody declared gives nothing away. It has run by then: the census is what prevents that.
 * Installed on the application's own response prototype, which Express keeps for such additions.
 */
export function installLatch(prototype: object): void {
  const response = prototype as ServerResponse // Express's `app.response` inherits from it
  const { writeHead, write, end, flushHeaders } = response
  const replacement = {
    writeHead(this: ServerResponse, ...args: Parameters<typeof writeHead>) {
      return mayStart(this, args[0]) ? writeHead.apply(this, args) : this
    },
    write(this: ServerResponse, ...args: Parameters<typeof write>) {
      return mayStart(this, this.statusCode) ? write.apply(this, args) : true
    },
    end(this: ServerResponse, ...args: Parameters<typeof end>) {
      return mayStart(this, this.statusCode) ? end.apply(this, args) : this
    },
    flushHeaders(this: ServerResponse) {
      if (mayStart(this, this.statusCode)) flushHeaders.call(this)
    },
  }
  for (const [name, value] of Object.entries(replacement)) {
    Object.defineProperty(prototype, name, { value, configurable: true, writable: true })
  }
}

function mayStart(response: ServerResponse, status: number): boolean {
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
  replace(response, context.refuse(undeclared, `${response.req.method ?? ''} (outside any route)`))
  return false
}

function replace(
  response: ServerResponse,
  decision: ReturnType<NonNullable<ReturnType<typeof contextOf>>['refuse']>,
): void {
  for (const name of response.getHeaderNames()) response.removeHeader(name)
  response.statusMessage = ''
  if (decision.outcome === 'deny') send(decision.response, response)
  latched.add(response)
}

const latched = new WeakSet<ServerResponse>()
const undeclared = new Refusal('route_undeclared', {
  expected: 'a declaration in the same `use` as the handler',
  actual: 'a handler that answers without one',
  advice: "write app.use(path, unprotected('why'), handler), or requireScopes('…') in its place",
})
