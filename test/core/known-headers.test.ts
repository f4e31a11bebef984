import { authenticated, createGuard } from '@countersign/core'
import { describe, expect, test } from 'vitest'
import { parseCompactJws, type JwsHeader } from '../../packages/core/src/identity/jws/compact-jws.ts'
import { KnownHeaders } from '../../packages/core/src/identity/jws/known-headers.ts'
import { Refusal } from '../../packages/core/src/refusal.ts'
import { codeFor } from './support/asking.ts'
import { createHouse, issuer } from './support/house.ts'
import { segment } from './support/raw-signer.ts'

const headerOf = (jws: string, known?: KnownHeaders): JwsHeader => {
  const parsed = parseCompactJws(jws, known)
  if (parsed instanceof Refusal) throw new Error(`expected a JWS, got ${parsed.code}`)
  return parsed.header
}
const encoded = (jws: string): string => jws.slice(0, jws.indexOf('.'))
const jwsWith = (header: object): string => `${segment({ alg: 'ES256', ...header })}.${segment({})}.AAAA`

describe('a header that is known', () => {
  test('is not read again, and is what it was', () => {
    const known = new KnownHeaders()
    const jws = jwsWith({ kid: 'key-1', other: { a: [1] } })
    const header = headerOf(jws, known)
    expect(headerOf(jws, known)).not.toBe(header)
    known.keep(jws, header)
    expect(headerOf(jws, known)).toBe(header)
    expect(headerOf(jwsWith({ kid: 'key-2' }), known).kid).toBe('key-2')
  })

  test('cannot be changed, by nobody who is given it', () => {
    const known = new KnownHeaders()
    const header = headerOf(jwsWith({ other: { a: [1] } }))
    known.keep('x.', header)
    expect(() => Object.assign(header, { alg: 'none' })).toThrow(TypeError)
    expect(() => Object.assign(header.all, { alg: 'none' })).toThrow(TypeError)
  })

  test('leaves the rest of the token to be read as strictly', () => {
    const known = new KnownHeaders()
    const jws = jwsWith({})
    known.keep(jws, headerOf(jws))
    for (const broken of [
      `${encoded(jws)}.a=.AAAA`,
      `${encoded(jws)}..`,
      `${jws}.`,
      `${encoded(jws)}.e30.A`,
    ]) {
      expect(parseCompactJws(broken, known), broken).toMatchObject({ code: 'token_malformed' })
    }
  })

  test('is one of 128 at most, and known while it comes; it has 512 characters at most', () => {
    const known = new KnownHeaders()
    const keep = (jws: string): void => known.keep(jws, headerOf(jws))
    const often = jwsWith({ kid: 'often' })
    keep(often)
    // An issuer that writes one for each token takes nothing from the others.
    const once = Array.from({ length: 300 }, (_, i) => jwsWith({ kid: 'once', exp: i }))
    for (const jws of once) {
      keep(jws)
      expect(known.find(encoded(often))).toBeDefined()
    }
    expect(once.filter((jws) => known.find(encoded(jws)) !== undefined).length).toBeLessThan(128)
    const other = new KnownHeaders()
    const [short, long] = ['a'.repeat(512), 'a'.repeat(513)]
    for (const text of [short, long]) other.keep(`${text}.`, headerOf(jwsWith({})))
    expect([short, long].map((text) => other.find(text) !== undefined)).toEqual([true, false])
  })
})

test('a guard is as strict with the second token of a header as with the first', async () => {
  const { token, clock, signer } = createHouse()
  const guard = createGuard(
    {
      audience: 'orders',
      issuers: [{ issuer, jwks: { keys: [{ ...signer.jwk, kid: 'key-1' }] } }],
      log: false,
    },
    { clock },
  )
  expect(await codeFor(guard, token(), authenticated())).toBe('allow')
  const forged = `${token({ sub: 'another' }).slice(0, -4)}AAAA`
  expect(await codeFor(guard, forged, authenticated())).toBe('signature_invalid')
  expect(await codeFor(guard, token({ aud: 'billing' }), authenticated())).toBe('audience_mismatch')
})
