// T30 What strangers with invented tokens can cause: so much, and no more.
import { createTestClock } from '@countersign/testing'
import { describe, expect, test } from 'vitest'
import { settled } from './support/asking.ts'
import {
  activeAnswer,
  codeOfResult,
  introspectorOf,
  openAuthorizationServer,
  scriptedFetch,
} from './support/introspecting.ts'

function scripted(maxConcurrent: number) {
  const clock = createTestClock()
  const { fetch, questions } = scriptedFetch()
  const options = { endpoint: 'https://idp.test/introspect', maxConcurrent }
  const introspector = introspectorOf('https://idp.test', clock, options, { fetch })
  const introspect = (token: string) => introspector.introspect(token).then(codeOfResult)
  return { clock, questions, introspect }
}

describe('T30 tokens that are asked about', () => {
  test('are asked about once, however many requests carry one', async () => {
    await using server = await openAuthorizationServer({})
    server.answers(activeAnswer(server.clock))
    const introspector = server.introspector()
    const results = await Promise.all(Array.from({ length: 200 }, () => introspector.introspect('one')))
    expect(new Set(results.map(codeOfResult))).toEqual(new Set(['active']))
    expect(server.asked).toHaveLength(1)
  })

  test('T31 are asked about again once that is over: a failure is shared by those who waited for it only', async () => {
    const { questions, introspect } = scripted(1)
    const both = Promise.all([introspect('one'), introspect('one')])
    await settled()
    questions[0]?.fail(new Error('down'))
    expect(await both).toEqual(['introspection_unavailable', 'introspection_unavailable'])
    const again = introspect('one')
    await settled()
    expect(questions).toHaveLength(2)
    questions[1]?.answer({ active: false })
    expect(await again).toBe('token_inactive')
  })

  test('T25 never share an answer that is not theirs', async () => {
    const { questions, introspect, clock } = scripted(2)
    const one = introspect('one')
    const other = introspect('other')
    await settled()
    expect(questions).toHaveLength(2)
    questions[1]?.answer(activeAnswer(clock))
    questions[0]?.answer({ active: false })
    expect([await one, await other]).toEqual(['token_inactive', 'active'])
  })

  test('are no more than `maxConcurrent` at a time, 128 wait in turn, and the rest is told so at once', async () => {
    const { questions, introspect } = scripted(2)
    const results = Array.from({ length: 130 }, (_, i) => introspect(`token-${i}`))
    expect(await introspect('too-much')).toBe('issuer_overloaded')
    await settled()
    expect(questions).toHaveLength(2)
    for (let i = 0; i < 130; i += 1) {
      expect(questions.length).toBe(Math.min(2 + i, 130))
      questions[i]?.answer({ active: false })
      await settled()
    }
    expect(new Set(await Promise.all(results))).toEqual(new Set(['token_inactive']))
    expect(questions).toHaveLength(130)
  })

  test('keep their place for those who come with the same, also where the line is full', async () => {
    const { questions, introspect } = scripted(1)
    const results = Array.from({ length: 129 }, (_, i) => introspect(`token-${i}`))
    const same = [introspect('token-0'), introspect('token-128')]
    expect(await introspect('token-129')).toBe('issuer_overloaded')
    for (let i = 0; i < 129; i += 1) {
      await settled()
      questions[i]?.answer({ active: false })
    }
    expect(await Promise.all(same)).toEqual(['token_inactive', 'token_inactive'])
    await Promise.all(results)
  })

  test('T31 are asked about again after there was too much', async () => {
    const { questions, introspect } = scripted(1)
    const results = Array.from({ length: 129 }, (_, i) => introspect(`token-${i}`))
    expect(await introspect('late')).toBe('issuer_overloaded')
    for (let i = 0; i < 129; i += 1) {
      await settled()
      questions[i]?.answer({ active: false })
    }
    await Promise.all(results)
    const late = introspect('late')
    await settled()
    questions[129]?.answer({ active: false })
    expect(await late).toBe('token_inactive')
  })

  test('wait no longer than five seconds for their turn, and are then all told at once', async () => {
    const { clock, questions, introspect } = scripted(1)
    const first = introspect('first')
    const waiting = [introspect('a'), introspect('b')]
    clock.advance(1)
    const inTime = introspect('c')
    clock.advance(5000)
    await settled()
    questions[0]?.fail(new Error('slow'))
    expect(await Promise.all([first, ...waiting])).toEqual([
      'introspection_unavailable',
      'issuer_overloaded',
      'issuer_overloaded',
    ])
    await settled()
    expect(questions).toHaveLength(2)
    questions[1]?.answer({ active: false })
    expect(await inTime).toBe('token_inactive')
  })

  test('T28 are kept to 32 at a time by a real server, however many thousands come', async () => {
    let running = 0
    let most = 0
    const full = Promise.withResolvers<void>()
    const gate = Promise.withResolvers<void>()
    await using server = await openAuthorizationServer(async (response) => {
      running += 1
      most = Math.max(most, running)
      if (running === 32) full.resolve()
      await gate.promise
      running -= 1
      response.end('{"active":false}')
    })
    const introspector = server.introspector()
    const results = Array.from({ length: 2000 }, (_, i) => introspector.introspect(`invented-${i}`))
    await full.promise
    gate.resolve()
    const codes = (await Promise.all(results)).map(codeOfResult)
    expect(most).toBe(32)
    expect(codes.filter((code) => code === 'issuer_overloaded')).toHaveLength(2000 - 32 - 128)
    expect(codes.filter((code) => code === 'token_inactive')).toHaveLength(160)
    expect(server.asked).toHaveLength(160)
  })
})
