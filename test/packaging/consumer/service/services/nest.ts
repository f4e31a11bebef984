import 'reflect-metadata'
import { Caller, CountersignModule, RequireScopes, Unprotected, callerOf } from '@countersign/nest'
import type { TestIssuer } from '@countersign/testing'
import { Controller, Get, Module, Param, Req } from '@nestjs/common'
import { NestFactory } from '@nestjs/core'
import type { Server } from 'node:net'

@Controller('orders')
@RequireScopes('orders:read')
class OrdersController {
  @Get(':id')
  find(@Param('id') order: string, @Caller() { id: caller }: Caller, @Req() request: object): object {
    const again: string | undefined = callerOf(request)?.id
    return { caller, again, order }
  }
}

@Controller()
class HealthController {
  @Get('healthz')
  @Unprotected('liveness probe, returns no data')
  live(): string {
    return 'ok'
  }
}

export async function listen(issuer: TestIssuer): Promise<Server> {
  @Module({
    imports: [CountersignModule.forRoot({ audience: 'orders', issuers: [issuer], log: false })],
    controllers: [OrdersController, HealthController],
  })
  class AppModule {}

  const app = await NestFactory.create(AppModule, { logger: false, abortOnError: false })
  await app.listen(0)
  return app.getHttpServer()
}
