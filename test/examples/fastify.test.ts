import { execFile } from 'node:child_process'
import { delimiter, dirname } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { expect, test } from 'vitest'

test('the program of the example runs, and each caller gets the answer that is due', async () => {
  const folder = fileURLToPath(new URL('../../examples/fastify/', import.meta.url))
  // The Node that runs this test, whichever is the machine's own.
  const path = [dirname(process.execPath), process.env['PATH']].join(delimiter)
  const env = { ...process.env, PATH: path }
  const { stdout } = await promisify(execFile)('npm', ['start', '--silent'], { cwd: folder, env })
  const answers = [...stdout.matchAll(/^(\w+) +(GET|POST) +(\S+) +(\d{3}) /gm)]
  expect(answers.map((line) => line.slice(1).join(' '))).toEqual([
    'checkout POST /orders 201',
    'token GET /orders/1 200',
    'token POST /orders 403',
    'reports GET /orders/1 403',
    'nobody GET /orders/1 401',
    'nobody GET /healthz 200',
    'nobody GET /public/prices.txt 200',
    'checkout GET /admin/routes 403',
    'operator GET /admin/routes 200',
  ])
  expect(stdout).toContain('"orderedBy":"spiffe://shop.example/checkout"')
  expect(stdout).toMatch(/GET +\/admin\/routes +scopes\(admin:read\)/)
})
