import { CountersignModule, guardGateways, type Guard } from '@countersign/nest'
import { Module, type INestApplication } from '@nestjs/common'
import { NestFactory } from '@nestjs/core'
import { FastifyAdapter } from '@nestjs/platform-fastify'
import { WsAdapter } from '@nestjs/platform-ws'
import { Feed } from './feed.ts'
import { Orders } from './orders.ts'
import { Shop } from './shop.ts'

/** The service, behind a guard that is made elsewhere: tests give it another one than production does. */
export async function createApp(guard: Guard): Promise<INestApplication> {
  @Module({
    imports: [CountersignModule.forRoot(guard)],
    controllers: [Orders, Shop],
    providers: [Feed],
  })
  class OrderService {}
  const app = await NestFactory.create(OrderService, new FastifyAdapter(), {
    logger: false,
    abortOnError: false,
  })
  return app.useWebSocketAdapter(guardGateways(app, new WsAdapter(app)))
}
