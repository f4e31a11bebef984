import { everyRoute, formatCensus, requireScopes, type Guard } from '@countersign/fastify'
import type { FastifyInstance } from 'fastify'

/** What only administrators may see. The floor holds for every route that is ever added here. */
export async function admin(app: FastifyInstance, { guard }: { readonly guard: Guard }): Promise<void> {
  await app.register(everyRoute(requireScopes('admin:read')))

  app.get('/routes', async () => formatCensus(guard.census()))
}
