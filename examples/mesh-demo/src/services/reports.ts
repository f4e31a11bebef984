import 'reflect-metadata'
import { join } from 'node:path'
import { Caller, CountersignModule, RequireScopes, createGuard, tlsOptions } from '@countersign/nest'
import { policyDocument } from '@countersign/policy'
import { Controller, Get, Module, Param, Post } from '@nestjs/common'
import { NestFactory } from '@nestjs/core'
import { FastifyAdapter } from '@nestjs/platform-fastify'
import { audienceOf } from '../workloads.ts'
import { runService } from './run-service.ts'

/** What each of its routes asks at least; a method only adds to it. */
@Controller('sales')
@RequireScopes('sales:read')
class Sales {
  @Get(':sku')
  find(@Param('sku') sku: string, @Caller() caller: Caller): object {
    return { sku, sold: 7, calledBy: caller.id }
  }

  @Post()
  @RequireScopes('sales:write')
  add(@Caller() caller: Caller): object {
    return { sku: 'tea', sold: 8, calledBy: caller.id }
  }
}

runService(async ({ house, certificate }) => {
  const guard = createGuard({
    ...house,
    audience: audienceOf('reports'),
    policy: policyDocument(join(import.meta.dirname, 'reports.policy.yaml')),
  })
  @Module({ imports: [CountersignModule.forRoot(guard)], controllers: [Sales] })
  class Reports {}

  const tls = tlsOptions({ ...certificate, guard })
  const app = await NestFactory.create(Reports, new FastifyAdapter({ https: tls }), {
    logger: false,
    abortOnError: false,
  })
  tls.applyTo(app.getHttpServer())
  await app.init()
  await app.getHttpAdapter().getInstance().ready()
  return { guard, server: app.getHttpServer() }
})
