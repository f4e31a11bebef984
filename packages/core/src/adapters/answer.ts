import type { ServerResponse } from 'node:http'
import type { Decision, RefusalResponse } from '../decision/decision.ts'

/** Continues on an explicit allow, and on nothing else; what is refused is answered. At once where the decision is at hand. */
export function answer(
  decision: Decision | Promise<Decision>,
  response: ServerResponse,
  next: (error?: unknown) => void,
): void {
  if (decision instanceof Promise) {
    decision.then((settled) => settle(settled, response, next)).catch(next)
  } else settle(decision, response, next)
}

function settle(decision: Decision, response: ServerResponse, next: () => void): void {
  if (decision.outcome === 'allow') {
    for (const name in decision.headers) response.setHeader(name, decision.headers[name] ?? '')
    next()
  } else send(decision.response, response)
}

/** Writes a refusal as it is. */
export function send({ status, headers, body }: RefusalResponse, response: ServerResponse): void {
  if (response.headersSent) return
  response.statusCode = status
  for (const [name, value] of Object.entries(headers)) response.setHeader(name, value)
  response.setHeader('content-length', Buffer.byteLength(body))
  response.end(body)
}
