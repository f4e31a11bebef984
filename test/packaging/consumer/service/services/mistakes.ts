// Compiled, never run: what must not compile with any release of a framework.
import * as express from '@countersign/express'
import * as fastify from '@countersign/fastify'
import * as grpc from '@countersign/grpc'
import * as hono from '@countersign/hono'
import * as koa from '@countersign/koa'
import * as nest from '@countersign/nest'
import * as nodeHttp from '@countersign/node-http'
import * as ws from '@countersign/ws'

const withoutAudience = { issuers: ['https://idp.internal'] } as const
export const guards: readonly (() => unknown)[] = [
  // @ts-expect-error -- with issuers, an audience is required
  () => express.countersign(withoutAudience),
  // @ts-expect-error
  () => fastify.countersign(withoutAudience),
  // @ts-expect-error
  () => grpc.countersign(withoutAudience),
  // @ts-expect-error
  () => hono.countersign(withoutAudience),
  // @ts-expect-error
  () => koa.countersign(withoutAudience),
  // @ts-expect-error
  () => nest.CountersignModule.forRoot(withoutAudience),
  // @ts-expect-error
  () => nodeHttp.countersign(withoutAudience),
  // @ts-expect-error
  () => ws.createGuard(withoutAudience),
]

export const declarations: readonly (() => unknown)[] = [
  // @ts-expect-error -- a word is no requirement
  () => express.requires('orders:read'),
  // @ts-expect-error
  () => fastify.requires('orders:read'),
  // @ts-expect-error
  () => grpc.requires('orders:read'),
  // @ts-expect-error
  () => hono.requires('orders:read'),
  // @ts-expect-error
  () => koa.requires('orders:read'),
  // @ts-expect-error
  () => nest.requires('orders:read'),
  // @ts-expect-error
  () => nodeHttp.requires('orders:read'),
]
