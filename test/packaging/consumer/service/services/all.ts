// Starts the services one after the other and prints what each answered. The process then has to end by itself: nothing that a guard
// started may keep it.
import { createTestIssuer } from '@countersign/testing'
import { answersOf } from './answers.js'
import * as express from './express.js'
import * as fastify from './fastify.js'
import * as grpc from './grpc.js'
import * as hono from './hono.js'
import * as koa from './koa.js'
import * as nest from './nest.js'
import * as nodeHttp from './node-http.js'
import * as ws from './ws.js'

async function main(): Promise<void> {
  const issuer = await createTestIssuer()
  const answers = {
    express: await answersOf(await express.listen(issuer), issuer),
    koa: await answersOf(await koa.listen(issuer), issuer),
    fastify: await answersOf(await fastify.listen(issuer), issuer),
    hono: await answersOf(await hono.listen(issuer), issuer),
    'node-http': await answersOf(await nodeHttp.listen(issuer), issuer),
    nest: await answersOf(await nest.listen(issuer), issuer),
    ws: await ws.answers(issuer),
    grpc: await grpc.answers(issuer),
  }
  console.log(JSON.stringify(answers))
}

void main()
