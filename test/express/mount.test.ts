import { mounterFor, type MountableRoute } from '@countersign/core/adapter'
import { unprotected } from '@countersign/core'
import { countersign, createGuard, scopes } from '@countersign/express'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { ServedApp, expressVersions, testIssuer } from './served-app.ts'

const guards: { close(): void }[] = []
let guarded: ReturnType<typeof countersign>
beforeAll(async () => {
  const guard = createGuard({ audience: 'orders', issuers: [await testIssuer()], log: false })
  guards.push(guard)
  guarded = countersign(guard)
})
afterAll(() => guards.forEach((guard) => guard.close()))

const undeclared: MountableRoute = {
  method: 'all',
  path: '/orders',
  placement: undefined,
  handler: (_request, response) => {
    if (
      typeof response === 'object' &&
      response !== null &&
      'end' in response &&
      typeof response.end === 'function'
    ) {
      response.end('orders')
    }
  },
}

test.each(expressVersions)(
  'never opens a mounted route of an application without a guard, on %s',
  async (_name, express) => {
    const app = express()
    mounterFor(app)?.mount(app, [undeclared])
    const served = await ServedApp.start(app)
    const answer = await served.call('/orders')
    await served.close()
    expect(answer.status).toBe(500)
    expect(answer.body).not.toContain('orders"')
  },
)

test.each(expressVersions)(
  'leaves a mounted route that declares nothing to the guard, on %s',
  async (_name, express) => {
    const app = express()
    app.use(guarded)
    mounterFor(app)?.mount(app, [undeclared])
    const served = await ServedApp.start(app)
    const answer = await served.call('/orders', { method: 'DELETE' })
    await served.close()
    expect([answer.status, answer.code]).toEqual([403, 'route_undeclared'])
  },
)

test.each(expressVersions)('holds a mounted route to what it declares, on %s', async (_name, express) => {
  const app = express()
  app.use(guarded)
  mounterFor(app)?.mount(app, [
    { ...undeclared, placement: scopes('orders:read') },
    { ...undeclared, path: '/open', placement: unprotected('open') },
  ])
  const served = await ServedApp.start(app)
  const answers = [await served.call('/orders'), await served.call('/open')]
  await served.close()
  expect(answers.map(({ status, code }) => [status, code])).toEqual([
    [401, 'credential_missing'],
    [200, null],
  ])
})
