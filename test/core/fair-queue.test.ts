import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { FairQueue } from '../../packages/core/src/identity/jws/fair-queue.ts'

function createQueue(max = 6) {
  const queue = new FairQueue<string>(max)
  const connections = new Map<string, object>()
  const given: string[] = []
  const of = (name: string): object => {
    const connection = connections.get(name) ?? {}
    connections.set(name, connection)
    return connection
  }
  // The first letter names the connection.
  const add = (...items: readonly string[]): void => {
    for (const item of items) queue.add(item, of(item.slice(0, 1)), () => void given.push(item))
  }
  const takeAll = (): string[] => {
    const taken: string[] = []
    for (let item = queue.take(); item !== undefined; item = queue.take()) taken.push(item)
    return taken
  }
  return {
    queue,
    add,
    takeAll,
    given,
    postpone: (name: string) => queue.postpone(of(name)),
    restore: (name: string) => queue.restore(of(name)),
  }
}

describe('what waits', () => {
  test('is nothing at first', () => {
    expect(createQueue().queue.take()).toBeUndefined()
  })

  test('has its turn by connection, and of one connection in the order in which it came', () => {
    const { add, takeAll, given } = createQueue()
    add('a1', 'a2', 'a3', 'b1', 'b2', 'c1')
    expect(takeAll()).toEqual(['a1', 'b1', 'c1', 'a2', 'b2', 'a3'])
    expect(given).toEqual([])
  })

  test('comes after all others once its connection was postponed, also what waits already', () => {
    const { add, takeAll, postpone } = createQueue()
    add('a1', 'a2', 'b1')
    postpone('a')
    add('a3', 'c1')
    expect(takeAll()).toEqual(['b1', 'c1', 'a1', 'a2', 'a3'])
    add('a4', 'd1')
    expect(takeAll()).toEqual(['d1', 'a4'])
  })

  test('comes with all others again once right ones have made up for the wrong ones', () => {
    const { add, takeAll, postpone, restore } = createQueue(10)
    restore('a')
    postpone('a')
    postpone('a')
    restore('a')
    add('a1', 'b1')
    expect(takeAll()).toEqual(['b1', 'a1'])
    add('a2', 'b2')
    restore('a')
    add('c1')
    expect(takeAll()).toEqual(['b2', 'a2', 'c1'])
    add('a3', 'b3')
    expect(takeAll()).toEqual(['a3', 'b3'])
  })

  test('is made up for by a bounded number of right ones, however many were wrong', () => {
    const { add, takeAll, postpone, restore } = createQueue()
    for (let i = 0; i < 1000; i += 1) postpone('a')
    for (let i = 0; i < 16; i += 1) restore('a')
    add('a1', 'b1')
    expect(takeAll()).toEqual(['a1', 'b1'])
  })

  test('is bounded: who was postponed takes the newest place of the postponed one that has most', () => {
    const { add, takeAll, given, postpone } = createQueue()
    postpone('f')
    postpone('g')
    add('a1', 'f1', 'f2', 'f3', 'f4', 'f5', 'g1')
    expect(given).toEqual(['f5'])
    expect(takeAll()).toEqual(['a1', 'f1', 'g1', 'f2', 'f3', 'f4'])
  })

  test('is bounded: a newcomer takes the newest place of the connection that has most', () => {
    const { add, takeAll, given } = createQueue()
    add('a1', 'b1', 'b2', 'c1', 'c2', 'c3', 'd1')
    expect(given).toEqual(['c3'])
    add('d2')
    expect(given).toEqual(['c3', 'd2'])
    expect(takeAll()).toEqual(['a1', 'b1', 'c1', 'd1', 'b2', 'c2'])
  })

  test('is bounded: a newcomer takes the place of what was postponed before any other', () => {
    const { add, takeAll, given, postpone } = createQueue()
    add('a1', 'b1', 'b2', 'c1', 'c2', 'c3')
    postpone('b')
    add('d1', 'b3', 'c4')
    expect(given).toEqual(['b1', 'b3', 'b2'])
    add('c5')
    expect(given).toEqual(['b1', 'b3', 'b2', 'c5'])
    expect(takeAll()).toEqual(['a1', 'c1', 'd1', 'c2', 'c3', 'c4'])
  })

  test('is taken or given up, each once, whatever happens, and never more than there are places', () => {
    const step = fc.oneof(
      fc.record({ kind: fc.constant('add' as const), name: fc.constantFrom('a', 'b', 'c', 'd') }),
      fc.record({ kind: fc.constant('postpone' as const), name: fc.constantFrom('a', 'b', 'c', 'd') }),
      fc.record({ kind: fc.constant('restore' as const), name: fc.constantFrom('a', 'b', 'c', 'd') }),
      fc.record({ kind: fc.constant('take' as const), name: fc.constant('') }),
    )
    fc.assert(
      fc.property(fc.array(step, { maxLength: 80 }), (steps) => {
        const { queue, add, takeAll, given, postpone, restore } = createQueue()
        const added: string[] = []
        const taken: string[] = []
        for (const [i, { kind, name }] of steps.entries()) {
          if (kind === 'add') {
            added.push(`${name}${i}`)
            add(`${name}${i}`)
          } else if (kind === 'postpone') postpone(name)
          else if (kind === 'restore') restore(name)
          else taken.push(...[queue.take() ?? []].flat())
          expect(added.length - taken.length - given.length).toBeLessThanOrEqual(6)
        }
        expect([...taken, ...takeAll(), ...given].toSorted()).toEqual(added.toSorted())
        expect(queue.take()).toBeUndefined()
      }),
    )
  })
})
