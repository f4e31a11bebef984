import type { Figures, Table } from './report.ts'

/** Who does better than Countersign in a table, as a sentence; undefined where there is nobody else. */
export const aheadIn = (table: Table | Figures): string | undefined =>
  'rows' in table ? aheadInRatios(table) : aheadInFigures(table)

function aheadInRatios({ rows }: Table): string | undefined {
  const ours = rows.find(({ name }) => isOurs(name))
  const peers = rows.filter(({ name }) => !isOurs(name) && !isLimit(name))
  if (ours === undefined || peers.length === 0) return undefined
  const ahead = peers.filter(({ median }) => median < ours.median)
  return sentenceOf(ahead.map(({ name }) => name))
}

function aheadInFigures({ columns, figures }: Figures): string | undefined {
  const ours = figures.find(({ name }) => isOurs(name))
  const peers = figures.filter(({ name }) => !isOurs(name))
  if (ours === undefined || peers.length === 0) return undefined
  const found = columns.map((column, i) => {
    const ahead = peers.filter(({ values }) => (values[i] ?? Infinity) < (ours.values[i] ?? 0))
    return `${column}: ${sentenceOf(ahead.map(({ name }) => name))}`
  })
  return found.join(' ')
}

const sentenceOf = (names: readonly string[]): string =>
  names.length === 0 ? 'Nobody is ahead of Countersign.' : `Ahead of Countersign: ${names.join('; ')}.`

const isOurs = (name: string): boolean => name.startsWith('Countersign')

/** What nobody can go below: the unit of the table, measured once more, or a framework without a guard. */
const isLimit = (name: string): boolean => / itself$|^the same |^bare$|^an empty /.test(name)
