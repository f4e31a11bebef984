import { globSync, readFileSync } from 'node:fs'
import { sep } from 'node:path'
import { fileURLToPath } from 'node:url'
import { describe, expect, test } from 'vitest'
import { cyclesAmong, drawersAmong, violationsIn } from './rules.ts'
import { parseSource } from './source.ts'

const root = fileURLToPath(new URL('../../', import.meta.url))

function filesMatching(...patterns: string[]): string[] {
  const found = globSync(patterns, { cwd: root, exclude: ['**/node_modules', '**/dist'] })
  return found.map((path) => path.replaceAll(sep, '/')).toSorted()
}

const sources = filesMatching('packages/*/src/**/*.ts')
  .filter((path) => !path.endsWith('.test.ts'))
  .map((path) => parseSource(path, readFileSync(`${root}/${path}`, 'utf8')))

describe('the published sources', () => {
  test('are all seen', () => {
    const packages = new Set(sources.map(({ path }) => path.split('/')[1]))
    expect(packages).toEqual(
      new Set([
        'core',
        'decorators',
        'express',
        'fastify',
        'grpc',
        'hono',
        'koa',
        'nest',
        'node-http',
        'policy',
        'testing',
        'ws',
      ]),
    )
  })

  test.each(sources.map((source) => [source.path, source] as const))(
    '%s imports only what it may',
    (_, source) => {
      expect(violationsIn(source)).toEqual([])
    },
  )

  test('load each other in no circle', () => {
    expect(cyclesAmong(sources)).toEqual([])
  })
})

test('no folder is a drawer for what has no place', () => {
  const everything = filesMatching('{packages,examples,test,scripts,docs}/**/*.{ts,mjs,js,md}')
  expect(drawersAmong(everything)).toEqual([])
})
