// What fails behind a decision lets nobody in, and tells nobody how it failed.
import { callerOptional, type FetchDocument } from '@countersign/core'
import { createTestIssuer } from '@countersign/testing'
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import { jsonDocument } from '../../../core/support/network.ts'
import type { Door } from '../door.ts'
import { good, issuer } from '../house.ts'
import { opened } from './opened.ts'

const detail = 'ECONNREFUSED 10.0.0.7:8443 secret-host'
const sources: readonly (readonly [how: string, fetch: FetchDocument])[] = [
  [
    'throws',
    () => {
      throw new Error(detail)
    },
  ],
  ['rejects', () => Promise.reject(new Error(detail))],
  ['rejects with nothing', () => Promise.reject(undefined)],
  ['answers with nothing', () => Promise.resolve(undefined as never)],
  ['answers with no keys', () => Promise.resolve(jsonDocument({ keys: [null] }))],
]
const deciders = [
  () => {
    throw new Error(detail)
  },
  () => Promise.reject(new Error(detail)),
  () => undefined as never,
]
export function failures(door: Door): void {
  describe('a failure', () => {
    const unhandled = vi.fn()
    beforeEach(() => void process.on('unhandledRejection', unhandled))
    afterEach(() => {
      process.off('unhandledRejection', unhandled)
      expect(unhandled).not.toHaveBeenCalled()
    })
    const { issuer: name } = issuer
    const fetched = { issuers: [{ issuer: name, jwksUri: `${name}/keys` }] } as const

    test.each(sources)('T52 of an issuer that %s', async (_how, fetch) => {
      for (const placement of [undefined, callerOptional('the test looks')]) {
        await opened(
          door,
          async ({ ask }) => {
            const answer = await ask([await good()])
            expect(answer).toMatchObject({ seen: undefined, code: expect.stringMatching(/_unavailable$/) })
            expect(answer.told).not.toContain('secret-host')
          },
          { ...fetched, environment: { fetch }, ...(placement && { placement }) },
        )
      }
    })

    test('T52 of a decider', async () => {
      for (const decide of deciders) {
        await opened(
          door,
          async ({ ask }) => {
            const answer = await ask([await good()])
            expect(answer.seen).toBeUndefined()
            expect(answer.told).not.toContain('secret-host')
          },
          { deciders: [{ name: 'failing', decide }] as never },
        )
      }
    })

    test('T30 of what an issuer publishes costs its callers alone', async () => {
      const other = await createTestIssuer({ issuer: 'https://other.test' })
      await opened(
        door,
        async ({ ask }) => {
          expect((await ask([await good()])).seen).toBeUndefined()
          const headers = await other.headersFor('reports', { scopes: ['orders:read'] })
          expect((await ask(Object.entries(headers))).seen?.caller).toContain('reports')
        },
        {
          issuers: [...fetched.issuers, other],
          environment: { fetch: () => Promise.reject(new Error(detail)) },
        },
      )
    })
  })
}
