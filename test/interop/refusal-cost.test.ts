// No refusal is dear: what a stranger sends costs hardly more than the one thing that has to be done, a signature check.
import { execFile } from 'node:child_process'
import { promisify } from 'node:util'
import { expect, test } from 'vitest'
import type { Cost } from '../fuzz/cost.ts'

const seed = process.env['FUZZ_SEED'] ?? '3'
const script = new URL('../fuzz/print-costs.ts', import.meta.url)

/**
 * The dearest of the classes. A proof by an RSA key brings 256 octets of modulus along, to be read and hashed beside the cheapest
 * signature check there is, and nobody can have it checked without a token that is bound to that key.
 */
const limitOf = ({ original }: Cost): number => (original === 'proof RS256' ? 1.8 : 1.5)

test('no refusal costs much more than a signature check', async () => {
  const { stdout } = await promisify(execFile)(process.execPath, [script.pathname, seed], { maxBuffer: 1e8 })
  const costs = JSON.parse(stdout) as Cost[] // as the script wrote them
  for (const { ratio, original, mutation, code } of costs.slice(0, 10)) {
    console.log(`${ratio.toFixed(2)}  ${original}, ${mutation}: ${code}`)
  }
  expect(costs.length).toBeGreaterThan(300)
  expect(costs.filter((cost) => cost.ratio > limitOf(cost))).toEqual([])
}, 600_000)
