// Bars by ratio on a logarithmic scale, in colours that can be read on white and on black.
import type { Table } from './report.ts'

const [width, labelWidth, rowHeight, titleHeight] = [790, 320, 20, 44]
const [text, other, ours] = ['#7a828e', '#98a1ad', '#e2711d']

/** An SVG with a group of bars for each table. */
export function chartOf(tables: readonly Table[]): string {
  const ratios = tables.flatMap(({ rows }) => rows.map(({ median }) => median))
  const least = Math.floor(Math.log10(Math.min(1, ...ratios)))
  const most = Math.log10(Math.max(10, ...ratios))
  // Behind the longest bar stands its number.
  const x = (ratio: number): number =>
    labelWidth + ((Math.log10(ratio) - least) / (most - least)) * (width - labelWidth - 50)
  const parts: string[] = []
  let y = 0
  for (const { title, unit, rows } of tables) {
    parts.push(label(0, y + 18, title, `font-weight="600"`), label(0, y + 34, `1 is the ${unit}`))
    y += titleHeight
    const bottom = y + rows.length * rowHeight
    parts.push(`<path d="M${x(1).toFixed(1)} ${y}V${bottom}" stroke="${text}" stroke-dasharray="3 3"/>`)
    for (const { name, median } of rows.toSorted((one, another) => one.median - another.median)) {
      const colour = name.startsWith('Countersign') ? ours : other
      const end = Math.max(x(median), labelWidth + 2)
      parts.push(
        label(labelWidth - 8, y + 14, name, `text-anchor="end" fill="${colour === ours ? ours : text}"`),
        `<rect x="${labelWidth}" y="${y + 3}" width="${(end - labelWidth).toFixed(1)}" height="${rowHeight - 6}" fill="${colour}"/>`,
        label(Math.ceil(end) + 5, y + 14, median < 10 ? median.toFixed(2) : median.toFixed(0)),
      )
      y += rowHeight
    }
    y += 16
  }
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${y}" width="${width}" height="${y}"`,
    ` font-family="system-ui, sans-serif" font-size="12" fill="${text}" role="img">`,
    `\n<title>Ratios on a logarithmic scale: shorter is better</title>\n${parts.join('\n')}\n</svg>\n`,
  ].join('')
}

const label = (x: number, y: number, words: string, attributes = ''): string =>
  `<text x="${x}" y="${y}" ${attributes}>${words.replaceAll('&', '&amp;').replaceAll('<', '&lt;')}</text>`
