// The long campaigns: the same rules, held by jose beside ours, over 200,000 mutants; and each header parser beside its reference.
import { expect, test } from 'vitest'
import { isAvailable } from '../../packages/core/src/identity/jws/algorithms.ts'
import { runCampaign } from '../fuzz/campaign.ts'
import { runHeaderCampaign } from '../fuzz/forwarded/header-campaign.ts'
import { headerSubjects } from '../fuzz/forwarded/subjects.ts'

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

test.each(headerSubjects)(
  'of 200,000 mutated headers none is read as $name otherwise than by the reference, and none throws',
  (subject) => {
    const report = runHeaderCampaign(subject, { values: mutants, seed, seconds: 120 })
    const { made, accepted, seconds, slowestMs } = report
    console.log(
      `${subject.name}: ${made} values of seed ${seed} in ${seconds.toFixed(0)} s, ${accepted} read by both, slowest ${slowestMs.toFixed(1)} ms`,
    )
    expect(report.findings, `FUZZ_SEED=${seed}`).toEqual([])
    expect(made).toBe(mutants)
  },
  130_000,
)
