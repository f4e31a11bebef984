import { fileURLToPath } from 'node:url'
import { countersign, everyRoute, tlsOptions, unprotected, type Guard } from '@countersign/fastify'
import fastifyStatic from '@fastify/static'
import fastify from 'fastify'
import { admin } from './admin.ts'
import { orders } from './orders.ts'

/** Certificate and key of the server: PEM, or paths of files, which are followed. */
export interface Identity {
  readonly cert: string
  readonly key: string
}

/** A shop that serves HTTP/2, and HTTP/1 to whoever speaks no other, and asks its clients for certificates. */
export async function createApp(guard: Guard, identity: Identity) {
  const tls = tlsOptions({ ...identity, guard })
  const app = fastify({ http2: true, https: { ...tls, allowHTTP1: true } })
  tls.applyTo(app.server)

  await app.register(countersign(guard))
  app.get('/healthz', unprotected('liveness probe, returns no data'), async () => 'ok')
  await app.register(orders, { prefix: '/orders' })
  await app.register(admin, { prefix: '/admin', guard })
  await app.register(async (files) => {
    await files.register(everyRoute(unprotected('price lists, printed in every shop')))
    await files.register(fastifyStatic, {
      root: fileURLToPath(new URL('../public', import.meta.url)),
      prefix: '/public/',
    })
  })
  return app
}
