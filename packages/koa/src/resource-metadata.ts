import { ConfigurationError, unprotected } from '@countersign/core'
import { contextOf } from '@countersign/core/adapter'
import type { Middleware } from 'koa'
import { answer } from './answering.ts'

/**
 * Serves what the guard's `resource` says of this service (RFC 9728), so that a client that was refused learns where to get a
 * token, and for which scopes: `app.use(resourceMetadata())`, after `countersign()`. Everybody may read it.
 */
export function resourceMetadata(): Middleware {
  const isPublic = unprotected('protected resource metadata, made to be read before there is a token')
  return function countersignResourceMetadata(context, next) {
    const access = contextOf(context.req)
    const metadata = access?.resourceMetadata
    if (access === undefined || metadata === undefined) throw withoutResource
    if (context.path !== metadata.path || !['GET', 'HEAD'].includes(context.method)) return next()
    return answer(access.decide(isPublic, `GET ${metadata.path}`), context, () => {
      context.set('cache-control', 'public, max-age=300')
      context.type = 'application/json'
      context.body = metadata.body
    })
  }
}

const withoutResource = new ConfigurationError(
  'resource',
  "nothing is known of this resource: write countersign({ resource: 'https://…', … }) before resourceMetadata()",
)
