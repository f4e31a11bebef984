import { createTestClock } from '@countersign/testing'
import { describe, expect, test } from 'vitest'

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

describe('a scheduled task', () => {
  const start = createTestClock().now()

  /** Notes when each task ran, by the clock it was given. */
  function noting() {
    const clock = createTestClock()
    const ran: string[] = []
    const schedule = (name: string, delayMs: number): (() => void) =>
      clock.schedule(() => void ran.push(`${name} at ${clock.now() - start}`), delayMs)
    return { clock, ran, schedule }
  }

  test('runs once, when the clock has been moved to its time and not before', () => {
    const { clock, ran, schedule } = noting()
    schedule('task', 1000)
    clock.advance(999)
    expect(ran).toEqual([])
    clock.advance(1)
    clock.advance({ seconds: 10 })
    expect(ran).toEqual(['task at 1000'])
  })

  test('runs in the order of due times, each at its own, those of one time in the order of scheduling', () => {
    const { clock, ran, schedule } = noting()
    schedule('late', 300)
    schedule('early', 100)
    schedule('next', 200)
    schedule('too', 200)
    clock.set(new Date(start + 5000))
    expect(ran).toEqual(['early at 100', 'next at 200', 'too at 200', 'late at 300'])
    expect(clock.now()).toBe(start + 5000)
  })

  test('may schedule another one, which runs in the same move if it is due', () => {
    const { clock, ran, schedule } = noting()
    clock.schedule(() => schedule('second', 100), 100)
    clock.advance(199)
    expect(ran).toEqual([])
    clock.advance(1)
    expect(ran).toEqual(['second at 200'])
  })

  test('is a millisecond away at least, so that one which schedules itself ends', () => {
    const { clock, ran, schedule } = noting()
    const again = (): void => {
      schedule('now', 0)
      clock.schedule(again, 0)
    }
    again()
    clock.advance(3)
    expect(ran).toEqual(['now at 1', 'now at 2', 'now at 3'])
  })

  test('does not run after it was taken back', () => {
    const { clock, ran, schedule } = noting()
    const takeBack = schedule('task', 100)
    schedule('other', 100)
    takeBack()
    clock.advance(100)
    expect(ran).toEqual(['other at 100'])
  })

  test('is neither run nor put off by moving the clock back', () => {
    const { clock, ran, schedule } = noting()
    schedule('task', 100)
    clock.advance({ seconds: -3600 })
    expect(ran).toEqual([])
    clock.advance(100)
    expect(ran).toEqual([`task at ${100 - 3_600_000}`])
  })

  test('may move the clock itself', () => {
    const { clock, ran, schedule } = noting()
    clock.schedule(() => clock.advance(1000), 100)
    schedule('task', 500)
    clock.advance(200)
    expect(ran).toEqual(['task at 500'])
    expect(clock.now()).toBe(start + 1100)
  })
})

describe('a time that is none', () => {
  const times = [NaN, Infinity, -Infinity]

  test.each(times)('is refused, not shown: %s', (time) => {
    const clock = createTestClock()
    expect(() => clock.advance(time)).toThrow(RangeError)
    expect(() => clock.advance({ seconds: time })).toThrow(RangeError)
    expect(() => clock.set(new Date(time))).toThrow(RangeError)
    expect(() => createTestClock(new Date(time))).toThrow(RangeError)
    expect(clock.now()).toBe(Date.parse('2030-01-01T00:00:00Z'))
  })
})
