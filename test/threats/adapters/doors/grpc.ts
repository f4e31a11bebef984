// A method of gRPC, called over HTTP/2 itself: a client of gRPC would not send what attackers do.
import { once } from 'node:events'
import { connect } from 'node:http2'
import { callerOf, countersign, protect } from '@countersign/grpc'
import { Server } from '@grpc/grpc-js'
import { everywhere } from '../../../grpc/orders-server.ts'
import { OrdersService, addOrders, notingHandlers } from '../../../grpc/orders-service.ts'
import { ServedServer } from '../../../grpc/served-server.ts'
import { withCode, type Asked, type Door, type Field, type Seen } from '../door.ts'
import { grouped } from './http.ts'

export const grpcDoor: Door = {
  name: 'grpc-js 1.14',
  adapter: '@countersign/grpc',
  target: { method: 'POST', path: OrdersService.get.path },
  async open(guard, placement) {
    const handlers = notingHandlers([], {
      get(call, answer) {
        const names = Object.keys(call.metadata.toJSON())
        const seen: Seen = { caller: callerOf(call)?.id ?? null, names }
        answer(null, { text: JSON.stringify({ seen }) })
      },
    })
    const methods = protect(OrdersService, { ...everywhere, get: placement })
    const server = new Server({ interceptors: [countersign(guard, methods)] })
    const served = await ServedServer.start(addOrders(server, handlers))
    return {
      ask: async (fields) => withCode(async () => askOver(served.port, fields)),
      close: async () => served.close(),
    }
  },
}

const pseudo = { ':method': 'POST', ':path': OrdersService.get.path }
const usual = { 'content-type': 'application/grpc', te: 'trailers' }
const message = Buffer.from('{"text":"7"}')

async function askOver(port: number, fields: readonly Field[]): Promise<Omit<Asked, 'code'>> {
  const said = await overHttp2(port, grouped(fields.map(([name, value]) => [name.toLowerCase(), value])))
  const [, text] = /(\{"text":"\{\\"seen\\".*?\}"\})/.exec(said) ?? []
  if (text === undefined) return { seen: undefined, told: said }
  const { text: inner } = JSON.parse(text) as { readonly text: string } // as the service writes its messages
  return { seen: (JSON.parse(inner) as { readonly seen: Seen }).seen, told: said }
}

async function overHttp2(port: number, fields: Readonly<Record<string, string[]>>): Promise<string> {
  const session = connect(`http://127.0.0.1:${port}`)
  session.on('error', () => undefined) // it is destroyed below
  try {
    const stream = session.request({ ...pseudo, ...usual, ...single(fields) })
    let trailers: object = {}
    stream.on('trailers', (found) => (trailers = { ...found }))
    stream.end(Buffer.concat([Buffer.from([0, 0, 0, 0, message.length]), message]))
    const [{ date: _date, ...headers }] = await once(stream, 'response')
    const chunks = await stream.toArray()
    return `${JSON.stringify([headers, trailers])} ${Buffer.concat(chunks).toString()}`
  } finally {
    session.destroy()
  }
}

// Node takes no list for a name that may come once.
const single = (fields: Readonly<Record<string, string[]>>): Record<string, string | string[]> =>
  Object.fromEntries(
    Object.entries(fields).map(([name, [first = '', ...more]]) => [
      name,
      more.length === 0 ? first : [first, ...more],
    ]),
  )
