import type { ServerResponse } from 'node:http'
import type { Decision, Deny, RefusalResponse } from '../decision/decision.ts'
import { refusals, type RefusalEntry } from '../refusal.ts'

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
  } else refuse(decision, response)
}

/** Answers what is refused. */
export function refuse(decision: Deny, response: ServerResponse): void {
  send(decision.response, response)
  endSession(decision, response)
}

/**
 * Ends the connection where a refusal says so; for adapters that write the answer in another way. HTTP/1 is told by `Connection: close`,
 * which HTTP/2 does not have: requests under way are still answered, and no more come.
 */
export function endSession(decision: Deny, { req }: ServerResponse): void {
  if (!endsConnection(decision)) return
  const { stream } = req as { readonly stream?: { readonly session?: { close(): void } } } // of HTTP/2 alone
  stream?.session?.close()
}

/** Whether a refusal ends its connection: what is under way is still answered, and no more comes. */
export function endsConnection({ refusal }: Deny): boolean {
  const entry: RefusalEntry = refusals[refusal.code]
  return entry.endsConnection === true
}

/** Writes a refusal as it is. */
export function send({ status, headers, body }: RefusalResponse, response: ServerResponse): void {
  if (response.headersSent) return
  response.statusCode = status
  for (const [name, value] of Object.entries(headers)) response.setHeader(name, value)
  response.setHeader('content-length', Buffer.byteLength(body))
  response.end(body)
}
