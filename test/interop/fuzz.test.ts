// The long campaign: the same rules, held by jose beside ours, over 200,000 mutants.
import { expect, test } from 'vitest'
import { isAvailable } from '../../packages/core/src/identity/jws/algorithms.ts'
import { runCampaign } from '../fuzz/campaign.ts'

const seed = Number(process.env['FUZZ_SEED'] ?? 2)
const mutants = 200_000

test('of 200,000 mutated tokens and proofs none is accepted that jose refuses, and none throws', async () => {
  const report = await runCampaign({ mutants, seed, seconds: 400, hasMlDsa: isAvailable('ML-DSA-44') })
  const { seconds, accepted, byCode } = report
  console.log(
    `${report.mutants} mutants of seed ${seed} in ${seconds.toFixed(0)} s, ${accepted} accepted by both`,
  )
  console.log(Object.fromEntries([...byCode].toSorted((a, b) => b[1] - a[1])))
  expect(report.findings, `FUZZ_SEED=${seed}`).toEqual([])
  expect(report.mutants).toBe(mutants)
}, 420_000)
