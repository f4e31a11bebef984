// The results as a table that a person likes to read: a line for each call, and beside it the control's answer.
import { styleText } from 'node:util'
import type { Call, Experiment, Outcome } from '../calls/call.ts'
import { judge } from '../calls/judge.ts'
import { outcomesOf, type Report, type Result } from './report.ts'
import { summarise } from './summary.ts'

/** Makes a table on stdout of two sections. Knowing its calls in advance, it shows each as soon as it is over. */
export function createTable(allowed: readonly Experiment[], refused: readonly Experiment[]): Report {
  const sections = {
    allowed: createSection('Allowed', '', allowed),
    refused: createSection(
      'Refused, each beside its control: the same call without the defect',
      'control',
      refused,
    ),
  }
  let last: Section | undefined
  return {
    show(result) {
      const section = result.control === undefined ? sections.allowed : sections.refused
      if (section !== last) write(section.heading)
      last = section
      for (const outcome of result.outcomes) write(section.line(outcome, result))
      for (const each of outcomesOf(result)) {
        for (const problem of judge(each)) write(styled('red', `    ${partiesOf(each.call)}: ${problem}`))
      }
    },
    end: (results, elapsedMs) => write(`\n${summarise(results, elapsedMs).join('\n')}`),
  }
}

interface Section {
  readonly heading: string
  readonly line: (outcome: Outcome, of: Result) => string
}

function createSection(title: string, lastColumn: string, experiments: readonly Experiment[]): Section {
  const widths = widthsOf(
    experiments.flatMap(({ call: first }) =>
      [first, first.onward].flatMap((call) => (call ? [cellsOf(call, first, `401 ${call.expect}`)] : [])),
    ),
  )
  const row = (cells: Cells): string => cells.map((cell, i) => cell.padEnd(widths[i] ?? 0)).join('  ')
  const names = row(['caller → callee', 'route', 'presents', 'answer'])
  return {
    heading: `\n${styled('bold', title)}\n${styled('dim', `  ${names}       ms  ${lastColumn}`.trimEnd())}`,
    line(outcome, { experiment, control }) {
      const { call, event, status, ms } = outcome
      const answer = `${status} ${event?.code ?? event?.outcome ?? '?'}`
      const cells = row(cellsOf(call, experiment.call, answer))
      const beside = control === undefined ? '' : `  ${mark(control)} ${control.status}`
      return `${mark(outcome)} ${cells}  ${ms.toFixed(1).padStart(7)}${beside}`
    },
  }
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

const partiesOf = ({ caller, callee }: Call): string => `${caller} → ${callee}`

const mark = (outcome: Outcome): string =>
  judge(outcome).length === 0 ? styled('green', '✓') : styled('red', '✗')

// Plain text where stdout is no terminal, or where NO_COLOR says so.
const styled = (format: Parameters<typeof styleText>[0], text: string): string =>
  styleText(format, text, { stream: process.stdout })

const write = (line: string): void => void process.stdout.write(`${line}\n`)
