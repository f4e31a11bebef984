// The log that a guard has where nobody gave it one, in a process whose stderr nobody reads any more.
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { text } from 'node:stream/consumers'
import { expect, test } from 'vitest'

test('T52 a refusal that cannot be told does not end the process', { timeout: 15_000 }, async () => {
  const program = `
    import { authenticated, createGuard } from '@countersign/core'
    const guard = createGuard({ audience: 'orders', issuers: ['https://issuer.test'] })
    const request = { headers: {}, rawHeaders: [], socket: {} }
    process.stdin.once('data', async () => {
      for (const route of ['GET /a', 'GET /b', 'GET /c']) {
        await guard.decide(request, authenticated(), route)
        await new Promise(setImmediate)
      }
      process.stdout.write('still there')
      process.stdin.destroy()
    })
  `
  const child = spawn(process.execPath, ['--input-type=module', '--no-warnings', '-e', program], {
    cwd: new URL('..', import.meta.url),
    stdio: ['pipe', 'pipe', 'pipe'],
  })
  const closed = once(child, 'close')
  child.stderr.destroy()
  child.stdin.write('go')
  expect(await text(child.stdout)).toBe('still there')
  expect(await closed).toEqual([0, null])
})
