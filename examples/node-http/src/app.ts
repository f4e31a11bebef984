import {
  countersign,
  requireScopes,
  unprotected,
  type Guard,
  type GuardedService,
} from '@countersign/node-http'
import type { IncomingMessage, RequestListener, ServerResponse } from 'node:http'

/** A stock of goods. Each route has a name, under which the census and policy documents know it. */
export function createStock(guard: Guard): {
  readonly service: GuardedService
  readonly listener: RequestListener
} {
  const service = countersign(guard)
  const stock = new Map([['tea', 12]])

  const routes = {
    live: service.route(
      'GET /healthz',
      unprotected('liveness probe, returns no data'),
      (_request, response) => {
        response.end('ok')
      },
    ),
    read: service.route('GET /stock/:article', requireScopes('stock:read'), (request, response) => {
      const article = articleOf(request)
      sendJson(response, { article, left: stock.get(article) ?? 0, readBy: request.caller.id })
    }),
    take: service.route(
      'POST /stock/:article',
      requireScopes('stock:read', 'stock:take'),
      (request, response) => {
        const article = articleOf(request)
        const left = (stock.get(article) ?? 0) - 1
        if (left < 0) {
          response.writeHead(409).end()
          return
        }
        stock.set(article, left)
        sendJson(response, { article, left, takenBy: request.caller.id })
      },
    ),
    // Somebody forgot to say who may call this: it is refused.
    reset: service.route('DELETE /stock', (_request, response) => {
      stock.clear()
      response.end()
    }),
  }

  const listener = service.listener((request, response) => {
    const { url = '/', method } = request
    if (url === '/healthz') return routes.live(request, response)
    if (url === '/stock') return routes.reset(request, response)
    if (!/^\/stock\/[a-z]+$/.test(url)) return response.writeHead(404).end()
    const params = { article: articleOf(request) }
    return method === 'POST' ? routes.take(request, response, params) : routes.read(request, response, params)
  })
  return { service, listener }
}

const articleOf = ({ url = '' }: IncomingMessage): string => url.slice('/stock/'.length)

function sendJson(response: ServerResponse, content: object): void {
  response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify(content))
}
