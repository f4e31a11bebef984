// How frameworks answer for what they do not have, where no guard has a word to say. None answers as another does.
import { request } from 'node:https'
import { text } from 'node:stream/consumers'
import { Client, credentials } from '@grpc/grpc-js'

export const answersOf: Readonly<Record<string, RegExp>> = {
  Koa: /^404 Not Found$/,
  Express: /^404 <!DOCTYPE html>[^]*<pre>Cannot GET \/nowhere<\/pre>/,
  Fastify: /^404 \{"message":"Route GET:\/nowhere not found","error":"Not Found","statusCode":404\}$/,
  Nest: /^404 \{"message":"Cannot GET \/nowhere","error":"Not Found","statusCode":404\}$/,
  gRPC: /^12 The server does not implement the method \/nowhere$/,
}

/** What a service answers there: status and text. */
export const answerTo = (framework: string, origin: string, ca: string): Promise<string> =>
  framework === 'gRPC' ? overGrpc(origin, ca) : overHttp(origin, ca)

const overHttp = (origin: string, ca: string): Promise<string> =>
  new Promise((resolve, reject) => {
    request(`${origin}/nowhere`, { ca, agent: false }, (response) => {
      text(response).then((body) => resolve(`${response.statusCode} ${body}`), reject)
    })
      .once('error', reject)
      .end()
  })

const overGrpc = (origin: string, ca: string): Promise<string> =>
  new Promise((resolve) => {
    const client = new Client(new URL(origin).host, credentials.createSsl(Buffer.from(ca)))
    client.makeUnaryRequest('/nowhere', Buffer.from, Buffer.from, '', (error) => {
      client.close()
      resolve(`${error?.code} ${error?.details}`)
    })
  })
