import {
  allOf,
  authenticated,
  callerOptional,
  ConfigurationError,
  scopes,
  unprotected,
  type Placement,
} from '@countersign/core'
import { describe, expect, test } from 'vitest'
import {
  joinPlacements,
  placementInCode,
  withDocument,
  withFloor,
} from '../../packages/core/src/policy/joined-placements.ts'
import { isRequirement, requirePlacement } from '../../packages/core/src/policy/placement.ts'

const read = scopes('orders:read')
const write = scopes('orders:write')
const probe = unprotected('probe')
const other = unprotected('another probe')
const greeting = callerOptional('greeting')

test.each([undefined, null, true, 'unprotected', () => true, {}, [read], { text: 'x', reason: 'y' }])(
  '%j says nothing of who may call',
  (value) => {
    expect(() => requirePlacement(value, 'route')).toThrow(ConfigurationError)
    expect(() => requirePlacement(value, 'route')).toThrow(/^`route`: expected .*, got ./)
  },
)

test('a placement of another copy of the library is not taken for one', () => {
  const foreign = Object.create(null, { [Symbol.for('countersign.copy')]: { value: '9.9.9 at elsewhere' } })
  expect(() => requirePlacement(foreign, 'route')).toThrow(/9\.9\.9 at elsewhere/)
})

test.each([read, probe, greeting])('$text says who may call, and stays so', (placement) => {
  expect(requirePlacement(placement, 'route')).toBe(placement)
  expect(isRequirement(placement)).toBe(placement === read)
  expect(() => Object.assign(placement, { text: 'authenticated()' })).toThrow(TypeError)
})

test.each([
  [probe, 'unprotected(probe)', 'probe'],
  [greeting, 'callerOptional(greeting)', 'greeting'],
] as const)('%s is read by people, with its reason', (placement, text, reason) => {
  expect(placement).toMatchObject({ text, reason })
})

test.each([undefined, null, '', ' \n\t', 5, ['x'], { reason: 'x' }])('%j is no reason', (reason) => {
  for (const [name, make] of Object.entries({ unprotected, callerOptional })) {
    const declare = () => make(reason as string) // what a caller without types may pass
    expect(declare).toThrow(ConfigurationError)
    expect(declare).toThrow(`\`${name}(reason)\`: `)
    expect(declare).toThrow(`${name}('`)
  }
})

describe('several declarations of one route', () => {
  test.each<[string, readonly Placement[], Placement | undefined]>([
    ['none', [], undefined],
    ['one that asks', [read], read],
    ['one that asks for nothing', [probe], probe],
    ['one that asks, whatever stands beside it', [probe, greeting, read, probe], read],
    ['a caller who may be absent, and nobody at all', [probe, greeting], greeting],
    ['the same in the other order', [greeting, probe], greeting],
    ['two that ask for nothing', [probe, other], probe],
  ])('are one: %s', (_, placements, expected) => {
    expect(joinPlacements(placements)).toBe(expected)
  })

  test.each<[readonly Placement[], string]>([
    [[read, write], allOf(read, write).text],
    [[write, probe, read], allOf(write, read).text],
    [[read, write, authenticated()], allOf(read, write, authenticated()).text],
  ])('that all ask are all asked', (placements, text) => {
    expect(joinPlacements(placements)?.text).toBe(text)
  })
})

describe('a route below a floor', () => {
  test('asks for both', () => {
    expect(withFloor(read, write).text).toBe(allOf(read, write).text)
    expect(withFloor(write, read).text).toBe(allOf(write, read).text)
  })

  test('asks for its own where there is no floor, or it is the floor itself', () => {
    expect(withFloor(undefined, read)).toBe(read)
    expect(withFloor(read, read)).toBe(read)
  })

  test('asks for one thing that is made once, for each pair', () => {
    const own = authenticated()
    const joined = withFloor(read, own)
    expect(withFloor(read, own)).toBe(joined)
    expect(withFloor(write, own)).not.toBe(joined)
    expect(withFloor(read, write)).not.toBe(joined)
    expect(withFloor(read, own)).toBe(joined)
  })
})

describe('what code says of a route', () => {
  const cover = authenticated()
  const text = (...given: Parameters<typeof placementInCode>) => placementInCode(...given)?.text

  test.each<[string, Parameters<typeof placementInCode>, string | undefined]>([
    ['nothing', [undefined, undefined, undefined, undefined], undefined],
    ['a floor alone, which is no declaration', [undefined, write, undefined, undefined], undefined],
    ['what undeclared routes get', [undefined, undefined, undefined, cover], cover.text],
    ['that, on the floor', [undefined, write, undefined, cover], allOf(write, cover).text],
    ['a floor, where the document declares', [undefined, write, read, cover], write.text],
    ['nothing, where the document declares', [undefined, undefined, read, cover], undefined],
    ['a declaration', [read, undefined, undefined, cover], read.text],
    ['a declaration on a floor', [read, write, undefined, cover], allOf(write, read).text],
    ['one that asks nothing', [probe, undefined, undefined, cover], probe.text],
    ['one that asks nothing, on a floor', [probe, write, undefined, cover], write.text],
  ])('is %s', (_, given, expected) => {
    expect(text(...given)).toBe(expected)
  })
})

describe('what code and document say of a route', () => {
  test.each<[string, Parameters<typeof withDocument>, string | undefined]>([
    ['nothing, where neither does', [undefined, undefined], undefined],
    ['what code says', [read, undefined], read.text],
    ['what the document says', [undefined, read], read.text],
    ['both', [read, write], allOf(read, write).text],
    ['what the document asks, where code asks nothing', [probe, read], read.text],
    ['what code asks, where the document asks nothing', [read, greeting], read.text],
    ['what code says, where neither asks', [probe, greeting], probe.text],
    ['that the document asks nothing', [undefined, greeting], greeting.text],
  ])('is %s', (_, given, expected) => {
    expect(withDocument(...given)?.text).toBe(expected)
  })
})
