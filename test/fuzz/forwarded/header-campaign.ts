// Makes values of headers by the thousand and holds the library's reading of each against the second opinion.
import { createDice } from '../dice.ts'
import { mutateHeader } from './mutate-header.ts'
import type { HeaderSubject } from './subjects.ts'

export interface HeaderReport {
  readonly made: number
  readonly accepted: number
  readonly seconds: number
  /** Of one value. */
  readonly slowestMs: number
  /** What must not be. The campaign ends at ten. */
  readonly findings: readonly string[]
}

/** Fuzzes one parser until there are enough values, no time left or too many findings. */
export function runHeaderCampaign(
  subject: HeaderSubject,
  { values, seed, seconds }: { readonly values: number; readonly seed: number; readonly seconds: number },
): HeaderReport {
  const dice = createDice(seed)
  const startedAt = performance.now()
  const findings: string[] = []
  let [made, accepted, slowestMs] = [0, 0, 0]
  while (made < values && findings.length < 10 && performance.now() - startedAt < seconds * 1000) {
    made += 1
    const value = mutateHeader(subject, dice)
    const before = performance.now()
    try {
      const { reading, code } = subject.read(value)
      slowestMs = Math.max(slowestMs, performance.now() - before)
      if (reading !== undefined) accepted += 1
      const found = judge(reading, code, subject.oracle(value))
      if (found !== undefined) findings.push(`${subject.name}: ${found}\n  ${JSON.stringify(value)}`)
    } catch (error) {
      findings.push(`${subject.name}: threw ${String(error)}\n  ${JSON.stringify(value)}`)
    }
  }
  return { made, accepted, seconds: (performance.now() - startedAt) / 1000, slowestMs, findings }
}

function judge(reading: string | undefined, code: string, opinion: string | undefined): string | undefined {
  if (reading === undefined && code !== 'forwarded_certificate_malformed') return `refused as ${code}`
  if (reading === opinion) return undefined
  if (opinion === undefined) return 'accepted, and the reference refuses it'
  return reading === undefined
    ? 'refused, and the reference accepts it'
    : 'accepted, and the reference reads something else'
}
