import { execFile } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { expect, test } from 'vitest'

test('the example for WebSockets lets in who may read, until its token ends', async () => {
  const main = fileURLToPath(new URL('../../examples/ws/src/main.ts', import.meta.url))
  const { stdout } = await promisify(execFile)(process.execPath, ['--no-warnings', main])
  const lines = stdout.split('\n')
  expect(lines).toContain('/prices refused: 401 Bearer realm="countersign", scope="prices:read"')
  expect(lines).toContainEqual(expect.stringMatching(/^\/prices refused: 403 .*insufficient_scope/))
  expect(lines).toContain('/prices says hello, https://issuer.test#client=checkout')
  expect(lines).toContain('/prices says 42')
  expect(lines).toContainEqual(
    expect.stringMatching(/^\/prices closed: 1008 access has ended \(decision [\w-]+\)$/),
  )
  expect(stdout).toMatch(/^GET +\/prices +scopes\(prices:read\) +\S+feed\.ts:\d+$/m)
})
