import type { Ratio } from './measure.ts'

/** Ratios to one unit. */
export interface Table {
  readonly part: string
  readonly title: string
  /** What 1 is. */
  readonly unit: string
  readonly rows: readonly Row[]
}

export interface Row extends Ratio {
  /** Of a service: how many requests it answers in a second, over the same unit. */
  readonly throughput?: number
}

export interface Report {
  /** A day, such as `2026-11-22`. */
  readonly date: string
  readonly node: string
  readonly tables: readonly Table[]
}

/** A section for each table: 1 is the unit, and the spread is the middle half of all rounds. */
export const markdownOf = ({ date, node, tables }: Report): string =>
  [
    `Measured on ${date} with Node ${node}.`,
    ...tables.map(({ title, unit, rows }) =>
      [
        `### ${title}`,
        `1 is the ${unit}.`,
        [
          ...(isService(rows) ? serviceHead : head),
          ...rows.map(
            ({ name, median, low, high, throughput }) =>
              `| ${name} | ${rounded(median)} | ${rounded(low)} – ${rounded(high)} |${throughput === undefined ? '' : ` ${rounded(throughput)} |`}`,
          ),
        ].join('\n'),
      ].join('\n\n'),
    ),
  ].join('\n\n')

const isService = (rows: readonly Row[]): boolean => rows.some(({ throughput }) => throughput !== undefined)
const head = ['| | ratio | middle half |', '| --- | ---: | --- |']
const serviceHead = ['| | ratio | middle half | throughput left |', '| --- | ---: | --- | ---: |']
const rounded = (ratio: number): string => (ratio < 10 ? ratio.toFixed(2) : ratio.toFixed(0))
