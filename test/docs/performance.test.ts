import { readFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import { chartWith, pageWith, readResults } from '../benchmarks/page.ts'
import { read, root } from './documents.ts'

// After a change on purpose: `npm run bench <part> -- --write`.
test('the page and its chart show what was measured', () => {
  const page = read('docs/performance.md')
  expect(pageWith(readResults(), page)).toBe(page)
  expect(readFileSync(`${root}docs/performance.svg`, 'utf8')).toBe(chartWith(readResults()))
})
