// What many, or much, does to others: nothing.
import { callerOptional } from '@countersign/core'
import { createTestClock, createTestIssuer } from '@countersign/testing'
import { describe, expect, test } from 'vitest'
import { jsonDocument } from '../../../core/support/network.ts'
import type { Door, Field } from '../door.ts'
import { bearer, callerIdOf, good, issuer, wanted } from '../house.ts'
import { opened } from './opened.ts'

export function loads(door: Door): void {
  describe('a flood', () => {
    test('T28 of invented kids costs a few requests to the issuer, and keeps nobody out who is known', async () => {
      const clock = createTestClock()
      const genuine = await createTestIssuer({ clock })
      let requests = 0
      const fetch = async () => {
        requests += 1
        return jsonDocument(genuine.jwks ?? {})
      }
      const known = bearer(await genuine.token('checkout', wanted))
      const invented = await Promise.all(
        Array.from({ length: 60 }, async (_, i): Promise<Field> => {
          const [head = '', claims, signature] = (
            await genuine.broken('unknown-kid', `flood-${i}`, wanted)
          ).split('.')
          const header = { ...JSON.parse(Buffer.from(head, 'base64url').toString()), kid: `kid-${i}` }
          return bearer(
            [Buffer.from(JSON.stringify(header)).toString('base64url'), claims, signature].join('.'),
          )
        }),
      )
      await opened(
        door,
        async ({ ask }) => {
          expect((await ask([known])).seen?.caller).toBe(callerIdOf('checkout'))
          const pending = Promise.all(invented.map(async (field) => ask([field])))
          expect((await ask([known])).seen?.caller).toBe(callerIdOf('checkout'))
          for (let i = 0; i < 30; i += 1) {
            clock.advance({ seconds: 1 })
            await new Promise(setImmediate)
          }
          for (const { seen } of await pending) expect(seen).toBeUndefined()
          expect((await ask([known])).seen?.caller).toBe(callerIdOf('checkout'))
          expect(requests).toBeLessThan(8)
        },
        {
          issuers: [{ issuer: genuine.issuer, jwksUri: `${genuine.issuer}/keys` }],
          environment: { clock, fetch },
        },
      )
    })

    test('T25 of callers at once gives each its own answer, known, new and forged', async () => {
      await opened(
        door,
        async ({ ask }) => {
          const asked = await Promise.all(
            Array.from({ length: 60 }, async (_, i) => {
              const name = `caller-${i % 7}`
              if (i % 5 === 3) return { field: undefined, expected: null }
              if (i % 5 === 4) {
                const forged = await issuer.broken('forged-signature', name, wanted)
                return { field: bearer(forged), expected: undefined }
              }
              return { field: await good(name), expected: callerIdOf(name) }
            }),
          )
          const answers = await Promise.all(asked.map(({ field }) => ask(field === undefined ? [] : [field])))
          expect(answers.map(({ seen }) => seen?.caller)).toEqual(asked.map(({ expected }) => expected))
        },
        { placement: callerOptional('the test looks') },
      )
    })

    test('T32 of good answers ends with the token, however often it was let in', async () => {
      const clock = createTestClock()
      const genuine = await createTestIssuer({ clock })
      const field = bearer(await genuine.token('checkout', wanted))
      await opened(
        door,
        async ({ ask }) => {
          for (let i = 0; i < 5; i += 1) {
            expect((await ask([field])).seen?.caller).toBe(callerIdOf('checkout'))
          }
          clock.advance({ seconds: 600 })
          expect(await ask([field])).toMatchObject({ seen: undefined, code: 'token_expired' })
          clock.advance({ seconds: -600 })
          expect((await ask([field])).seen).toBeDefined()
        },
        { issuers: [genuine], environment: { clock } },
      )
    })

    test('T55 of headers is answered, or cut off by Node, and the next caller served', async () => {
      await opened(door, async ({ ask }) => {
        const many = Array.from({ length: 200 }, (_, i): Field => [`X-Noise-${i}`, 'x'])
        await ask(many).catch(() => undefined)
        await ask([['X-Forwarded-Client-Cert', 'x'.repeat(14_000)]]).catch(() => undefined)
        expect((await ask([await good()])).seen?.caller).toBe(callerIdOf('checkout'))
      })
    })
  })
}
