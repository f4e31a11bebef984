// What a library that decrypts has to survive: here nothing is decrypted, derived or inflated, whatever a token asks for.
import { deflateRawSync } from 'node:zlib'
import { createGuard, type FetchDocument } from '@countersign/core'
import { expect, test } from 'vitest'
import { codeFor } from '../core/support/asking.ts'
import { createHouse, issuer } from '../core/support/house.ts'
import { segment } from '../core/support/raw-signer.ts'

const { guard, header, claims, jws, clock } = createHouse()

/** Five parts, as a JWE has them (RFC 7516 §7.1). */
const encrypted = (head: object, ciphertext: string | Uint8Array = 'c'): string =>
  [head, 'key', 'iv', ciphertext, 'tag'].map((part) => segment(part)).join('.')

test.each<[string, object]>([
  [
    'a password and two billion rounds',
    { alg: 'PBES2-HS256+A128KW', enc: 'A128GCM', p2c: 2_147_483_647, p2s: 'c2FsdA' },
  ],
  [
    'a password and rounds without end',
    { alg: 'PBES2-HS512+A256KW', enc: 'A256GCM', p2c: 1e308, p2s: 'c2FsdA' },
  ],
  ['compressed contents', { alg: 'dir', enc: 'A256GCM', zip: 'DEF' }],
  ['RSA', { alg: 'RSA1_5', enc: 'A128CBC-HS256' }],
  [
    'a key of its sender',
    { alg: 'ECDH-ES', enc: 'A128GCM', epk: { kty: 'EC', crv: 'P-256', x: 'x', y: 'y' } },
  ],
])('T54 a token that is encrypted with %s is refused before anything of it is decoded', async (_, head) => {
  const asked: string[] = []
  const fetch: FetchDocument = async (url) => {
    asked.push(url.href)
    throw new Error('expected no request')
  }
  const unready = createGuard({ audience: 'orders', issuers: [issuer], log: false }, { clock, fetch })
  const bomb = deflateRawSync(Buffer.alloc(4_000_000))
  for (const ciphertext of ['c', bomb, JSON.stringify(claims())]) {
    expect(await codeFor(unready, encrypted(head, ciphertext))).toBe('token_malformed')
  }
  expect(asked).toEqual([])
})

test('T54 what belongs to encryption has no meaning in a signed token', async () => {
  for (const alg of ['PBES2-HS256+A128KW', 'dir', 'RSA-OAEP', 'A256KW', 'ECDH-ES']) {
    expect(await codeFor(guard, jws({ ...header, alg, enc: 'A128GCM', p2c: 2_147_483_647 }, claims()))).toBe(
      'algorithm_not_allowed',
    )
  }
  const inflated = JSON.stringify(claims({ note: 'a'.repeat(5000) }))
  expect(await codeFor(guard, jws({ ...header, zip: 'DEF' }, deflateRawSync(inflated)))).toBe(
    'token_malformed',
  )
  expect(
    await codeFor(guard, jws({ ...header, cty: 'JWT' }, encrypted({ alg: 'dir', enc: 'A256GCM' }))),
  ).toBe('token_malformed')
})
