import { ConfigurationError, unprotected } from '@countersign/core'
import { contextOf } from '@countersign/core/adapter'
import type { MiddlewareHandler } from 'hono'
import { proceed } from './proceed.ts'

/**
 * Serves what the guard's `resource` says of this service (RFC 9728), so that a client that was refused learns where to get a
 * token, and for which scopes: `app.use(resourceMetadata())`, after `countersign()`. Everybody may read it.
 */
export function resourceMetadata(): MiddlewareHandler {
  const isPublic = unprotected('protected resource metadata, made to be read before there is a token')
  return async function countersignResourceMetadata(c, next) {
    const context = contextOf(c)
    const metadata = context?.resourceMetadata
    if (context === undefined || metadata === undefined) throw withoutResource()
    const isAsked = c.req.url.includes(metadata.path) && new URL(c.req.url).pathname === metadata.path
    if (!isAsked || !['GET', 'HEAD'].includes(c.req.method)) return next()
    const decision = context.decide(isPublic, `GET ${metadata.path}`)
    return proceed(c, decision, () =>
      c.body(metadata.body, 200, {
        'cache-control': 'public, max-age=300',
        'content-type': 'application/json',
      }),
    )
  }
}

const withoutResource = (): ConfigurationError =>
  new ConfigurationError(
    'resource',
    "nothing is known of this resource: write countersign({ resource: 'https://…', … }) before resourceMetadata()",
  )
