// What a refusal leaves behind, counted rather than measured: nothing that is kept, nothing that is displaced, nothing that is thrown.
import { execFile } from 'node:child_process'
import { subscribe, unsubscribe } from 'node:diagnostics_channel'
import { Session } from 'node:inspector'
import { setImmediate as nextTurn } from 'node:timers/promises'
import { promisify } from 'node:util'
import { authenticated, createGuard, type Decision } from '@countersign/core'
import { describe, expect, test } from 'vitest'
import { codeFor, codeOf, requestWith } from './support/asking.ts'
import { createHostileTokens } from './support/hostile-tokens.ts'
import { createHouse, issuer } from './support/house.ts'

const script = new URL('support/print-kept-heap.ts', import.meta.url)

describe('of tokens that were refused, whatever they were,', () => {
  test('no heap is kept', async () => {
    const limit = 8
    const options = ['--expose-gc', script.pathname, '160', String(limit)]
    const { stdout } = await promisify(execFile)(process.execPath, options)
    expect(Number(stdout)).toBeLessThan(limit)
  })

  test('none is remembered, and none displaces one that was verified', async () => {
    const house = createHouse()
    const { clock, signer, token } = house
    const guard = createGuard(
      {
        audience: 'orders',
        issuers: [{ issuer, jwks: { keys: [{ ...signer.jwk, kid: 'key-1' }] } }],
        cache: { maxEntries: 4 },
        log: false,
      },
      { clock },
    )
    /** How each token was verified: `cache`, where it was known. */
    const sources = async (texts: readonly string[]): Promise<readonly string[]> => {
      const told: string[] = []
      const listen = (event: unknown): void => {
        told.push((event as { verification: string }).verification) // as the channel has it
      }
      subscribe('countersign:decision', listen)
      for (const text of texts) await codeFor(guard, text)
      unsubscribe('countersign:decision', listen)
      return told
    }
    const good = [token(), token()]
    expect(await sources(good)).toEqual(['fresh', 'fresh'])
    const flood = Object.values(createHostileTokens(house)).flatMap((make) =>
      Array.from({ length: 20 }, (_, i) => make(i)),
    )
    // The same signature, or the same end of it, by which tokens are found again.
    const twins = good.flatMap((text) => {
      const [head = '', body = '', tail = ''] = text.split('.')
      return [
        `${head}.${body}A.${tail}`,
        `${head}.${body}.${'A'.repeat(43)}${tail.slice(43)}`,
        `${body}.${head}.${tail}`,
      ]
    })
    for (const text of [...flood, ...twins]) expect(await codeFor(guard, text)).not.toBe('allow')
    expect(await sources(good)).toEqual(['cache', 'cache'])
  })
})

/** Exceptions that are thrown in a call and caught again, by whomever. */
function thrownIn(call: () => unknown): number {
  let thrown = 0
  const session = new Session()
  session.connect()
  session.on('Debugger.paused', () => {
    thrown += 1
  })
  session.post('Debugger.enable')
  session.post('Debugger.setPauseOnExceptions', { state: 'all' })
  call()
  session.disconnect()
  return thrown
}

describe('a refusal in the turn in which a token came', () => {
  // What is no text at all, or no JSON where nobody could sign anything else, is found out by the platform's parsers.
  const byException = new Set([
    'a header that is no JSON',
    'a header that is no text',
    'claims that are no text',
  ])
  const house = createHouse()
  const { guard, token } = house

  test('is told apart from an exception', () => {
    const failing = (): unknown => {
      try {
        return JSON.parse('{')
      } catch {
        return undefined
      }
    }
    expect([thrownIn(failing), thrownIn(() => 1)]).toEqual([1, 0])
  })

  test.each(Object.entries(createHostileTokens(house)))('throws nothing: %s', async (kind, make) => {
    await codeFor(guard, token()) // the key is ready
    await nextTurn()
    let decision: Decision | Promise<Decision> | undefined
    const request = requestWith(`Bearer ${make(1)}`)
    const thrown = thrownIn(() => (decision = guard.decide(request, authenticated())))
    if (decision === undefined || decision instanceof Promise) throw new Error('expected an answer at once')
    expect(codeOf(decision)).not.toBe('allow')
    expect(thrown).toBeLessThanOrEqual(byException.has(kind) ? 1 : 0)
  })
})
