import { countersign, requireScopes } from '@countersign/express'
import express, { type ErrorRequestHandler, type RequestHandler } from 'express'
import { expressjwt } from 'express-jwt'
import { auth } from 'express-oauth2-jwt-bearer'
import jwksRsa from 'jwks-rsa'
import passport from 'passport'
import { ExtractJwt, Strategy } from 'passport-jwt'
import { audience, issuer } from '../tokens.ts'
import type { Framework, Serve, Trust } from './contract.ts'
import { bearer, guardOf, order, refuseWith401 } from './service.ts'

const answer: RequestHandler = (_request, response) => void response.json(order)
const onError: ErrorRequestHandler = (_error, _request, response, _next) => refuseWith401(response)

const behind =
  (middlewares: (trust: Trust) => readonly RequestHandler[]): Serve =>
  (trust) => {
    const app = express()
    for (const middleware of middlewares(trust)) app.use(middleware)
    app.get('/orders/:id', answer)
    app.use(onError)
    return app
  }

export const served: Framework = {
  contenders: {
    bare: behind(() => []),
    Countersign(trust) {
      const app = express()
      app.use(countersign(guardOf(trust)))
      app.get('/orders/:id', requireScopes('orders:read'), answer)
      return app
    },
    'express-oauth2-jwt-bearer': behind(({ jwksUri }) => [
      auth({ issuer, audience, jwksUri, tokenSigningAlg: 'RS256' }),
    ]),
    'express-jwt + jwks-rsa': behind(({ jwksUri }) => [
      expressjwt({
        secret: jwksRsa.expressJwtSecret({ jwksUri, cache: true }),
        issuer,
        audience,
        algorithms: ['RS256'],
      }),
    ]),
    'passport-jwt + jwks-rsa': behind(({ jwksUri }) => {
      const strategy = new Strategy(
        {
          secretOrKeyProvider: jwksRsa.passportJwtSecret({ jwksUri, cache: true }),
          jwtFromRequest: ExtractJwt.fromAuthHeaderAsBearerToken(),
          issuer,
          audience,
          algorithms: ['RS256'],
        },
        (claims: object, done: (error: unknown, user: object) => void) => done(null, claims),
      )
      passport.use('jwt', strategy)
      return [passport.authenticate('jwt', { session: false }) as RequestHandler] // its types know no more
    }),
  },
  with: (verify) =>
    behind(() => [
      (request, _response, next) => {
        void (async () => verify(bearer(request)))().then(() => next(), next)
      },
    ]),
}
