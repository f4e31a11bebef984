import { describe, expect, test } from 'vitest'
import { cyclesAmong, drawersAmong, violationsIn } from './rules.ts'
import { parseSource } from './source.ts'

const core = 'packages/core/src'
const check = (path: string, code: string) => violationsIn(parseSource(path, code))

describe('an import is seen', () => {
  test.each([
    `import { a } from './x.ts'`,
    `import a, * as b from "./x.ts"`,
    `import './x.ts'`,
    `import type { A } from './x.ts'`,
    `import { type A,\n  type B } from './x.ts'`,
    `import data from './x.ts' with { type: 'json' }`,
    `export { a } from './x.ts'`,
    `export type { A } from './x.ts'`,
    `export * from './x.ts'`,
    `export * as all from './x.ts'`,
    `const a = () => import('./x.ts')`,
    `type A = import('./x.ts').A`,
    `function f(a: typeof import('./x.ts')) {}`,
    `import a = require('./x.ts')`,
    `const a = require('./x.ts')`,
    `const a = require.resolve('./x.ts')`,
    `const a = import.meta.resolve('./x.ts')`,
  ])('in %s', (code) => {
    expect(parseSource('a.ts', code).imports.map(({ specifier }) => specifier)).toEqual(['./x.ts'])
  })

  test.each([
    `// import './x.ts'`,
    `const a = "import './x.ts'"`,
    'export const a = 1',
    'export { a }; let a = 1',
  ])('but not in %s', (code) => {
    expect(parseSource('a.ts', code).imports).toEqual([])
  })

  test('with its line', () => {
    expect(check(`${core}/request/a.ts`, `\n\nimport '../policy/scope.ts'`)).toEqual([
      `${core}/request/a.ts:3 imports ../policy/scope.ts: policy is downstream of request`,
    ])
  })
})

const upstreamFirst = ['request', 'evidence', 'identity', 'policy', 'decision', 'enforcement']

describe('a room', () => {
  const pairs = upstreamFirst.flatMap((from) => upstreamFirst.map((to) => [from, to] as const))
  test.each(pairs)('%s may import %s when that is upstream, and else may not', (from, to) => {
    const isAllowed = upstreamFirst.indexOf(to) <= upstreamFirst.indexOf(from)
    const found = check(`${core}/${from}/deep/a.ts`, `import type { A } from '../../${to}/b.ts'`)
    expect(found.map((text) => text.split(': ')[1])).toEqual(
      isAllowed ? [] : [`${to} is downstream of ${from}`],
    )
  })

  test.each(['cache/c.ts', 'clock/c.ts', 'events/c.ts', 'refusal.ts'])('may import the leaf %s', (leaf) => {
    expect(check(`${core}/request/a.ts`, `import '../${leaf}'`)).toEqual([])
  })

  test.each([
    'guard.ts',
    'main-path.ts',
    'options/a.ts',
    'context.ts',
    'index.ts',
    'adapter.ts',
    'certificate.ts',
    'token.ts',
    'census.ts',
  ])('may not import %s', (file) => {
    const [violation] = check(`${core}/enforcement/a.ts`, `import '../${file}'`)
    expect(violation).toContain('stands above the rooms and no room knows it')
  })
})

describe('a leaf', () => {
  test.each(['cache/a.ts', 'clock/a.ts', 'events/a.ts'])('%s may import a leaf, but no room', (leaf) => {
    expect(check(`${core}/${leaf}`, `import '../refusal.ts'`)).toEqual([])
    expect(check(`${core}/${leaf}`, `import '../request/headers.ts'`)[0]).toContain('uses nothing but leaves')
    expect(check(`${core}/${leaf}`, `import '../guard.ts'`)[0]).toContain('uses nothing but leaves')
  })

  test('may be a file', () => {
    expect(check(`${core}/refusal.ts`, `import './policy/scope.ts'`)[0]).toContain(
      'the leaf refusal.ts uses nothing',
    )
  })
})

describe('a file above the rooms', () => {
  test.each([
    'guard.ts',
    'main-path.ts',
    'options/a.ts',
    'context.ts',
    'facts.ts',
    'index.ts',
    'adapter.ts',
    'certificate.ts',
    'token.ts',
  ])('may be %s and see all', (file) => {
    const up = file.includes('/') ? '..' : '.'
    const all = upstreamFirst.map((room) => `import '${up}/${room}/a.ts'`).join('\n')
    expect(check(`${core}/${file}`, all)).toEqual([])
  })

  test('sees no room when it is not known', () => {
    expect(check(`${core}/guard-extras.ts`, `import './policy/scope.ts'`)[0]).toContain('may see the rooms')
    expect(check(`${core}/guard-extras.ts`, `import './guard.ts'`)).toEqual([])
  })
})

describe('a package', () => {
  const adapter = 'packages/express/src/a.ts'
  test.each([
    [adapter, '@countersign/core', undefined],
    [adapter, '@countersign/core/adapter', undefined],
    [adapter, '@countersign/core/certificate', undefined],
    [adapter, '@countersign/core/token', undefined],
    [adapter, 'express', undefined],
    [adapter, 'node:http', undefined],
    [adapter, '@countersign/core/dist/guard.js', 'use @countersign/core or '],
    [adapter, '@countersign/express', 'use @countersign/core or '],
    [adapter, '@countersign/decorators', 'use @countersign/core or '],
    ['packages/nest/src/a.ts', '@countersign/decorators', undefined],
    [adapter, '@countersign/testing', 'nothing that is published depends on the testing package'],
    [adapter, '../../core/src/guard.ts', 'a package is imported by its name'],
    [adapter, '#guard', 'files are imported by their relative path'],
    [adapter, '/etc/x.ts', 'files are imported by their relative path'],
    [adapter, 'jose', 'allowed in packages/core/src/, packages/testing/src/ only'],
    [adapter, 'jose/jwt/verify', 'allowed in packages/core/src/, packages/testing/src/ only'],
    [adapter, 'node:crypto', 'allowed in packages/core/src/, packages/testing/src/ only'],
    [adapter, 'crypto', 'parts of Node are imported as `node:crypto`'],
    ['packages/decorators/src/a.ts', '@peculiar/x509', 'allowed in'],
    [`${core}/identity/certificate/a.ts`, '@peculiar/x509', 'allowed in packages/testing/src/'],
    ['packages/testing/src/a.ts', '@peculiar/x509', undefined],
    [`${core}/identity/token/a.ts`, 'jose', undefined],
  ])('%s that imports %s: %s', (path, specifier, why) => {
    const found = check(path, `import '${specifier}'`)
    if (why === undefined) expect(found).toEqual([])
    else expect(found).toEqual([expect.stringContaining(`imports ${specifier}: ${why}`)])
  })

  test('imports nothing under a computed path', () => {
    expect(check(adapter, 'const load = (name: string) => import(name)')[0]).toContain('the path is computed')
  })
})

describe('a published source', () => {
  test.each([
    'await x',
    'export const a = await x',
    'for await (const a of x) {}',
    'await using a = x',
    '{ await x }',
  ])('may not load with %s', (code) => {
    expect(check(`${core}/guard.ts`, code)).toEqual([
      expect.stringContaining('guard.ts:1 awaits while it loads'),
    ])
  })

  test.each([
    'async () => await x',
    'async function f() { for await (const a of x) {} }',
    'class A { async b() { await x } }',
  ])('may wait later: %s', (code) => {
    expect(check(`${core}/guard.ts`, code)).toEqual([])
  })
})

describe('a circle', () => {
  const circle = (kind: string) => [
    parseSource('p/a.ts', `import './b/b.ts'`),
    parseSource('p/b/b.ts', `export * from './c.ts'`),
    parseSource('p/b/c.ts', `import ${kind} { a } from '../a.ts'`),
    parseSource('p/d.ts', `import './a.ts'`),
  ]

  test('is found, once, with its files in order', () => {
    expect(cyclesAmong(circle(''))).toEqual([['p/a.ts', 'p/b/b.ts', 'p/b/c.ts', 'p/a.ts']])
  })

  test('does not count what is only a type', () => {
    expect(cyclesAmong(circle('type'))).toEqual([])
  })
})

test('a drawer is found by its name', () => {
  const paths = [
    'a/utils/x.ts',
    'a/b/helpers/c/x.ts',
    'common/x.ts',
    'a/misc/x.ts',
    'a/request/x.ts',
    'a/utilities.ts',
  ]
  expect(drawersAmong(paths)).toEqual(['a/utils', 'a/b/helpers/c', 'common', 'a/misc'])
})
