import { createTestClock } from '@countersign/testing'
import { expect, test } from 'vitest'

test('stands still until it is moved', () => {
  const clock = createTestClock(new Date('2031-05-01T12:00:00Z'))
  expect(clock.now()).toBe(Date.parse('2031-05-01T12:00:00Z'))
  expect(clock.now()).toBe(clock.now())
})

test('starts at the same moment in every run', () => {
  expect(createTestClock().now()).toBe(Date.parse('2030-01-01T00:00:00Z'))
})

test('advances by milliseconds or by seconds, and back', () => {
  const clock = createTestClock(new Date(1000))
  clock.advance(500)
  expect(clock.now()).toBe(1500)
  clock.advance({ seconds: 90 })
  expect(clock.now()).toBe(91_500)
  clock.advance({ seconds: -90 })
  expect(clock.now()).toBe(1500)
})

test('is set to any moment', () => {
  const clock = createTestClock()
  clock.set(new Date('2040-01-01T00:00:00Z'))
  expect(clock.now()).toBe(Date.parse('2040-01-01T00:00:00Z'))
})
