// The worked example of a framework that brings decorators of its own.
import { execFile } from 'node:child_process'
import { delimiter, dirname } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { createGuard, type Guard } from '@countersign/express'
import type { TestIssuer } from '@countersign/testing'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { addShop } from '../../../examples/routing-controllers/src/app.ts'
import { ServedApp, bearer, expressVersions, testIssuer, type Answer } from '../../express/served-app.ts'

describe.each(expressVersions)('controllers of routing-controllers on %s', (_name, express) => {
  let issuer: TestIssuer
  let guard: Guard
  let served: ServedApp

  beforeAll(async () => {
    issuer = await testIssuer()
    guard = createGuard({ audience: 'orders', issuers: [issuer], log: false })
    served = await ServedApp.start(addShop(express(), guard))
  })
  afterAll(async () => {
    await served.close()
    guard.close()
  })

  async function call(route: string, ...scopes: string[]): Promise<Answer> {
    const [method = '', path = ''] = route.split(' ')
    return served.call(path, {
      method,
      headers: { ...(await bearer(issuer, ...scopes)), 'content-type': 'application/json' },
      ...(method === 'POST' ? { body: '{"article":"tea"}' } : {}),
    })
  }

  test('refuses who presents nothing', async () => {
    expect(await served.call('/orders/7')).toMatchObject({ status: 401, code: 'credential_missing' })
  })

  test.each([
    ['GET /orders/7', ['orders:read'], 200, '"shop":"corner shop"'],
    ['POST /orders', ['orders:read', 'orders:write'], 201, '"article":"tea"'],
  ])('holds an action to what its classes and it say: %s', async (route, needed, status, body) => {
    for (const missing of needed) {
      const rest = needed.filter((scope) => scope !== missing)
      expect(await call(route, ...rest)).toMatchObject({ status: 403, code: 'scope_missing' })
    }
    const answer = await call(route, ...needed)
    expect(answer).toMatchObject({ status, code: null, body: expect.stringContaining(body) })
    expect(answer.body).toContain('"calledBy":"https://issuer.test#client=checkout"')
  })

  test('refuses an action that declares nothing, and runs nothing of it', async () => {
    const answer = await call('GET /reports', 'orders:read', 'orders:write')
    expect(answer).toMatchObject({ status: 403, code: 'route_undeclared' })
    expect(answer.body).not.toContain('SECRET')
  })

  test('opens an action that is unprotected where its class allows it, and decides once', async () => {
    const answer = await served.call('/orders/probes/live')
    expect(answer).toMatchObject({ status: 200, body: '{"live":true}', events: [{ outcome: 'allow' }] })
  })

  test('shows every action in the census', () => {
    expect(guard.census().map(({ method, path, requirement }) => [method, path, requirement])).toEqual([
      ['POST', '/orders', 'allOf(scopes(orders:read), scopes(orders:write))'],
      ['GET', '/orders/probes/live', 'unprotected(liveness probe, returns no data)'],
      ['GET', '/orders/:id', 'scopes(orders:read)'],
      ['GET', '/reports', null],
    ])
  })
})

test('the program of the example runs, and each caller gets the answer that is due', async () => {
  const folder = fileURLToPath(new URL('../../../examples/routing-controllers/', import.meta.url))
  // The Node that runs this test, whichever is the machine's own.
  const path = [dirname(process.execPath), process.env['PATH']].join(delimiter)
  const env = { ...process.env, PATH: path }
  const { stdout } = await promisify(execFile)('npm', ['start', '--silent'], { cwd: folder, env })
  const answers = [...stdout.matchAll(/^(\w+) +(\S+).* (\d{3}) /gm)].map((line) => line.slice(1).join(' '))
  expect(answers).toEqual([
    'GET /orders/7 200',
    'GET /orders/7 403',
    'POST /orders 201',
    'POST /orders 403',
    'GET /orders/probes/live 200',
    'GET /orders/7 401',
    'GET /reports 403',
  ])
  expect(stdout).toContain('GET  /reports             undeclared, so it is refused')
  expect(stdout).not.toContain('SECRET')
})
