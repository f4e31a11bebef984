import { ConfigurationError, unprotected } from '@countersign/core'
import { answer, contextOf } from '@countersign/core/adapter'
import { asServerResponse, type Middleware } from './messages.ts'

/**
 * Serves what the guard's `resource` says of this service (RFC 9728), so that a client that was refused learns where to get a token, and
 * for which scopes: `app.use(resourceMetadata())` behind the guard, or before a dispatch of your own:
 * `metadata(request, response, () => app(request, response))`. Everybody may read it.
 */
export function resourceMetadata(): Middleware {
  const isPublic = unprotected('protected resource metadata, made to be read before there is a token')
  return function countersignResourceMetadata(request, response, next) {
    const context = contextOf(request)
    const metadata = context?.resourceMetadata
    if (context === undefined || metadata === undefined) return next(withoutResource)
    // Connect cuts the path at which something is mounted off `url`.
    const { originalUrl = request.url } = request as { readonly originalUrl?: string }
    const [path] = originalUrl?.split('?') ?? []
    const isAsked = path === metadata.path && (request.method === 'GET' || request.method === 'HEAD')
    if (!isAsked) return next()
    const answered = asServerResponse(response)
    return answer(context.decide(isPublic, `GET ${metadata.path}`), answered, () => {
      answered
        .writeHead(200, { 'content-type': 'application/json', 'cache-control': 'public, max-age=300' })
        .end(metadata.body)
    })
  }
}

const withoutResource = new ConfigurationError(
  'resource',
  "nothing is known of this resource: write countersign({ resource: 'https://…', … }) before resourceMetadata()",
)
