import { readFileSync, readdirSync } from 'node:fs'
import { expect, test } from 'vitest'

/** Threats to features that do not exist yet. A line leaves this list when its feature comes, with a test in its place. */
const notApplicableYet: Readonly<Record<string, string>> = {}

/** Applicable in part: what can be tested is, and the rest waits. */
const partly: Readonly<Record<string, string>> = {}

const all = Array.from({ length: 58 }, (_, i) => `T${String(i + 1).padStart(2, '0')}`)

test('every threat has a test whose title begins with its id, or a reason why it cannot have one yet', () => {
  const folder = new URL('.', import.meta.url)
  const titles = readdirSync(folder)
    .filter((name) => name.endsWith('.test.ts') && !name.startsWith('not-applicable'))
    .flatMap((name) => readFileSync(new URL(name, folder), 'utf8').match(/(?<=')T\d\d(?= )/g) ?? [])
  const tested = new Set(titles)
  expect(all.filter((id) => !tested.has(id) && notApplicableYet[id] === undefined)).toEqual([])
  expect(Object.keys(notApplicableYet).filter((id) => tested.has(id))).toEqual([])
  expect([...tested].filter((id) => !all.includes(id))).toEqual([])
  expect(Object.keys(partly).filter((id) => !tested.has(id))).toEqual([])
})

test.each(Object.entries({ ...notApplicableYet, ...partly }))('%s waits: %s', (id, reason) => {
  expect(all).toContain(id)
  expect(reason.length).toBeGreaterThan(20)
})
