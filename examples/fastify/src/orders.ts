import { requireScopes } from '@countersign/fastify'
import type { FastifyInstance } from 'fastify'

interface Order {
  readonly article: string
  readonly orderedBy: string
}

/** The orders of this shop. Who may call stands at each route. */
export async function orders(app: FastifyInstance): Promise<void> {
  const kept = new Map<string, Order>()

  app.get<{ Params: { id: string } }>('/:id', requireScopes('orders:read'), async ({ params }, reply) => {
    return kept.get(params.id) ?? reply.callNotFound()
  })

  app.post<{ Body: { article: string } }>(
    '/',
    {
      ...requireScopes('orders:write'),
      schema: {
        body: { type: 'object', required: ['article'], properties: { article: { type: 'string' } } },
      },
    },
    async ({ body, caller }, reply) => {
      const id = String(kept.size + 1)
      kept.set(id, { article: body.article, orderedBy: caller.id })
      return reply.code(201).send({ id })
    },
  )
}
