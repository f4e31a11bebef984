// The results as a table that a person likes to read: a line for each call, and beside it what else is known of it.
import { styleText } from 'node:util'
import type { Call, Experiment, Outcome } from '../calls/call.ts'
import { judge, observedOf, verdictOf } from '../calls/judge.ts'
import { refusalStatus, statusText } from '../calls/status.ts'
import { outcomesOf, type Report, type Result } from './report.ts'
import { summarise } from './summary.ts'

interface Experiments {
  readonly allowed: readonly Experiment[]
  readonly recorded: readonly Experiment[]
  readonly refused: readonly Experiment[]
}

/** Makes a table on stdout, in sections. Knowing its calls in advance, it shows each as soon as it is over. */
export function createTable({ allowed, recorded, refused }: Experiments): Report {
  const sections = new Map<Experiment, Section>()
  const add = (experiments: readonly Experiment[], section: Section): void =>
    experiments.forEach((experiment) => sections.set(experiment, section))
  add(
    allowed,
    createSection('Allowed', '', allowed, () => ''),
  )
  add(recorded, createSection('Let pass for now, and recorded', 'what will come of it', recorded, outlookOf))
  add(
    refused,
    createSection(
      'Refused, each beside its control: the same call without the defect',
      'control',
      refused,
      controlOf,
    ),
  )
  let last: Section | undefined
  return {
    show(result) {
      const section = sections.get(result.experiment)
      if (section !== last) write(section?.heading ?? '')
      last = section
      for (const outcome of result.outcomes) write(section?.line(outcome, result) ?? '')
      for (const each of outcomesOf(result)) {
        for (const problem of judge(each)) write(styled('red', `    ${partiesOf(each.call)}: ${problem}`))
      }
    },
    end: (results, elapsedMs, records) => write(`\n${summarise(results, elapsedMs, records).join('\n')}`),
  }
}

interface Section {
  readonly heading: string
  readonly line: (outcome: Outcome, of: Result) => string
}

function createSection(
  title: string,
  lastColumn: string,
  experiments: readonly Experiment[],
  beside: (outcome: Outcome, of: Result) => string,
): Section {
  const widths = widthsOf(
    experiments.flatMap(({ call: first }) =>
      [first, first.onward].flatMap((call) => (call ? [cellsOf(call, first, expectedOf(call))] : [])),
    ),
  )
  const row = (cells: Cells): string => cells.map((cell, i) => cell.padEnd(widths[i] ?? 0)).join('  ')
  const names = row(['caller → callee', 'route', 'presents', 'answer'])
  return {
    heading: `\n${styled('bold', title)}\n${styled('dim', `  ${names}       ms  ${lastColumn}`.trimEnd())}`,
    line(outcome, result) {
      const { call, event, status, ms } = outcome
      const answer = `${statusText(call, status)} ${event === undefined ? '?' : verdictOf(event)}`
      const cells = row(cellsOf(call, result.experiment.call, answer))
      return `${mark(outcome)} ${cells}  ${ms.toFixed(1).padStart(7)}  ${beside(outcome, result)}`.trimEnd()
    },
  }
}

const controlOf = (_: Outcome, { control }: Result): string =>
  control === undefined ? '' : `${mark(control)} ${statusText(control.call, control.status)}`

function outlookOf({ event, candidate }: Outcome): string {
  const observed = observedOf(event)
  if (observed !== undefined) return `${observed}, once it is enforced`
  return candidate === undefined ? '' : `${candidate}, by the candidate`
}

type Cells = readonly string[]

const cellsOf = (call: Call, first: Call, answer: string): Cells => [
  `${call === first ? '' : '↳ '}${partiesOf(call)}`,
  call.route,
  call.credential,
  answer,
]

const widthsOf = (rows: readonly Cells[]): readonly number[] =>
  [0, 1, 2, 3].map((column) => Math.max(...rows.map((cells) => cells[column]?.length ?? 0)))

// As wide as the answer is going to be.
const expectedOf = (call: Call): string =>
  `${statusText(call, call.expect === 'allow' ? 0 : refusalStatus(call, call.expect))} ${call.expect}`

const partiesOf = ({ caller, callee }: Call): string => `${caller} → ${callee}`

const mark = (outcome: Outcome): string =>
  judge(outcome).length === 0 ? styled('green', '✓') : styled('red', '✗')

// Plain text where stdout is no terminal, or where NO_COLOR says so.
const styled = (format: Parameters<typeof styleText>[0], text: string): string =>
  styleText(format, text, { stream: process.stdout })

const write = (line: string): void => void process.stdout.write(`${line}\n`)
