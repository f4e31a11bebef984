import type { Caller, Decision, RefusalResponse } from '@countersign/core'
import { callerOf, endSession } from '@countersign/core/adapter'
import type { Context } from 'hono'
import { connectionOf } from './inbound.ts'

/** Continues on an explicit allow, or where nothing is to be decided; what is refused is answered. At once where the decision is at hand. */
export function proceed(
  c: Context,
  decision: Decision | Promise<Decision> | undefined,
  next: () => unknown,
): Promise<Response | void> | Response {
  if (decision instanceof Promise) {
    return decision.then((settled) => proceed(c, settled, next))
  }
  if (decision?.outcome === 'deny') {
    // What others have set for whatever is answered stays, such as the headers of CORS.
    refuse(c, decision.response, c.finalized ? undefined : c.res.headers)
    const outgoing = connectionOf(c)?.outgoing
    if (outgoing !== undefined) endSession(decision, outgoing)
    return Promise.resolve()
  }
  for (const name in decision?.headers) {
    const value = decision?.headers[name] ?? ''
    const outgoing = connectionOf(c)?.outgoing
    // Either gets into whatever is answered: there also into what is written past Hono, here into a `Response` that it has not made.
    if (outgoing === undefined) c.res.headers.set(name, value)
    else outgoing.setHeader(name, value)
  }
  const caller = callerOf(c)
  if (c.get('caller') !== caller) c.set('caller', caller as Caller) // undefined where there is none, as its documentation says
  return next() as Response // the handler's own answer, or a promise of it
}

/** Puts a refusal in the place of any other answer, with these headers beside its own. */
export function refuse(c: Context, { status, headers, body }: RefusalResponse, beside?: Headers): void {
  const all = new Headers(beside)
  for (const [name, value] of Object.entries(headers)) all.set(name, value)
  // Else Hono would put the headers of the answer before over those of this one.
  c.res = undefined
  c.res = new Response(body, { status, headers: all })
}
