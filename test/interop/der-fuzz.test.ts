// The long campaigns over DER: 200,000 certificates, and as many revocation lists and OCSP answers as fit beside them, changed at
// random and held against OpenSSL or another reader. The same tests as in the default suite, with more runs.
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { expect, test } from 'vitest'

const root = fileURLToPath(new URL('../../', import.meta.url))
const vitest = join(root, 'node_modules', 'vitest', 'vitest.mjs')
const runs = Number(process.env['FUZZ_RUNS'] ?? 100_000)
const seed = Number(process.env['FUZZ_SEED'] ?? 2)

/** Runs some of the campaigns in a process of their own, and answers with what it printed where one fails. */
async function failureOf(files: readonly string[], runSeed: number, count: number): Promise<string> {
  const child = spawn(process.execPath, [vitest, 'run', '--reporter=verbose', ...files], {
    cwd: root,
    env: { ...process.env, FUZZ_RUNS: String(count), FUZZ_SEED: String(runSeed) },
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  const chunks: Buffer[] = []
  child.stdout.on('data', (chunk: Buffer) => chunks.push(chunk))
  const [code] = await once(child, 'close')
  const told = Buffer.concat(chunks).toString()
  console.log(told)
  return code === 0 ? '' : told
}

const fileOf = (name: string): string => `test/core/${name}-fuzz.test.ts`

test('of values in DER none is accepted that is not what its author signed, and none throws', async () => {
  // Two at a time, each with half of the certificates.
  const failures = await Promise.all([
    failureOf([fileOf('certificate')], seed, runs),
    failureOf([fileOf('certificate')], seed + 1, runs),
  ])
  const others = await Promise.all(['crl', 'ocsp'].map((name) => failureOf([fileOf(name)], seed, runs / 4)))
  expect([...failures, ...others]).toEqual(['', '', '', ''])
}, 900_000)
