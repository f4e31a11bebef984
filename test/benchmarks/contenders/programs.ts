// What services write at their start, up to the point at which routes are registered: Express itself is the same for all.

/** A program, and the packages that a service installs for it. */
export interface Program {
  readonly name: string
  readonly packages: readonly string[]
  readonly text: string
}

const known = `audience: 'https://orders.internal', issuers: ['https://idp.internal']`

export const countersignPrograms = (roots: string): readonly Program[] => [
  {
    name: 'Countersign for Express, tokens',
    packages: ['@countersign/express'],
    text: `const { countersign, requireScopes } = await import('@countersign/express')
      countersign({ ${known} })
      requireScopes('orders:read')`,
  },
  {
    name: 'Countersign for Express, tokens and certificates',
    packages: ['@countersign/express'],
    text: `const { countersign, requireScopes } = await import('@countersign/express')
      const issuers = [{ issuer: 'https://idp.internal', represents: 'user' }]
      const certificates = { trustDomains: { 'shop.example': ${JSON.stringify(roots)} } }
      countersign({ audience: 'https://orders.internal', issuers, certificates })
      requireScopes('orders:read')`,
  },
]

export const peerPrograms: readonly Program[] = [
  {
    name: 'express-oauth2-jwt-bearer',
    packages: ['express-oauth2-jwt-bearer'],
    text: `const { auth, requiredScopes } = (await import('express-oauth2-jwt-bearer')).default
      auth({ issuerBaseURL: 'https://idp.internal', audience: 'https://orders.internal' })
      requiredScopes('orders:read')`,
  },
  {
    name: 'express-jwt + jwks-rsa',
    packages: ['express-jwt', 'jwks-rsa'],
    text: `const { expressjwt } = await import('express-jwt')
      const { default: jwks } = await import('jwks-rsa')
      const secret = jwks.expressJwtSecret({ jwksUri: 'https://idp.internal/jwks', cache: true })
      expressjwt({ secret, audience: 'https://orders.internal', issuer: 'https://idp.internal', algorithms: ['RS256'] })`,
  },
  {
    name: 'koa-jwt + jwks-rsa',
    packages: ['koa-jwt', 'jwks-rsa'],
    text: `const { default: jwt } = await import('koa-jwt')
      const { default: jwks } = await import('jwks-rsa')
      const secret = jwks.koaJwtSecret({ jwksUri: 'https://idp.internal/jwks', cache: true })
      jwt({ secret, audience: 'https://orders.internal', issuer: 'https://idp.internal', algorithms: ['RS256'] })`,
  },
  {
    name: 'passport-jwt + passport + jwks-rsa',
    packages: ['passport', 'passport-jwt', 'jwks-rsa'],
    text: `const { default: passport } = await import('passport')
      const { default: jwt } = await import('passport-jwt')
      const { default: jwks } = await import('jwks-rsa')
      passport.use(new jwt.Strategy({
        jwtFromRequest: jwt.ExtractJwt.fromAuthHeaderAsBearerToken(),
        secretOrKeyProvider: jwks.passportJwtSecret({ jwksUri: 'https://idp.internal/jwks', cache: true }),
      }, () => {}))`,
  },
  {
    name: '@fastify/jwt',
    packages: ['@fastify/jwt'],
    text: `await import('@fastify/jwt')`,
  },
  {
    name: 'fast-jwt',
    packages: ['fast-jwt'],
    text: `const { createVerifier } = await import('fast-jwt')
      createVerifier({ key: async () => '', cache: true })`,
  },
  {
    name: 'aws-jwt-verify',
    packages: ['aws-jwt-verify'],
    text: `const { JwtVerifier } = await import('aws-jwt-verify')
      JwtVerifier.create({ issuer: 'https://idp.internal', audience: 'orders', jwksUri: 'https://idp.internal/jwks' })`,
  },
  {
    name: 'jsonwebtoken',
    packages: ['jsonwebtoken'],
    text: `await import('jsonwebtoken')`,
  },
  {
    name: 'hono/jwk',
    packages: ['hono'],
    text: `const { jwk } = await import('hono/jwk')
      jwk({ jwks_uri: 'https://idp.internal/jwks', alg: ['RS256'] })`,
  },
]

export const jose: Program = {
  name: 'jose',
  packages: ['jose'],
  text: `await import('jose')`,
}
