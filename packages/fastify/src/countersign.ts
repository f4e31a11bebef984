import type { Caller, Decision, GuardOptions } from '@countersign/core'
import {
  Refusal,
  answer,
  attachContext,
  contextOf,
  installLatch,
  registerMounter,
  requireCaller,
  requireGuard,
  type Guard,
} from '@countersign/core/adapter'
import type { FastifyPluginCallback, FastifyReply, FastifyRequest, onRequestHookHandler } from 'fastify'
import { applicationOf, watch } from './application.ts'
import { contextPlugin } from './context-plugin.ts'
import { standBefore, twoGuards } from './contexts.ts'
import { routeOf } from './declared-route.ts'
import { fastifyMounter } from './mount.ts'

declare module 'fastify' {
  interface FastifyRequest {
    /** Who calls, verified. Throws `caller_unavailable` where the route has no caller. */
    readonly caller: Caller
  }
}

/**
 * Puts an application behind a guard: `await app.register(countersign({ audience, issuers }))`. It stands before every route of the
 * context that it is registered in, and of all below: each is decided when Fastify has chosen it, before anything else of it runs. Takes
 * the guard's options, or a guard that is shared. Throws a ConfigurationError that names a wrong option.
 */
export function countersign(optionsOrGuard: GuardOptions | Guard): FastifyPluginCallback {
  const guard = requireGuard(optionsOrGuard)
  registerMounter(fastifyMounter)
  return contextPlugin('countersign', (context) => {
    if (!standBefore(context, guard)) return
    const application = applicationOf(context) ?? watch(context)
    application.guards.add(guard)
    context.decorateRequest('caller', {
      getter() {
        return requireCaller(this)
      },
    })
    context.addHook('onRequest', gateOf(guard))
  })
}

/** Decides for the route that Fastify has chosen. It is chosen by then, and nothing of the body was read. */
function gateOf(guard: Guard): onRequestHookHandler {
  return function countersignGate(request, reply, done) {
    const { raw } = request
    const known = contextOf(raw)
    if (known !== undefined && !guard.hasOpened(known)) return done(twoGuards())
    // The same guard may stand in two contexts, one in the other.
    if (contextOf(request) !== undefined) return done()
    const context = known ?? guard.admit(raw)
    attachContext(request, context)
    if (known === undefined) {
      attachContext(raw, context)
      installLatch(reply.raw)
    }
    const route = routeOf(request)
    // Nothing to be decided: Fastify answers that there is no such route, or a hook a browser's question.
    if (request.is404 || route?.isPlainPreflight(context) === true) return done()
    const decision =
      route === undefined ? context.refuse(unseen, nameOf(request)) : route.decide(context, request)
    return settle(decision, reply, done)
  }
}

function settle(
  decision: Decision | Promise<Decision>,
  reply: FastifyReply,
  done: (error?: Error) => void,
): void {
  if (decision instanceof Promise) {
    decision.then((known) => settle(known, reply, done)).catch(done)
    return
  }
  if (decision.outcome === 'deny') {
    // What hooks before the guard have set, such as CORS headers, without which a browser could not read the refusal.
    for (const [name, value] of Object.entries(reply.getHeaders())) {
      if (value !== undefined) reply.raw.setHeader(name, value)
    }
    // From here on no hook and no error handler can make something else of it; `onResponse` runs as ever.
    reply.hijack()
  }
  answer(decision, reply.raw, (error) => done(error as Error | undefined)) // nothing but errors is passed on
}

const nameOf = ({ routeOptions: { method, url = '' } }: FastifyRequest): string =>
  `${[method].flat().join('|')} ${url}`

const unseen = new Refusal('declaration_misplaced', {
  expected: 'a route that was registered when its application was watched',
  actual: 'one that nobody has seen, or whose `config` was replaced',
  advice: "import '@countersign/fastify' before fastify() is called, or register the guard before its routes",
})
