import { createHook } from 'node:async_hooks'
import { once } from 'node:events'
import { Agent, createServer, request } from 'node:http'
import { countersign, createGuard, requireScopes } from '@countersign/express'
import { createTestIssuer } from '@countersign/testing'
import { expect, test } from 'vitest'
import { expressVersions } from './served-app.ts'

test.each(expressVersions)(
  'goes from header to handler without a promise or a turn once the token is known, on %s',
  async (_name, express) => {
    const issuer = await createTestIssuer()
    const guard = createGuard({ audience: 'orders', issuers: [issuer] })
    const app = express()
    app.use(countersign(guard))
    let hasRun = false
    app.get('/orders', requireScopes('orders:read'), (_request, response) => {
      hasRun = true
      response.send('ok')
    })
    /** For each request: whether the handler had run when the framework returned, and the promises made until then. */
    const seen: { ran: boolean; promises: number }[] = []
    const server = createServer((incoming, outgoing) => {
      hasRun = false
      let promises = 0
      const hook = createHook({ init: (_id, type) => void (promises += type === 'PROMISE' ? 1 : 0) }).enable()
      app(incoming, outgoing)
      hook.disable()
      seen.push({ ran: hasRun, promises })
    }).listen(0, '127.0.0.1')
    await once(server, 'listening')
    const { port } = server.address() as { port: number } // listening on a port
    const headers = await issuer.headersFor('checkout', { scopes: ['orders:read'] })
    const keptAlive = new Agent({ keepAlive: true, maxSockets: 1 })
    const call = async (agent: Agent | false): Promise<void> => {
      const sent = request({ port, path: '/orders', headers, agent }).end()
      const [response] = await once(sent, 'response')
      response.resume()
      await once(response, 'end')
    }
    await call(keptAlive) // verified
    await call(keptAlive) // known by this connection
    await call(false) // known by the shared cache
    keptAlive.destroy()
    server.close()
    guard.close()
    expect(seen.map(({ ran }) => ran)).toEqual([false, true, true])
    expect(seen.slice(1).map(({ promises }) => promises)).toEqual([0, 0])
  },
)
