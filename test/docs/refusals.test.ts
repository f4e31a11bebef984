import { refusals } from '@countersign/core'
import { describe, expect, test } from 'vitest'
import { read, tableRowsBelow } from './documents.ts'

const page = read('docs/refusals.md')
const headings = [...page.matchAll(/^### `(.+)`$/gm)].map(([, code]) => code)

test('the page has an entry for every refusal code, and for nothing else', () => {
  expect(new Set(headings)).toEqual(new Set(Object.keys(refusals)))
  expect(headings).toHaveLength(Object.keys(refusals).length)
})

describe.each(Object.entries(refusals))('%s', (code, { status, stage, fault }) => {
  const heading = `### \`${code}\``

  test('has the status, the stage and the party at fault that the table has', () => {
    expect(tableRowsBelow(page, heading)).toEqual([[String(status), stage, fault]])
  })

  test('says what it means, what the usual cause is, and what to do', () => {
    const [, entry = ''] = page.split(`${heading}\n`)
    const [text = ''] = entry.split(/^#/m)
    const parts =
      /^\|[^]*\|\n\n(?<meaning>[^|-][^]+?)\n\n- \*\*Usual cause:\*\* [^]+\n- \*\*What to do:\*\* [^]+/m
    expect(text).toMatch(parts)
  })
})

test('the example shows an answer as the guard writes it', () => {
  const { token_malformed: entry } = refusals
  expect(page).toContain(`error="${entry.error}", error_description="${entry.sentence}"`)
  expect(page).toContain(`"status":${entry.status},"detail":"${entry.sentence}","error":"${entry.error}"`)
})
