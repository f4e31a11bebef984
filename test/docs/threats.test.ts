import { existsSync } from 'node:fs'
import { expect, test } from 'vitest'
import { read, root, tableRowsBelow } from './documents.ts'

const rows = tableRowsBelow(read('docs/security.md'), '## Threats').map(([id = '', , , proof = '']) => ({
  id,
  proof,
}))
const ids = Array.from({ length: 58 }, (_, i) => `T${String(i + 1).padStart(2, '0')}`)

test('every threat is listed exactly once, in order', () => {
  expect(rows.map(({ id }) => id)).toEqual(ids)
})

const isProven = ({ proof }: { readonly proof: string }): boolean => proof.startsWith('`')

test.each(rows.filter(isProven))('$id has tests whose names start with it', ({ id, proof }) => {
  const [, file = ''] = /^`(test\/threats\/[a-z-]+\.test\.ts)`$/.exec(proof) ?? []
  expect(existsSync(`${root}${file}`), proof).toBe(true)
  expect(read(file)).toMatch(new RegExp(`['"\`]${id}\\b`))
})

test.each(rows.filter((row) => !isProven(row)))('$id says why it is not applicable yet', ({ proof }) => {
  expect(proof).toMatch(/^not applicable yet: \w+/)
})
