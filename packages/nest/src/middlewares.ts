// For what is no handler of Nest, such as static files or the pages of Swagger: middlewares, on Express and on Fastify.
import type { IncomingMessage, ServerResponse } from 'node:http'
import { ConfigurationError, unprotected, type Requirement } from '@countersign/core'
import {
  Requirement as RequirementClass,
  answer,
  contextOf,
  requirePlacement,
} from '@countersign/core/adapter'
import { noteAskedByPath } from './asked-by-path.ts'

/** A middleware for `app.use`, on both platforms. */
export type Middleware = (
  request: IncomingMessage & { readonly originalUrl?: string },
  response: ServerResponse,
  next: (error?: unknown) => void,
) => void

/**
 * Asks something of everything below a path: `app.use('/docs', requires(authenticated()))`. What is no handler of Nest may then answer
 * who meets it; handlers of Nest have to declare who may call them all the same, and the caller has to meet both. Throws a
 * ConfigurationError for what asks nothing: a path may be spelled in ways that nobody has thought of, so nothing is opened by one.
 */
export function requires(requirement: Requirement): Middleware {
  const floor = requirePlacement(requirement, 'requires(…)')
  if (!(floor instanceof RequirementClass)) {
    throw new ConfigurationError(
      'requires(…)',
      "expected a requirement: what everybody may call has to be a handler that says @Unprotected('why')",
    )
  }
  noteAskedByPath()
  return function countersignRequires(request, response, next) {
    const context = contextOf(request)
    if (context === undefined) next(noGuard)
    else answer(context.enter(floor, 'use (a middleware)'), response, next)
  }
}

/**
 * Serves what the guard's `resource` says of this service (RFC 9728), so that a client that was refused learns where to get a token,
 * and for which scopes: `app.use(resourceMetadata())`. Everybody may read it.
 */
export function resourceMetadata(): Middleware {
  const isPublic = unprotected('protected resource metadata, made to be read before there is a token')
  return function countersignResourceMetadata(request, response, next) {
    const context = contextOf(request)
    const metadata = context?.resourceMetadata
    if (context === undefined || metadata === undefined) {
      next(withoutResource)
      return
    }
    const [path] = (request.originalUrl ?? request.url ?? '').split('?')
    if (path !== metadata.path || !['GET', 'HEAD'].includes(request.method ?? '')) {
      next()
      return
    }
    answer(context.decide(isPublic, `GET ${metadata.path}`), response, () => {
      response.setHeader('cache-control', 'public, max-age=300')
      response.setHeader('content-type', 'application/json; charset=utf-8')
      response.end(metadata.body)
    })
  }
}

const noGuard = new ConfigurationError(
  'CountersignModule',
  'no guard saw this request: import it in the root module',
)
const withoutResource = new ConfigurationError(
  'resource',
  "nothing is known of this resource: write CountersignModule.forRoot({ resource: 'https://…', … })",
)
