// No refusal is dear: what a stranger sends costs hardly more than the one thing that has to be done, a signature check.
import { execFile } from 'node:child_process'
import { promisify } from 'node:util'
import { expect, test } from 'vitest'
import type { Cost } from '../fuzz/cost.ts'

const seed = process.env['FUZZ_SEED'] ?? '3'
const script = new URL('../fuzz/print-costs.ts', import.meta.url)

/**
 * Twice a check is enough for two classes that no stranger can cause: what an issuer, or the holder of a key, has itself signed as
 * densely as it goes is parsed as a whole, and a proof by an RSA key brings 256 octets of modulus along, to be read and hashed
 * beside the cheapest signature check there is.
 */
const limitOf = ({ mutation, original }: Cost): number =>
  mutation === 'deep or dense claims' || original === 'proof RS256' ? 2 : 1.5

test('no refusal costs much more than a signature check', async () => {
  const { stdout } = await promisify(execFile)(process.execPath, [script.pathname, seed], { maxBuffer: 1e8 })
  const costs = JSON.parse(stdout) as Cost[] // as the script wrote them
  for (const { ratio, original, mutation, code } of costs.slice(0, 10)) {
    console.log(`${ratio.toFixed(2)}  ${original}, ${mutation}: ${code}`)
  }
  expect(costs.length).toBeGreaterThan(300)
  const dear = costs.filter((cost) => cost.ratio > limitOf(cost))
  expect(dear.map(({ ratio, original, mutation, code }) => ({ ratio, original, mutation, code }))).toEqual([])
}, 600_000)
