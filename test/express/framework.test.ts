import { describe, expect, test } from 'vitest'
import {
  isMountedAlike,
  isOnTheWay,
  layersOf,
  mountText,
  pathText,
  routerOf,
  type RouterLayer,
} from '../../packages/express/src/framework.ts'
import { expressVersions } from './served-app.ts'

const [, [, express4]] = expressVersions as [unknown, [string, (typeof expressVersions)[number][1]]] // both majors

const handle = (): undefined => undefined
const at = (rawPath: unknown): RouterLayer => ({ handle, rawPath })
const routeAt = (path: unknown): RouterLayer => ({
  handle,
  route: { path, stack: [], methods: {}, dispatch: handle },
})
/** As Express 4 makes them. */
const madeBy4 = (path: string | RegExp | string[]): RouterLayer => {
  const app = express4()
  app.use(path, handle)
  const layer = layersOf(routerOf(app)).at(-1)
  if (layer === undefined) throw new Error('expected a layer')
  return layer
}

describe('the path that a layer is mounted at', () => {
  test.each([
    ['/admin', '/admin'],
    ['/admin/', '/admin'],
    ['/a/b', '/a/b'],
    ['/:a/*b', '/:a/*b'],
    [['/a', '/b'], '/a, /b'],
    [/^\/x/, String.raw`^\/x`],
    [7, ''],
  ])('is %o as it was written', (path, text) => {
    expect(mountText(at(path))).toBe(text)
  })

  test('is nothing at the root', () => {
    expect(mountText({ handle, slash: true, rawPath: '/' })).toBe('')
    expect(mountText(madeBy4('/'))).toBe('')
  })

  test.each(['/admin', '/a/b/c', '/v1.0/x-y_z~', '/A'])('is read from what Express 4 makes of %s', (path) => {
    expect(mountText(madeBy4(path))).toBe(path)
  })

  test.each(['/:a', '/a/:b', '/a*', '/a?', '/(a|b)', '/a%20b', '/a:b(\\d+)'])(
    'is not made up where Express 4 makes a pattern of %s',
    (path) => {
      expect(mountText(madeBy4(path))).toBeUndefined()
    },
  )

  test('is not made up of a pattern that an application writes, or of several paths', () => {
    expect(mountText(madeBy4(/^\/x/))).toBeUndefined()
    expect(mountText(madeBy4(/x\/admin\/?(?=\/|$)/))).toBeUndefined()
    expect(mountText(madeBy4(['/a', '/b']))).toBeUndefined()
    expect(mountText({ handle })).toBeUndefined()
  })
})

test.each([
  ['/admin', '/admin', true],
  ['/admin', '/admin/x', true],
  ['/admin', '/admin/:id', true],
  ['/a/b', '/a/b/c', true],
  ['/admin', '/administration', false],
  ['/admin', '/', false],
  ['/admin', '/x/admin', false],
  ['/a/b', '/a', false],
  ['/:area', '/:area/x', false],
  ['/a*', '/a*/x', false],
  ['/a', '/a/b|/c', false],
  ['/a', ['/a/b'], false],
  ['/a', /^\/a\/b/, false],
  ['x/a', 'x/a/b', false],
  ['/a b', '/a b/c', false],
])('a request that comes to %o comes by it on its way to %o: %s', (earlier, later, isIt) => {
  expect(isOnTheWay(at(earlier), routeAt(later))).toBe(isIt)
  if (typeof later === 'string' && later !== '/') expect(isOnTheWay(at(earlier), at(later))).toBe(isIt)
})

test('nothing is on the way to where nobody knows the path', () => {
  expect(isOnTheWay({ handle }, routeAt('/a'))).toBe(false)
  expect(isOnTheWay(at('/a'), { handle })).toBe(false)
  expect(isOnTheWay({ handle, slash: true }, routeAt('/a'))).toBe(false)
})

test('two layers are mounted alike at the root, at one path, by one pattern', () => {
  const root = { handle, slash: true, rawPath: '/' }
  expect(isMountedAlike(root, root)).toBe(true)
  expect(isMountedAlike(root, at('/'))).toBe(false)
  expect(isMountedAlike(at('/a'), at('/a'))).toBe(true)
  expect(isMountedAlike(at('/a'), at('/b'))).toBe(false)
  expect(isMountedAlike(madeBy4('/a'), madeBy4('/a'))).toBe(true)
  expect(isMountedAlike(madeBy4('/a'), madeBy4('/b'))).toBe(false)
})

test('a path of another kind has no text', () => {
  expect([pathText(undefined), pathText(7), pathText('/a'), pathText([/b/, '/c'])]).toEqual([
    '',
    '',
    '/a',
    'b, /c',
  ])
})

test('an application whose router cannot be looked at has none', () => {
  const throwing = Object.defineProperty({}, 'router', {
    get() {
      throw new Error('deprecated')
    },
  })
  expect(routerOf(throwing as never)).toBeUndefined()
  expect(layersOf({ stack: 'none' })).toEqual([])
})
