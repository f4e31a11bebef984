// No refusal is dear: what a stranger sends costs hardly more than the one thing that has to be done, a signature check.
import { execFile } from 'node:child_process'
import { promisify } from 'node:util'
import { expect, test } from 'vitest'
import type { Cost } from '../fuzz/cost.ts'

const seed = process.env['FUZZ_SEED'] ?? '3'
const script = new URL('../fuzz/print-costs.ts', import.meta.url)

/**
 * What an issuer has itself signed, as densely as it goes, is parsed as a whole, which costs more than the cheapest checks. A proof
 * by an RSA key brings 256 octets of modulus along, to be read and hashed beside the cheapest check there is, and nobody has it
 * checked without a token that is bound to that key. No stranger can cause either.
 */
function limitOf({ mutation, original, code }: Cost): number {
  if (mutation === 'deep or dense claims' && !codesForStrangers.has(code)) return 4
  return original === 'proof RS256' ? 2 : 1.5
}

/** Refusals for which no signature has to be right. */
const codesForStrangers: ReadonlySet<string> = new Set([
  'signature_invalid',
  'token_malformed',
  'token_oversized',
  'dpop_proof_malformed',
  'dpop_proof_signature_invalid',
])

async function measured(): Promise<readonly Cost[]> {
  const { stdout } = await promisify(execFile)(process.execPath, [script.pathname, seed], { maxBuffer: 1e8 })
  return JSON.parse(stdout) as Cost[] // as the script wrote them
}

const tooDear = (costs: readonly Cost[]): readonly Pick<Cost, 'ratio' | 'original' | 'mutation' | 'code'>[] =>
  costs
    .filter((cost) => cost.ratio > limitOf(cost))
    .map(({ ratio, original, mutation, code }) => ({ ratio, original, mutation, code }))

test('no refusal costs much more than a signature check', async () => {
  const costs = await measured()
  for (const { ratio, original, mutation, code } of costs.slice(0, 10)) {
    console.log(`${ratio.toFixed(2)}  ${original}, ${mutation}: ${code}`)
  }
  expect(costs.length).toBeGreaterThan(300)
  const suspects = tooDear(costs)
  // What else the machine does only adds: what is dear is so whenever it is measured.
  const again = suspects.length === 0 ? [] : tooDear(await measured())
  const dear = again.filter(({ original, mutation }) =>
    suspects.some((suspect) => suspect.original === original && suspect.mutation === mutation),
  )
  expect(dear).toEqual([])
}, 600_000)
