// What is wrong with a token is wrong behind every adapter, and none of them tells which it was.
import type { BrokenTokenKind } from '@countersign/testing'
import { describe, expect, test } from 'vitest'
import { callerOptional } from '@countersign/core'
import type { Asked, Door } from '../door.ts'
import { bearer, callerIdOf, good, issuer, wanted } from '../house.ts'
import { opened } from './opened.ts'

const broken: readonly (readonly [title: string, kind: BrokenTokenKind])[] = [
  ['T01 HMAC with the public key', 'hmac-with-public-key'],
  ['T02 no signature', 'alg-none'],
  ['T07 a key of its own', 'embedded-jwk'],
  ['T10 an unknown `crit`', 'critical-header'],
  ['T11 too few characters', 'truncated'],
  ['T16 no `exp`', 'no-expiry'],
  ['T16 no `aud`', 'no-audience'],
  ['T16 another audience', 'wrong-audience'],
  ['T20 another issuer', 'wrong-issuer'],
  ['T22 the kind of an ID token', 'id-token'],
  ['T22 another `typ`', 'wrong-typ'],
  ['T24 the signature of a stranger', 'forged-signature'],
  ['T28 an unknown `kid`', 'unknown-kid'],
  ['T32 an `exp` that is past', 'expired'],
  ['T32 an `nbf` that lies ahead', 'not-yet-valid'],
]

export function tokens(door: Door): void {
  describe('a token', () => {
    test.each(broken)('%s: it reaches no handler, whatever came before it', async (_title, kind) => {
      await opened(door, async ({ ask }) => {
        const bad = bearer(await issuer.broken(kind, 'checkout', wanted))
        expect(await ask([bad])).toMatchObject({ seen: undefined })
        expect((await ask([await good()])).seen?.caller).toBe(callerIdOf('checkout'))
        const again = await ask([bad])
        expect(again.seen).toBeUndefined()
        expect(again.code).toEqual(expect.any(String))
      })
    })

    test('T37 that is invalid makes nobody anonymous', async () => {
      await opened(
        door,
        async ({ ask }) => {
          expect((await ask([])).seen).toMatchObject({ caller: null })
          for (const [, kind] of broken) {
            const { seen, code } = await ask([bearer(await issuer.broken(kind, 'checkout', wanted))])
            expect([kind, seen, typeof code]).toEqual([kind, undefined, 'string'])
          }
        },
        { placement: callerOptional('the test looks') },
      )
    })

    test('T57 that was refused is answered like any other that was', async () => {
      await opened(door, async ({ ask }) => {
        const answers: Asked[] = []
        for (const [, kind] of broken) {
          answers.push(await ask([bearer(await issuer.broken(kind, 'checkout', wanted))]))
        }
        expect(new Set(answers.map(({ code }) => code)).size).toBeGreaterThan(5)
        expect([...new Set(answers.map(withoutDecision))]).toHaveLength(1)
      })
    })

    test('T56 is told to nobody again, nor is what was decided by', async () => {
      const written: string[] = []
      const log = { warn: (line: string) => void written.push(line) }
      await opened(
        door,
        async ({ ask }) => {
          for (const [, kind] of broken) {
            const token = await issuer.broken(kind, 'checkout', wanted)
            const { told, code } = await ask([bearer(token)])
            for (const part of token.split('.').filter(({ length }) => length > 20)) {
              expect(told + written.join()).not.toContain(part.slice(0, 20))
            }
            expect(told).not.toContain(code)
          }
          expect(written.length).toBeGreaterThan(0)
        },
        { log },
      )
    })

    test.each([
      ['T55 of 8193 characters', 'a'.repeat(8193)],
      ['T55 of nothing but dots', '.'.repeat(8000)],
      ['T55 that is all header', `${'e'.repeat(8000)}.e.e`],
    ])('%s is refused, and the next one answered', async (_title, text) => {
      await opened(door, async ({ ask }) => {
        expect(await ask([bearer(text)])).toMatchObject({
          seen: undefined,
          code: expect.stringMatching(/^token_/),
        })
        expect((await ask([await good()])).seen?.caller).toBe(callerIdOf('checkout'))
      })
    })
  })
}

/** Every decision has an id of its own. */
const withoutDecision = ({ told }: Asked): string =>
  told.replaceAll(/decision(?:%20|[":\\ ])+[\w-]+/g, 'decision')
