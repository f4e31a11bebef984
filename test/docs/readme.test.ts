import { describe, expect, test } from 'vitest'
import { read } from './documents.ts'

const readme = read('README.md')

test('names exactly two commands of this repository', () => {
  const commands = readme.match(
    /\b(?:npm (?:run [\w:-]+|test\b|start\b|exec\b|ci\b)|pnpm\b|npx\b|yarn\b|node scripts)/g,
  )
  expect(new Set(commands)).toEqual(new Set(['npm run demo', 'npm test']))
})

test('both commands are scripts of the root package', () => {
  const { scripts } = JSON.parse(read('package.json'))
  expect(scripts).toMatchObject({ demo: expect.any(String), test: expect.any(String) })
})

test('says what it is in three sentences', () => {
  const [, introduction = ''] = readme.split('\n\n')
  expect(introduction.match(/\.(?=\s|$)/g)).toHaveLength(3)
})

test('can be read in a few minutes', () => {
  expect(readme.split('\n').length).toBeLessThanOrEqual(150)
})

describe('the packages table', () => {
  test.each(['core', 'express', 'decorators', 'policy', 'testing'])('has @countersign/%s', (name) => {
    expect(readme).toContain(`[\`@countersign/${name}\`](packages/${name})`)
  })
})
