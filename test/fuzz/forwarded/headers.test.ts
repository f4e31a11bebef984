// A short campaign on every run; `npm run interop` and CI run the long one. Another seed makes other values.
import { expect, test } from 'vitest'
import { runHeaderCampaign } from './header-campaign.ts'
import { headerSubjects } from './subjects.ts'

const seed = Number(process.env['FUZZ_SEED'] ?? 1)

test.each(headerSubjects)(
  'nothing is read as $name that the reference reads otherwise, and nothing throws',
  (subject) => {
    for (const original of subject.originals) expect(subject.read(original).code, original).toBe('accepted')
    const report = runHeaderCampaign(subject, { values: 3000, seed, seconds: 20 })
    expect(report.findings, `FUZZ_SEED=${seed}`).toEqual([])
    expect(report.made).toBe(3000)
    // Else it would be no test: many mutants are still of the format, and most are not.
    expect(report.accepted).toBeGreaterThan(100)
    expect(report.accepted).toBeLessThan(2700)
  },
  30_000,
)
