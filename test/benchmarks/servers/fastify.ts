import jwt from '@fastify/jwt'
import { countersign, requireScopes } from '@countersign/fastify'
import fastify, { type FastifyInstance, type onRequestHookHandler } from 'fastify'
import type { RequestListener } from 'node:http'
import { audience, issuer } from '../tokens.ts'
import type { Framework, Serve } from './contract.ts'
import { bearer, guardOf, order } from './service.ts'

const answer = (): typeof order => order

const listenerOf = async (app: FastifyInstance): Promise<RequestListener> => {
  await app.ready()
  return (request, response) => app.routing(request, response)
}

const behind = (hook: onRequestHookHandler): Promise<RequestListener> => {
  const app = fastify()
  app.get('/orders/:id', { onRequest: hook }, answer)
  return listenerOf(app)
}

const fastifyJwt =
  (cache: number | false): Serve =>
  async ({ keys: { publicKey } }) => {
    const app = fastify()
    const key = publicKey.export({ type: 'spki', format: 'pem' }).toString()
    await app.register(jwt, {
      secret: { public: key },
      verify: { algorithms: ['RS256'], allowedIss: issuer, allowedAud: audience, cache },
    })
    const hook: onRequestHookHandler = async (request) => {
      await request.jwtVerify()
    }
    app.get('/orders/:id', { onRequest: hook }, answer)
    return listenerOf(app)
  }

export const served: Framework = {
  contenders: {
    bare() {
      const app = fastify()
      app.get('/orders/:id', answer)
      return listenerOf(app)
    },
    async Countersign(trust) {
      const app = fastify()
      await app.register(countersign(guardOf(trust)))
      app.get('/orders/:id', requireScopes('orders:read'), answer)
      return listenerOf(app)
    },
    '@fastify/jwt, cache': fastifyJwt(10_000),
    '@fastify/jwt, no cache': fastifyJwt(false),
  },
  with: (verify) => () =>
    behind(async (request, reply) => {
      try {
        await verify(bearer(request))
      } catch {
        await reply.code(401).send()
      }
    }),
}
