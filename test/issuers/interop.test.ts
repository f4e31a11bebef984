// What this suite leaves out, said aloud.
import { readFileSync, readdirSync } from 'node:fs'
import { expect, test } from 'vitest'

const root = new URL('../../', import.meta.url)

test('servers that others wrote, and drills in real time, are for CI', () => {
  const files = readdirSync(new URL('test/interop/', root)).filter((name) => name.endsWith('.test.ts'))
  const ci = readFileSync(new URL('.ci/run', root), 'utf8')
  expect(files.length).toBeGreaterThan(0)
  expect(ci).toMatch(/^step '\w+' npm run -s interop$/m)
  console.log(`not run here, but by \`npm run interop\` and in CI: ${files.join(', ')}`)
})
