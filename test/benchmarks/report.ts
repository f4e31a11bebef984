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

/** Numbers that are no ratios. */
export interface Figures {
  readonly part: string
  readonly title: string
  /** What was done. */
  readonly text: string
  /** What is in each column, with its unit. */
  readonly columns: readonly string[]
  readonly figures: readonly { readonly name: string; readonly values: readonly number[] }[]
}

export interface Report {
  /** A day, such as `2026-11-22`. */
  readonly date: string
  readonly node: string
  readonly tables: readonly (Table | Figures)[]
}

/** A section for each table: 1 is the unit, and the spread is the middle half of all rounds. */
export const markdownOf = ({ date, node, tables }: Report): string =>
  [`Measured on ${date} with Node ${node}.`, ...tables.map((table) => sectionOf(table))].join('\n\n')

/** What a table says, below its title. */
export const sectionOf = (table: Table | Figures): string =>
  'rows' in table ? ratiosOf(table) : figuresOf(table)

const ratiosOf = ({ title, unit, rows }: Table): string => {
  const isService = rows.some(({ throughput }) => throughput !== undefined)
  return markdown(
    title,
    `1 is the ${unit}.`,
    ['', 'ratio', 'middle half', ...(isService ? ['throughput left'] : [])],
    rows.map(({ name, median, low, high, throughput }) => [
      name,
      rounded(median),
      `${rounded(low)} – ${rounded(high)}`,
      ...(throughput === undefined ? [] : [rounded(throughput)]),
    ]),
  )
}

const figuresOf = ({ title, text, columns, figures }: Figures): string =>
  markdown(
    title,
    text,
    ['', ...columns],
    figures.map(({ name, values }) => [name, ...values.map((value) => rounded(value))]),
  )

const markdown = (
  title: string,
  text: string,
  head: readonly string[],
  rows: readonly (readonly string[])[],
): string =>
  [
    `### ${title}`,
    text,
    [head, head.map((_, i) => (i === 0 ? '---' : '---:')), ...rows]
      .map((cells) => `| ${cells.join(' | ')} |`)
      .join('\n'),
  ].join('\n\n')

const rounded = (value: number): string => (Math.abs(value) < 10 ? value.toFixed(2) : value.toFixed(0))
