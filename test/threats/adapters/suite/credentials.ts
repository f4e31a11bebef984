// Where a credential may stand, how often, and what it is bound to.
import { describe, expect, test } from 'vitest'
import type { Door, Field } from '../door.ts'
import { bearer, callerIdOf, externalUrl, good, issuer, proofKey, wanted } from '../house.ts'
import { opened } from './opened.ts'

const words = ['Token', 'JWT', 'Basic', 'DPoP', 'Bearer2', 'xBearer', 'Bearer,', 'Negotiate', 'Bear er', '']

export function credentials(door: Door): void {
  describe('a credential', () => {
    test('T51 behind another word than its scheme is none', async () => {
      await opened(door, async ({ ask }) => {
        const token = await issuer.token('checkout', wanted)
        for (const word of words) {
          const answer = await ask([['Authorization', `${word} ${token}`]])
          expect([word, answer.seen, typeof answer.code]).toEqual([word, undefined, 'string'])
        }
      })
    })

    test.each([
      'Cookie',
      'X-Access-Token',
      'Proxy-Authorization',
      'X-Forwarded-Authorization',
      'X-Authorization',
    ])('T51 in %s is none', async (name) => {
      await opened(door, async ({ ask }) => {
        const token = await issuer.token('checkout', wanted)
        for (const value of [token, `Bearer ${token}`, `access_token=${token}`]) {
          expect(await ask([[name, value]])).toMatchObject({ seen: undefined, code: 'credential_missing' })
        }
      })
    })

    test('T29 that comes twice in one line is none, whichever is right', async () => {
      await opened(door, async ({ ask }) => {
        const [[, one], [, two]] = [await good('one'), await good('two')]
        for (const value of [
          `${one}, ${two}`,
          `${one},${two}`,
          `${one}, Bearer junk`,
          `Bearer junk, ${one}`,
          `${one} ${two}`,
        ]) {
          const answer = await ask([['Authorization', value]])
          expect([answer.seen, typeof answer.code]).toEqual([undefined, 'string'])
        }
      })
    })

    const { method, path } = door.target
    const url = `${externalUrl}${path}`
    const proven = async (
      claims: Readonly<Record<string, unknown>> = {},
      other = url,
    ): Promise<readonly Field[]> => {
      const token = await issuer.token('checkout', { ...wanted, boundTo: proofKey })
      return Object.entries(await proofKey.headersFor(token, { method, url: other, claims }))
    }

    test.each([
      ['X-Forwarded-Host', 'api.example/elsewhere?'],
      ['X-Forwarded-Host', 'other.example'],
      ['Forwarded', 'host="other.example/?"'],
      ['X-Original-URL', '/elsewhere'],
      ['X-Forwarded-Proto', 'http'],
    ])('T33 is proven for the URL that the service has, whatever %s says', async (...field) => {
      await opened(door, async ({ ask }) => {
        for (const other of [
          `${externalUrl}/elsewhere`,
          `https://other.example${path}`,
          `http://api.example${path}`,
        ]) {
          const answer = await ask([...(await proven({}, other)), field])
          expect(answer).toMatchObject({ seen: undefined, code: 'dpop_proof_mismatch' })
        }
        expect((await ask([...(await proven()), field])).seen?.caller).toBe(callerIdOf('checkout'))
      })
    })

    test('T34 is proven once by one proof, however many requests come with it at once', async () => {
      await opened(door, async ({ ask }) => {
        const fields = await proven()
        const answers = await Promise.all(Array.from({ length: 12 }, async () => ask(fields)))
        expect(answers.filter(({ seen }) => seen !== undefined)).toHaveLength(1)
        expect(await ask(fields)).toMatchObject({ seen: undefined, code: 'dpop_proof_replayed' })
        const same = [await proven({ jti: 'same' }), await proven({ jti: 'same' })]
        const [first, second] = [await ask(same[0] ?? []), await ask(same[1] ?? [])]
        expect([first.seen?.caller, second.seen]).toEqual([callerIdOf('checkout'), undefined])
      })
    })

    test('T53 is held to its own issuer and audience, whatever a request says of hosts and tenants', async () => {
      await opened(door, async ({ ask }) => {
        const elsewhere = bearer(await issuer.broken('wrong-issuer', 'checkout', wanted))
        const fields: readonly Field[] = [
          ['X-Forwarded-Host', 'another-issuer.test'],
          ['X-Tenant-Id', 'https://another-issuer.test'],
          ['X-Issuer', 'https://another-issuer.test'],
          ['Forwarded', 'host=another-issuer.test'],
        ]
        expect((await ask([elsewhere, ...fields])).seen).toBeUndefined()
        expect((await ask([await good(), ...fields])).seen?.caller).toBe(callerIdOf('checkout'))
      })
    })

    test('T26 that was enough for nobody is remembered as who it is, and asked about each time', async () => {
      await opened(door, async ({ ask }) => {
        const poor = bearer(await issuer.token('poor', { scopes: ['orders:list'] }))
        for (let i = 0; i < 3; i += 1) {
          expect(await ask([poor])).toMatchObject({ seen: undefined, code: 'scope_missing' })
        }
      })
    })

    test('T35 that is bound to a key is no bearer token, and no proof makes one of what is not', async () => {
      await opened(door, async ({ ask }) => {
        const bound = await issuer.token('checkout', { ...wanted, boundTo: proofKey })
        expect(await ask([bearer(bound)])).toMatchObject({ seen: undefined })
        const free = await issuer.token('checkout', wanted)
        const proof = await proofKey.headersFor(free, { url: `${externalUrl}/door` })
        expect(await ask(Object.entries(proof))).toMatchObject({ seen: undefined })
      })
    })
  })
}
