// Not how long anything takes, which no test can say: that every contender does what it is measured for.
import { expect, test } from 'vitest'
import { compare, type Contender, type Plan } from './measure.ts'
import { cold } from './parts/cold.ts'
import { flood } from './parts/flood.ts'
import { hostile } from './parts/hostile.ts'
import { http } from './parts/http.ts'
import { growth } from './parts/growth.ts'
import { memory } from './parts/memory.ts'
import { mtls } from './parts/mtls.ts'
import { start } from './parts/start.ts'
import { warm } from './parts/warm.ts'
import { markdownOf } from './report.ts'

const small: Plan = { rounds: 1, times: 20 }

test.each([
  ['cold', cold],
  ['warm', warm],
  ['hostile', hostile],
  ['http', http],
  ['flood', flood],
  ['mtls', mtls],
  ['growth', growth],
])('%s: every contender has the outcome that it should have', async (part, measure) => {
  const tables = await measure(small)
  expect(tables.length).toBeGreaterThan(1)
  for (const table of tables) {
    expect(table).toMatchObject({ part, title: expect.any(String), unit: expect.any(String) })
    expect(table.rows.some(({ name }) => name.startsWith('Countersign'))).toBe(true)
    for (const { name, median } of table.rows) expect(median, name).toBeGreaterThan(0)
  }
})

test('memory: what is kept of tokens is told, of good ones and bad ones', async () => {
  const [kept, refused, many] = await memory({ ...small, rounds: 0 })
  expect(kept).toMatchObject({ rows: [{ name: 'Countersign' }, {}, {}, { name: 'fast-jwt 6, cache' }] })
  expect(refused).toMatchObject({ rows: [{}, {}, {}, { name: 'fast-jwt 6, cache, forged signatures' }] })
  expect(many).toMatchObject({ figures: [{ name: 'Countersign' }] })
})

test('start: every program runs as it is installed', async () => {
  const [loading, sizes] = await start({ ...small, rounds: 0 })
  expect(loading).toMatchObject({ part: 'start', rows: expect.any(Array) })
  if (sizes === undefined || !('figures' in sizes)) throw new Error('expected figures')
  expect(sizes.figures.map(({ name }) => name)).toContain('Countersign for Express, tokens')
  for (const { values } of sizes.figures) expect(Math.min(...values)).toBeGreaterThan(0)
})

const contender = (name: string, work: (times: number) => void): Contender => ({
  name,
  prepare: async () => ({
    async run(times) {
      work(times)
    },
  }),
})
const spin = (times: number): void => {
  let sum = 0
  for (let i = 0; i < times * 20_000; i += 1) sum += Math.sqrt(i)
  if (Number.isNaN(sum)) throw new Error('never')
}

test('a contender that does more is seen to do more', async () => {
  const thrice = contender('thrice', (times) => spin(3 * times))
  const [ratio] = await compare(contender('once', spin), [thrice], { rounds: 5, times: 50 })
  expect(ratio?.median).toBeGreaterThan(1.5)
})

test('a wrong outcome ends the measurement: nobody is fast by being wrong', async () => {
  const wrong = contender('wrong', () => {
    throw new Error('wrong: expected allow')
  })
  await expect(compare(contender('once', spin), [wrong], small)).rejects.toThrow('wrong: expected allow')
})

test('a report says what 1 is', () => {
  const rows = [{ name: 'Countersign', median: 1.234, low: 1.1, high: 12.3 }]
  const tables = [{ part: 'cold', title: 'Cold, RS256', unit: 'CPU of one signature check', rows }]
  expect(markdownOf({ date: '2026-11-22', node: '24.21.0', tables }))
    .toBe(`Measured on 2026-11-22 with Node 24.21.0.

### Cold, RS256

1 is the CPU of one signature check.

|  | ratio | middle half |
| --- | ---: | ---: |
| Countersign | 1.23 | 1.10 – 12 |`)
})
