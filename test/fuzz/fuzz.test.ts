// A short campaign on every run; `npm run interop` and CI run the long one. Another seed makes other changes.
import { expect, test } from 'vitest'
import { isAvailable } from '../../packages/core/src/identity/jws/algorithms.ts'
import { runCampaign } from './campaign.ts'

const seed = Number(process.env['FUZZ_SEED'] ?? 1)

test('nothing is accepted that jose refuses by the same rules, nothing throws, and each refusal is explained', async () => {
  const report = await runCampaign({ mutants: 3000, seed, seconds: 60, hasMlDsa: isAvailable('ML-DSA-44') })
  expect(report.findings, `FUZZ_SEED=${seed}`).toEqual([])
  expect(report.mutants).toBe(3000)
  expect(report.accepted).toBeGreaterThan(0)
  expect(report.byCode.size).toBeGreaterThan(10)
}, 120_000)
