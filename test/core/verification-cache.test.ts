import { hash } from 'node:crypto'
import { describe, expect, test } from 'vitest'
import { Recurring } from '../../packages/core/src/cache/recurring.ts'
import { VerificationCache } from '../../packages/core/src/cache/verification-cache.ts'

const alive = { isAlive: () => true }
const sized = (bytes: number) => ({ ...alive, bytes })
const weighed = (maxBytes: number) => ({ maxBytes, bytesOf: ({ bytes }: { bytes: number }) => bytes })
const digestOf = (number: number) => hash('sha256', String(number), 'base64url')

describe('what was verified', () => {
  test('is found by its whole digest, and by no part of it', () => {
    const cache = new VerificationCache<typeof alive>(10)
    cache.insert(digestOf(1), alive)
    expect(cache.find(digestOf(1), 0)).toBe(alive)
    expect(cache.find(digestOf(2), 0)).toBeUndefined()
    expect(cache.find(digestOf(1).slice(0, -1), 0)).toBeUndefined()
  })

  test('that is not alive is not found, and forgotten', () => {
    const cache = new VerificationCache<{ isAlive: (nowMs: number) => boolean }>(10)
    cache.insert('a', { isAlive: (nowMs) => nowMs < 5 })
    expect(cache.find('a', 4)).toBeDefined()
    expect(cache.find('a', 5)).toBeUndefined()
    expect(cache.find('a', 4)).toBeUndefined()
  })

  test('is bounded in number: what was longest unused goes first', () => {
    const cache = new VerificationCache<typeof alive>(4)
    for (const key of ['a', 'b', 'c']) cache.insert(key, alive)
    expect(cache.find('a', 0)).toBe(alive)
    for (const key of ['d', 'e']) cache.insert(key, alive)
    const kept = ['a', 'b', 'c', 'd', 'e'].filter((key) => cache.find(key, 0) !== undefined)
    expect(kept.length).toBeLessThanOrEqual(4)
    expect(kept).toEqual(expect.arrayContaining(['a', 'd', 'e']))
    expect(kept).not.toContain('b')
  })

  test('is bounded in octets, by what each of them keeps', () => {
    const cache = new VerificationCache<ReturnType<typeof sized>>(1000, weighed(100))
    for (let i = 0; i < 50; i += 1) cache.insert(digestOf(i), sized(10))
    const kept = Array.from({ length: 50 }, (_, i) => cache.find(digestOf(i), 0)).filter(Boolean)
    expect(kept.length).toBeGreaterThanOrEqual(5)
    expect(kept.length).toBeLessThanOrEqual(10)
  })

  test('counts the octets of what was replaced, forgotten or cleared no more', () => {
    const cache = new VerificationCache<{ bytes: number; isAlive: (nowMs: number) => boolean }>(
      1000,
      weighed(100),
    )
    cache.insert('kept', sized(10))
    for (let i = 0; i < 50; i += 1) cache.insert('same', sized(20))
    for (let i = 0; i < 50; i += 1) {
      cache.insert('dead', { bytes: 20, isAlive: (nowMs) => nowMs < 1 })
      expect(cache.find('dead', 1)).toBeUndefined()
      cache.insert('same', sized(20))
    }
    expect(cache.find('kept', 0)).toBeDefined()
    cache.clear()
    expect(cache.find('kept', 0)).toBeUndefined()
    cache.insert('a', sized(40))
    cache.insert('b', sized(10))
    expect([cache.find('a', 0), cache.find('b', 0)]).toEqual([expect.anything(), expect.anything()])
  })

  test('may be larger than a generation, and is found all the same', () => {
    const cache = new VerificationCache<ReturnType<typeof sized>>(1000, weighed(100))
    cache.insert('large', sized(80))
    expect(cache.find('large', 0)).toBeDefined()
    cache.insert('another', sized(80))
    cache.insert('third', sized(80))
    expect(['large', 'another', 'third'].filter((key) => cache.find(key, 0) !== undefined)).toEqual([
      'another',
      'third',
    ])
  })

  test('is found in a cache of many shards, which holds as many as it says, and no more', () => {
    const max = 70_000
    const cache = new VerificationCache<typeof alive>(max)
    const digests = Array.from({ length: 100_000 }, (_, i) => digestOf(i))
    for (const digest of digests) cache.insert(digest, alive)
    expect(digests.slice(-20_000).every((digest) => cache.find(digest, 0) === alive)).toBe(true)
    const kept = digests.slice(0, -20_000).filter((digest) => cache.find(digest, 0) !== undefined)
    expect(kept.length + 20_000).toBeLessThanOrEqual(max)
    cache.clear()
    expect(digests.some((digest) => cache.find(digest, 0) !== undefined)).toBe(false)
  })
})

describe('what is made of a text', () => {
  test('is made once, and shared', () => {
    const recurring = new Recurring<{ text: string }>()
    const made = recurring.of('orders:read', (text) => ({ text }))
    expect(recurring.of('orders:read', () => ({ text: 'another' }))).toBe(made)
    expect(recurring.of('orders:write', (text) => ({ text }))).toEqual({ text: 'orders:write' })
  })

  test('is kept for texts of ordinary length, and for no unbounded number of them', () => {
    const recurring = new Recurring<object>()
    const long = 'x'.repeat(513)
    expect(recurring.of(long, () => ({}))).not.toBe(recurring.of(long, () => ({})))
    const first = recurring.of('0', () => ({}))
    for (let i = 1; i <= 1024; i += 1) recurring.of(String(i), () => ({}))
    expect(recurring.of('0', () => ({}))).not.toBe(first)
  })
})
