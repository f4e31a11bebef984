// Headers in which a proxy would name the client: whoever sends one claims to be somebody.
import { callerOptional, rfc9440 } from '@countersign/core'
import { describe, expect, test } from 'vitest'
import type { Door, Field } from '../door.ts'
import { certificates, good } from '../house.ts'
import { opened } from './opened.ts'

const victim = 'Hash=1;URI=spiffe://test.example/admin'

/** What CGI and its like take for one name, spelled in every way that a client may send. */
const spellings = [
  'X-Forwarded-Client-Cert',
  'x-forwarded-client-cert',
  'X-FORWARDED-CLIENT-CERT',
  'X_Forwarded_Client_Cert',
  'x-forwarded-client_cert',
  'x.forwarded.client.cert',
  'X.Forwarded_Client-Cert',
  'Client-Cert',
  'CLIENT_CERT',
  'client.cert',
  'Client-Cert-Chain',
  'SSL_Client_Cert',
  'ssl-client-verify',
  'X-SSL-CLIENT_S_DN',
  'X-Client-Certificate',
  'X-ARR-ClientCert',
  'X-Amzn-Mtls-Clientcert-Leaf',
]

const canonical = (name: string): string => name.toLowerCase().replaceAll(/[^a-z0-9]/g, '-')
const claimed = new Set(spellings.map(canonical))
const look = callerOptional('the test looks')

export function claimsOfIdentity(door: Door): void {
  describe('a header that claims an identity', () => {
    test.each(spellings)('T41 spelled %s names nobody, and no handler sees it', async (name) => {
      await opened(
        door,
        async ({ ask }) => {
          const { seen } = await ask([
            [name, victim],
            ['X-Kept', 'yes'],
          ])
          expect(seen?.caller).toBeNull()
          expect(seen?.names).toContain('x-kept')
          expect(seen?.names.filter((each) => claimed.has(canonical(each)))).toEqual([])
        },
        { placement: look },
      )
    })

    test('T39 adds nothing to a credential, and takes nothing from it', async () => {
      await opened(door, async ({ ask }) => {
        const fields = spellings.map((name): Field => [name, victim])
        expect((await ask(fields)).code).toBe('credential_missing')
        const { seen } = await ask([...fields, await good()])
        expect(seen?.caller).toContain('checkout')
        expect(seen?.names.filter((each) => claimed.has(canonical(each)))).toEqual([])
      })
    })

    test('T39 that comes several times leaves none behind', async () => {
      await opened(
        door,
        async ({ ask }) => {
          const { seen } = await ask([
            ['x-forwarded-client-cert', victim],
            ['x-forwarded-client-cert', victim],
            ['x_forwarded_client_cert', victim],
            ['X-Kept', 'yes'],
          ])
          expect(seen?.names.filter((each) => claimed.has(canonical(each)))).toEqual([])
          expect(seen?.names).toContain('x-kept')
        },
        { placement: look },
      )
    })

    test('T39 from where no trusted proxy is refuses the request where the guard says so', async () => {
      const forwarded = rfc9440({ from: { addresses: ['10.0.7.9'] }, untrusted: 'refuse' })
      await opened(
        door,
        async ({ ask }) => {
          for (const name of ['Client-Cert', 'client_cert']) {
            expect(await ask([[name, ':AA==:']])).toMatchObject({ seen: undefined, code: expect.any(String) })
          }
          expect((await ask([])).seen?.caller).toBeNull()
        },
        { placement: look, certificates: { ...certificates, forwarded } },
      )
    })
  })
}
