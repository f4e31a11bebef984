import type { IncomingMessage, ServerResponse } from 'node:http'
import { ConfigurationError } from '@countersign/core'
import type { Guard } from '@countersign/core/adapter'
import type { AbstractHttpAdapter } from '@nestjs/core'
import { admit } from './http.ts'

type Done = (error?: unknown) => void

/** As much of a Fastify instance as is needed. */
interface Fastify {
  addHook(
    name: 'onRequest',
    hook: (request: { raw: IncomingMessage }, reply: { raw: ServerResponse }, done: Done) => void,
  ): unknown
  /** There as soon as the plugin is that runs middlewares, in a hook of its own. */
  use?(middleware: (request: IncomingMessage, response: ServerResponse, next: Done) => void): unknown
}

/**
 * Puts a guard before everything that an application answers: what is no handler of Nest, too. Nothing is decided here. Throws a
 * ConfigurationError on a platform that is not known.
 */
export function installOn(adapter: AbstractHttpAdapter, guard: Guard): void {
  function countersign(request: IncomingMessage, response: ServerResponse, next: Done): void {
    try {
      admit(request, response, guard)
    } catch (error) {
      next(error)
      return
    }
    next()
  }
  const platform = adapter.getType()
  if (platform === 'express') adapter.use(countersign)
  else if (platform === 'fastify') {
    const fastify = adapter.getInstance<Fastify>()
    // The hook that runs middlewares may stand already, and would go first.
    fastify.use?.(countersign)
    fastify.addHook('onRequest', ({ raw }, reply, done) => countersign(raw, reply.raw, done))
  } else {
    throw new ConfigurationError(
      'CountersignModule',
      'expected @nestjs/platform-express or @nestjs/platform-fastify, got another HTTP adapter: with it, nobody could keep back what is no handler of Nest',
    )
  }
}
