// The example is started as its README says, on this very Node.
import { execFile } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { expect, test } from 'vitest'

test('the Hono service serves who may, and refuses who may not', async () => {
  const cwd = fileURLToPath(new URL('../../examples/hono/', import.meta.url))
  const { stdout } = await promisify(execFile)(process.execPath, ['src/main.ts'], { cwd })
  const [census = '', calls = ''] = stdout.split('\n\n')
  expect(census.split('\n').map((line) => line.replace(/ {2,}/g, ' | '))).toEqual([
    'METHOD | PATH | REQUIREMENT | DECLARED AT',
    expect.stringMatching(/^GET \| \/orders\/:id \| scopes\(orders:read\) \| src\/app\.ts:\d+$/),
    expect.stringMatching(
      /^POST \| \/orders \| allOf\(scopes\(orders:read\), scopes\(orders:write\)\) \| src/,
    ),
    expect.stringMatching(/^GET \| \/prices \| callerOptional\(/),
    expect.stringMatching(/^GET \| \/healthz \| unprotected\(/),
  ])
  expect(calls.trim().split('\n')).toEqual([
    expect.stringMatching(/^a stranger: GET \/orders\/7 -> 401 /),
    'the dashboard: GET /orders/7 -> 200 {"id":"7","askedBy":"https://issuer.test#client=dashboard"}',
    expect.stringMatching(/^the dashboard: POST \/orders -> 403 /),
    'checkout: POST /orders -> 201 {"order":{"tea":2},"madeBy":"https://issuer.test#client=checkout"}',
    'a stranger: GET /prices -> 200 {"tea":4}',
    'checkout: GET /prices -> 200 {"tea":3}',
    'a probe: GET /healthz -> 200 ok',
  ])
})
