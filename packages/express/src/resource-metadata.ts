import { ConfigurationError, unprotected } from '@countersign/core'
import { answer, contextOf } from '@countersign/core/adapter'
import type { RequestHandler } from 'express'

/**
 * Serves what the guard's `resource` says of this service (RFC 9728), so that a client that was refused learns where to get a
 * token, and for which scopes: `app.use(resourceMetadata())`, after `countersign()`. Everybody may read it.
 */
export function resourceMetadata(): RequestHandler {
  const isPublic = unprotected('protected resource metadata, made to be read before there is a token')
  return function countersignResourceMetadata(request, response, next) {
    const context = contextOf(request)
    const metadata = context?.resourceMetadata
    if (context === undefined || metadata === undefined) {
      next(withoutResource)
      return
    }
    if (request.path !== metadata.path || !['GET', 'HEAD'].includes(request.method)) {
      next()
      return
    }
    answer(context.decide(isPublic, `GET ${metadata.path}`), response, () => {
      response.setHeader('cache-control', 'public, max-age=300')
      response.type('application/json').send(metadata.body)
    })
  }
}

const withoutResource = new ConfigurationError(
  'resource',
  "nothing is known of this resource: write countersign({ resource: 'https://…', … }) before resourceMetadata()",
)
