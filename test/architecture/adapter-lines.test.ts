import { globSync, readFileSync } from 'node:fs'
import { dirname } from 'node:path'
import { fileURLToPath } from 'node:url'
import { expect, test } from 'vitest'

const root = fileURLToPath(new URL('../../', import.meta.url))
const architecture = readFileSync(`${root}ARCHITECTURE.md`, 'utf8')
const table = /## How long each adapter is\n([^#]*)/.exec(architecture)?.[1] ?? ''
const rows = [...table.matchAll(/^\| `([\w-]+)`\s*\|\s*(\d+)\s*\|(.*)\|$/gm)].map(
  ([, name = '', lines, reason = '']) => ({ name, said: Number(lines), reason: reason.trim() }),
)

test('each adapter has its row', () => {
  const packages = globSync('*/package.json', { cwd: `${root}packages` }).map((path) => dirname(path))
  const others = new Set(['core', 'decorators', 'policy', 'testing'])
  const adapters = packages.filter((name) => !others.has(name))
  expect(rows.map(({ name }) => name).toSorted()).toEqual(adapters.toSorted())
})

test.each(rows)('$name is about as long as it is said to be', ({ name, said, reason }) => {
  const files = globSync('src/**/*.ts', { cwd: `${root}packages/${name}` })
  const lines = files
    .filter((file) => file !== 'src/index.ts')
    .map((file) => codeLines(readFileSync(`${root}packages/${name}/${file}`, 'utf8')))
    .reduce((sum, each) => sum + each, 0)
  expect(Math.abs(lines - said) / lines, `it has ${lines}`).toBeLessThan(0.1)
  if (lines >= 150) expect(reason).not.toBe('')
})

// Comments have lines of their own here, or stand behind code.
function codeLines(source: string): number {
  const lines = source.replaceAll(/^\s*\/\*.*?\*\/$/gms, '').split('\n')
  return lines.filter((line) => !/^\s*(\/\/.*)?$/.test(line)).length
}
