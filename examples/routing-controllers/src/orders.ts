// The verbs and parameters are those of routing-controllers; who may call is said by Countersign.
import { AllowUnprotected, RequireScopes, Unprotected } from '@countersign/decorators'
import type { Request } from 'express'
import { Body, Get, HttpCode, JsonController, Param, Post, Req } from 'routing-controllers'

/** What every store of this shop offers. */
@RequireScopes('orders:read')
@AllowUnprotected()
abstract class Store {
  @Get('/probes/live')
  @Unprotected('liveness probe, returns no data')
  live(): object {
    return { live: true }
  }

  @Get('/:id')
  find(@Param('id') id: string, @Req() request: Request): object {
    return { id, calledBy: request.caller.id }
  }
}

@JsonController('/orders')
export class Orders extends Store {
  @Post()
  @HttpCode(201)
  @RequireScopes('orders:write')
  create(@Body() order: unknown, @Req() request: Request): object {
    return { order, calledBy: request.caller.id }
  }

  // What the base class asks holds for the override. The parameters are said again: routing-controllers forgets those.
  override find(@Param('id') id: string, @Req() request: Request): object {
    return { id, shop: 'corner shop', calledBy: request.caller.id }
  }
}

@JsonController('/reports')
export class Reports {
  // Somebody forgot to say who may call this.
  @Get()
  list(): object {
    return { turnover: 'SECRET' }
  }
}
