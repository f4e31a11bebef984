import { ConfigurationError } from '@countersign/core'
import type { FastifyPluginCallback } from 'fastify'
import { contextPlugin } from './context-plugin.ts'
import { guardOf } from './contexts.ts'
import { unprotected } from './declarations.ts'

/**
 * Serves what the guard's `resource` says of this service (RFC 9728), so that a client that was refused learns where to get a
 * token, and for which scopes: `app.register(resourceMetadata())`, after `countersign()`. Everybody may read it.
 */
export function resourceMetadata(): FastifyPluginCallback {
  const isPublic = unprotected('protected resource metadata, made to be read before there is a token')
  return contextPlugin('countersign-resource-metadata', (context) => {
    const metadata = guardOf(context)?.resourceMetadata
    if (metadata === undefined) throw withoutResource
    if (context.prefix !== '') throw belowPrefix
    context.get(metadata.path, isPublic, (_request, reply) =>
      reply.header('cache-control', 'public, max-age=300').type('application/json').send(metadata.body),
    )
  })
}

const withoutResource = new ConfigurationError(
  'resource',
  "nothing is known of this resource: register countersign({ resource: 'https://…', … }) before resourceMetadata()",
)
// RFC 9728 §3.1: the well-known name comes first in the path.
const belowPrefix = new ConfigurationError('resource', 'register resourceMetadata() where there is no prefix')
