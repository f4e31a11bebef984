import { once } from 'node:events'
import { request } from 'node:https'
import { Caller, CountersignModule, Requires, callerIs, createGuard, tlsOptions } from '@countersign/nest'
import { createTestCa } from '@countersign/testing'
import { Controller, Get, Module } from '@nestjs/common'
import type { HttpsOptions } from '@nestjs/common/interfaces/external/https-options.interface.js'
import { NestFactory } from '@nestjs/core'
import { ExpressAdapter } from '@nestjs/platform-express'
import { FastifyAdapter } from '@nestjs/platform-fastify'
import { expect, test } from 'vitest'

@Controller('who')
class Who {
  @Get()
  @Requires(callerIs('spiffe://test.example/*'))
  who(@Caller() caller: Caller): string {
    return caller.id
  }
}

test.each(['express', 'fastify'])(
  'client certificates are those of the connection, on %s',
  async (platform) => {
    const ca = await createTestCa()
    const services = await createTestCa({ name: 'CA of the services' })
    const { cert, key } = await services.serverCertificate(['localhost'])
    const checkout = await ca.svid('/checkout')
    const guard = createGuard({ certificates: { trustDomains: { 'test.example': ca.bundle } }, log: false })
    const tls = tlsOptions({ cert, key, guard })
    class Root {}
    Module({ imports: [CountersignModule.forRoot(guard)], controllers: [Who] })(Root)
    const app = await NestFactory.create(
      Root,
      platform === 'express' ? new ExpressAdapter() : new FastifyAdapter({ https: tls }),
      {
        logger: false,
        abortOnError: false,
        ...(platform === 'express' ? { httpsOptions: tls as HttpsOptions } : {}),
      },
    )
    tls.applyTo(app.getHttpServer())
    await app.listen(0, '127.0.0.1')
    const { port } = app.getHttpServer().address()
    const ask = async (identity: { cert?: string; key?: string } = {}): Promise<unknown> => {
      const options = { host: '127.0.0.1', port, servername: 'localhost', path: '/who', agent: false }
      const sent = request({ ...options, ca: services.bundle, ...identity }).end()
      const [response] = await once(sent, 'response')
      const body = Buffer.concat(await response.toArray()).toString()
      return { status: response.statusCode, body }
    }
    expect(await ask()).toMatchObject({ status: 403 })
    const { cert: leaf, key: leafKey } = checkout
    expect(await ask({ cert: leaf, key: leafKey })).toEqual({ status: 200, body: checkout.spiffeId })
    app.getHttpServer().closeAllConnections()
    await app.close()
    guard.close()
  },
)
