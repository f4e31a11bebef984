import {
  AllowUnprotected,
  Controller,
  Get,
  Post,
  RequireScopes,
  Unprotected,
  mount,
} from '@countersign/decorators'
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'

@Controller('/orders')
@RequireScopes('orders:read')
@AllowUnprotected()
class Orders {
  readonly #shop = 'live'

  @Get('/:id') async find(request: FastifyRequest): Promise<object> {
    return { id: (request.params as { id: string }).id, calledBy: request.caller.id } // Fastify's router gives texts
  }

  @Post('/') @RequireScopes('orders:write') create(_request: FastifyRequest, reply: FastifyReply): void {
    void reply.code(201).send('created')
  }

  @Get('/probes/live') @Unprotected('liveness probe') live(
    _request: FastifyRequest,
    reply: FastifyReply,
  ): void {
    void reply.send(this.#shop)
  }
}

export function mountOrders(app: FastifyInstance): void {
  mount(app, new Orders())
}
