import { subscribe } from 'node:diagnostics_channel'
import type { FastifyInstance } from 'fastify'
import { guardOf } from './contexts.ts'
import { DeclaredRoute } from './declared-route.ts'
import { seal, type Application } from './seal.ts'

const applications = new WeakMap<object, Application>()

/** The application that a context belongs to. */
export function applicationOf(context: FastifyInstance): Application | undefined {
  for (let each: object | null = context; each !== null; each = Object.getPrototypeOf(each)) {
    const application = applications.get(each)
    if (application !== undefined) return application
  }
  return undefined
}

/** Follows which routes are registered in a context and in those below it, and checks them when the application is ready. */
export function watch(context: FastifyInstance): Application {
  const routes: DeclaredRoute[] = []
  const hasUnseenRoutes = context.printRoutes() !== '(empty tree)'
  const application: Application = { routes, guards: new Set(), hasUnseenRoutes }
  applications.set(context, application)
  context.addHook('onRoute', function (options) {
    const route = new DeclaredRoute(this, options, routes)
    // Where a guard comes later, this is done when the application is ready.
    if (guardOf(this) !== undefined) route.declarations()
    routes.push(route)
  })
  context.addHook('onReady', (done) => {
    seal(application)
    done()
  })
  return application
}

// Fastify tells of every application that is made. So routes are known that are registered before the guard is, as all of them are
// where `register` is not awaited.
subscribe('fastify.initialization', (message) => {
  const { fastify } = message as { readonly fastify: FastifyInstance } // as Fastify documents
  watch(fastify)
})
