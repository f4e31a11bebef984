import type { Ratio } from './measure.ts'

/** Ratios to one unit. */
export interface Table {
  readonly part: string
  readonly title: string
  /** What 1 is. */
  readonly unit: string
  readonly rows: readonly Ratio[]
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
          '| | ratio | middle half |',
          '| --- | ---: | --- |',
          ...rows.map(
            ({ name, median, low, high }) =>
              `| ${name} | ${rounded(median)} | ${rounded(low)} – ${rounded(high)} |`,
          ),
        ].join('\n'),
      ].join('\n\n'),
    ),
  ].join('\n\n')

const rounded = (ratio: number): string => (ratio < 10 ? ratio.toFixed(2) : ratio.toFixed(0))
