// The documents of this repository, and what can be found in them.
import { readFileSync, readdirSync } from 'node:fs'
import { fileURLToPath } from 'node:url'

export const root = fileURLToPath(new URL('../../', import.meta.url))

/** The text of a file of this repository. */
export const read = (path: string): string => readFileSync(`${root}${path}`, 'utf8')

/** Every document that people are given, as paths from the root. */
export const documents: readonly string[] = [
  'README.md',
  'ARCHITECTURE.md',
  'CHANGELOG.md',
  'CONTRIBUTING.md',
  'SECURITY.md',
  'packages/core/README.md',
  'packages/decorators/README.md',
  'packages/express/README.md',
  'packages/grpc/README.md',
  'packages/koa/README.md',
  'packages/nest/README.md',
  'packages/node-http/README.md',
  'packages/hono/README.md',
  'packages/fastify/README.md',
  'packages/policy/README.md',
  'packages/testing/README.md',
  'packages/ws/README.md',
  ...readdirSync(`${root}docs`, { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.md') && !name.startsWith('.vitepress'))
    .map((name) => `docs/${name.replaceAll('\\', '/')}`)
    .toSorted(),
]

/** A fenced block of a document. */
export interface CodeBlock {
  readonly document: string
  /** From one. */
  readonly line: number
  /** All that follows the fence, such as `ts no-check`. */
  readonly label: string
  readonly code: string
}

export function codeBlocksOf(document: string): readonly CodeBlock[] {
  const text = read(document)
  return [...text.matchAll(/^```(\w.*)\n([^]*?)^```$/gm)].map(({ 1: label = '', 2: code = '', index }) => ({
    document,
    line: text.slice(0, index).split('\n').length,
    label: label.trim(),
    code,
  }))
}

/** Substitutes what a test has to change in a document, and would notice if it were no longer there. */
export function replaceOnce(text: string, what: string | RegExp, by: string): string {
  if (text.split(what).length !== 2) throw new Error(`expected \`${String(what)}\` once`)
  return text.replace(what, () => by)
}

/** The rows of every table below a heading, up to the next heading; without the rows of names and of dashes. */
export function tableRowsBelow(text: string, heading: string): readonly (readonly string[])[] {
  const start = text.indexOf(`\n${heading}\n`)
  if (start === -1) throw new Error(`expected a heading \`${heading}\``)
  const [section = ''] = text.slice(start + heading.length + 2).split(/^#/m)
  const rows = section.split('\n').filter((line) => line.startsWith('|'))
  return rows
    .filter((_, i) => !isDashes(rows[i]) && !isDashes(rows[i + 1]))
    .map((row) =>
      row
        .split(/(?<!\\)\|/)
        .slice(1, -1)
        .map((cell) => cell.trim()),
    )
}

const isDashes = (row: string | undefined): boolean => row !== undefined && /^[|\-: ]+$/.test(row)
