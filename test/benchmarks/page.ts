// What was measured last, kept, and the page that shows it.
import { execFileSync } from 'node:child_process'
import { readFileSync, writeFileSync } from 'node:fs'
import { availableParallelism, cpus } from 'node:os'
import { fileURLToPath } from 'node:url'
import { aheadIn } from './ahead.ts'
import { chartOf } from './chart.ts'
import { sectionOf, type Figures, type Table } from './report.ts'

/** What a part of the benchmark has found, and where. */
export interface Measurement {
  /** A day, such as `2026-11-22`. */
  readonly date: string
  readonly node: string
  /** In words: processor and number of cores. */
  readonly machine: string
  readonly tables: readonly (Table | Figures)[]
}

/** By the name of the part. */
export type Results = Readonly<Record<string, Measurement>>

const pathOf = (file: string): string => fileURLToPath(new URL(`../../${file}`, import.meta.url))
const files = {
  results: pathOf('test/benchmarks/results.json'),
  page: pathOf('docs/performance.md'),
  chart: pathOf('docs/performance.svg'),
}

/** Keeps what was measured beside what other parts have found before, and writes page and chart anew. */
export function keep(tables: readonly (Table | Figures)[]): void {
  const date = new Date().toISOString().slice(0, 10)
  const about = { date, node: process.versions.node, machine: machine() }
  const anew = Map.groupBy(tables, ({ part }) => part)
  const measured = Object.fromEntries([...anew].map(([part, found]) => [part, { ...about, tables: found }]))
  const results = { ...readResults(), ...measured }
  writeFileSync(files.results, `${JSON.stringify(results, rounded, 2)}\n`)
  writeFileSync(files.page, pageWith(readResults(), readFileSync(files.page, 'utf8')))
  writeFileSync(files.chart, chartWith(readResults()))
}

export const readResults = (): Results => JSON.parse(readFileSync(files.results, 'utf8'))

/** The page with these results between its marks, `<!-- bench: cold -->` to `<!-- end -->`, as the formatter has it. */
export const pageWith = (results: Results, page: string): string =>
  formatted(
    page.replaceAll(/<!-- bench: (\S+) -->[^]*?<!-- end -->/g, (_, part: string) =>
      [`<!-- bench: ${part} -->`, sectionFor(results[part]), '<!-- end -->'].join('\n\n'),
    ),
  )

/** A chart of the first table of some parts. */
export const chartWith = (results: Results): string =>
  chartOf(
    ['cold', 'warm', 'http', 'hostile', 'start'].flatMap((part) => {
      const first = results[part]?.tables.find((table): table is Table => 'rows' in table)
      return first === undefined ? [] : [first]
    }),
  )

function sectionFor(measurement: Measurement | undefined): string {
  if (measurement === undefined) return 'Not measured yet.'
  const { date, node, machine: where, tables } = measurement
  return [
    `Measured on ${date} with Node ${node}: ${where}.`,
    ...tables.map((table) => [sectionOf(table), aheadIn(table) ?? ''].join('\n\n').trim()),
  ].join('\n\n')
}

function machine(): string {
  const model = cpus()[0]
    ?.model.replaceAll(/\(R\)|\(TM\)|@.*$/g, '')
    .trim()
  return `${availableParallelism()} cores, ${model}`
}

const rounded = (_: string, value: unknown): unknown =>
  typeof value === 'number' ? Number(value.toPrecision(4)) : value

const formatted = (markdown: string): string =>
  execFileSync(
    process.execPath,
    [pathOf('scripts/run.mjs'), 'exec', 'oxfmt', `--stdin-filepath=${files.page}`],
    { cwd: pathOf('.'), input: markdown, encoding: 'utf8' },
  )
