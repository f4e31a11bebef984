import { join, resolve } from 'node:path'
import { pathToFileURL } from 'node:url'
import { runInThisContext } from 'node:vm'
import { afterEach, expect, test, vi } from 'vitest'
import { declaredAt } from '../../packages/core/src/declared-at.ts'

const declares = (): string | null => declaredAt(declares)

/** Calls from a file of this name, as Node would show one: by its path in CommonJS, by its URL in an ES module. */
function callFrom(filename: string, code = '(f) => f()'): unknown {
  const call: (f: typeof declares) => unknown = runInThisContext(`\n\n${code}`, { filename })
  return call(declares)
}

const here = (name: string): string => join(process.cwd(), 'src', name)
const { prepareStackTrace, stackTraceLimit } = Error

afterEach(() => {
  Error.prepareStackTrace = prepareStackTrace
  Error.stackTraceLimit = stackTraceLimit
  vi.restoreAllMocks()
})

test('is the file and line of whoever declares', () => {
  expect(declares()).toMatch(/^test\/core\/declared-at\.test\.ts:\d+$/)
})

test.each([
  ['a path, as in CommonJS', here('orders.cjs'), 'src/orders.cjs:3'],
  ['a URL, as in an ES module', pathToFileURL(here('orders.mjs')).href, 'src/orders.mjs:3'],
  ['a URL with escapes', pathToFileURL(here('a b (c)/orders é.mjs')).href, `src/a b (c)/orders é.mjs:3`],
  ['a path with a blank', here('a b.cjs'), 'src/a b.cjs:3'],
  ['a path outside', resolve('/elsewhere/orders.cjs'), `${resolve('/elsewhere/orders.cjs')}:3`],
  ['a neighbour', `${process.cwd()}-other/orders.cjs`, `${process.cwd()}-other/orders.cjs:3`],
  ['two dots in a name', join(process.cwd(), '..orders.cjs'), '..orders.cjs:3'],
])('reads %s', (_what, filename, place) => {
  expect(callFrom(filename)).toBe(place)
  expect(callFrom(filename, '(f) => (function named() { return f() })()')).toBe(place)
  expect(callFrom(filename, '(f) => new (class { constructor() { this.place = f() } })().place')).toBe(place)
})

test.each(['node:internal/main', 'evalmachine.<anonymous>', 'https://example.test/a.mjs', 'file://%zz/a'])(
  'knows no place in %s',
  (filename) => {
    expect(callFrom(filename)).toBeNull()
  },
)

test('knows no place in code that was made of text', () => {
  expect(callFrom(here('a.cjs'), '(f) => eval("f")()')).toBe('src/a.cjs:3')
  expect(callFrom(here('a.cjs'), '(f) => new Function("f", "return f()")(f)')).toBeNull()
})

test('needs no stack traces of the application, and leaves their settings as they were', () => {
  Error.stackTraceLimit = 0
  expect(declares()).toMatch(/declared-at/)
  expect(Error.stackTraceLimit).toBe(0)
})

test('a stack trace that the application has made its own is no place', () => {
  Error.prepareStackTrace = () => ['not a text']
  expect(declares()).toBeNull()
  Error.prepareStackTrace = () => {
    throw new Error('no traces')
  }
  expect(declares()).toBeNull()
  expect(Error.stackTraceLimit).toBe(stackTraceLimit)
})

test('is whole where there is no working directory', () => {
  const filename = here('orders.cjs')
  vi.spyOn(process, 'cwd').mockImplementation(() => {
    throw new Error('ENOENT')
  })
  expect(callFrom(filename)).toBe(`${filename}:3`)
})

test('says nothing where nobody declares', () => {
  expect(declaredAt(() => undefined)).toBeNull()
})
