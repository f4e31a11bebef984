import { Caller, RequireScopes } from '@countersign/nest'
import { Controller, Delete, Get, HttpCode, NotFoundException, Param } from '@nestjs/common'

interface Order {
  readonly id: string
  readonly item: string
}

/** What each of its routes asks at least; a method only adds to it. */
@Controller('orders')
@RequireScopes('orders:read')
export class Orders {
  readonly #orders = new Map<string, Order>([['1', { id: '1', item: 'lamp' }]])

  @Get(':id')
  find(@Param('id') id: string, @Caller() caller: Caller): object {
    const order = this.#orders.get(id)
    if (order === undefined) throw new NotFoundException()
    return { ...order, calledBy: caller.id }
  }

  @Delete(':id')
  @HttpCode(204)
  @RequireScopes('orders:write')
  remove(@Param('id') id: string): void {
    this.#orders.delete(id)
  }
}
