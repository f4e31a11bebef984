// What a set of revocation lists answers, until when, and which list may take the place of another.
import { describe, expect, test } from 'vitest'
import { parseCrl } from '../../packages/core/src/identity/revocation/crl.ts'
import { isOlder, supersedes } from '../../packages/core/src/identity/revocation/crl-age.ts'
import { CrlSet } from '../../packages/core/src/identity/revocation/crl-set.ts'
import { revocationFlaw } from '../../packages/core/src/identity/revocation/revocation-flaw.ts'
import { crl, crlExtensions, scopes } from './support/der-crl.ts'
import { at, authority, extensions } from './support/der-certificate.ts'
import { parsed, root, revoked, unavailable, seven } from './support/crl-verdict.ts'

describe('a set of lists', () => {
  const anchor = parsed(root.der)
  const path = [parsed(seven), anchor]
  const setOf = (...lists: readonly Buffer[]): CrlSet => new CrlSet(lists.map((list) => parseCrl(list)))
  const july = Date.parse('2026-07-01T00:00:00Z')
  const ask = (...lists: readonly Buffer[]) => setOf(...lists).statusOf(path, 0, at.getTime())

  test('says until when nobody need ask again', () => {
    expect(ask(crl(root))).toEqual({ kind: 'good', until: july })
    const april = Date.parse('2026-04-01T00:00:00Z')
    expect(ask(crl(root, { revoked: [7] }))).toEqual({ kind: 'revoked', at: april, until: july })
  })

  test('says so by the newer of two lists', () => {
    const numbers = [crl(root, { number: 2, until: '260615000000Z' }), crl(root, { number: 1 })]
    const june = { kind: 'good', until: Date.parse('2026-06-15T00:00:00Z') }
    expect([ask(...numbers), ask(...numbers.toReversed())]).toEqual([june, june])
    const times = [crl(root, { from: '260502000000Z', until: '260615000000Z' }), crl(root)]
    expect([ask(...times), ask(...times.toReversed())]).toEqual([june, june])
    const longer = [crl(root, { number: 2 }), crl(root, { number: 1, until: '260615000000Z' })]
    expect(ask(...longer)).toEqual({ kind: 'good', until: july })
  })

  test('says so by the first to end of several that are needed', () => {
    const some = (until: string, ...numbers: readonly number[]): Buffer =>
      crl(root, { until, also: [crlExtensions.scope(scopes.reasons(...numbers))] })
    const parts = [some('260701000000Z', 1, 2, 3), some('260620000000Z', 4, 5, 6, 7, 8)]
    expect(ask(...parts)).toEqual({ kind: 'good', until: Date.parse('2026-06-20T00:00:00Z') })
  })

  test('says nothing of an anchor, nor of what is not on the path', () => {
    const set = setOf(crl(root))
    expect([1, 2, -1].map((depth) => set.statusOf(path, depth, at.getTime()))).toEqual([
      undefined,
      undefined,
      undefined,
    ])
  })

  test('checks the signature of a list once for each key', () => {
    const list = parseCrl(crl(root))
    let asked = 0
    const withSpki = (spki: Uint8Array) => ({
      ...anchor,
      spki,
      get publicKey() {
        asked += 1
        return anchor.publicKey
      },
    })
    for (let i = 0; i < 3; i += 1) {
      expect(list.isSignedBy(withSpki(Uint8Array.from(anchor.spki)))).toBe(true)
      list.isSignedBy(withSpki(Uint8Array.of(0)))
    }
    expect(asked).toBe(2)
    // Nobody can make it remember more than a few keys.
    for (let i = 0; i < 64; i += 1) list.isSignedBy(withSpki(Uint8Array.of(i)))
    list.isSignedBy(withSpki(anchor.spki))
    expect(asked).toBe(66)
  })

  test('is asked in one of two modes', () => {
    const codeIn = (set: CrlSet, mode: 'hard' | 'soft') =>
      revocationFlaw(path, (whole, depth) => set.statusOf(whole, depth, at.getTime()), mode)?.code
    expect([codeIn(setOf(), 'hard'), codeIn(setOf(), 'soft')]).toEqual([unavailable, undefined])
    expect([codeIn(setOf(crl(root)), 'hard'), codeIn(setOf(crl(root)), 'soft')]).toEqual([
      undefined,
      undefined,
    ])
    const list = setOf(crl(root, { revoked: [7] }))
    expect([codeIn(list, 'hard'), codeIn(list, 'soft')]).toEqual([revoked, revoked])
    expect(revocationFlaw(path, () => undefined, 'hard')).toMatchObject({
      detail: { expected: 'a current answer whether it was revoked', actual: 'the leaf has none' },
    })
  })
})

describe('a list that takes the place of another', () => {
  const list = (options: Parameters<typeof crl>[1] = {}, issuer = root) => parseCrl(crl(issuer, options))
  const before = list({ number: 5 })

  test.each([
    ['the same', list({ number: 5 }), false],
    ['the next', list({ number: 6, from: '260502000000Z' }), false],
    ['of an earlier number', list({ number: 4, from: '260502000000Z' }), true],
    ['of an earlier time', list({ number: 6, from: '260430235959Z' }), true],
    ['of another issuer', list({ number: 4 }, authority({ commonName: 'Other' })), false],
    ['of another key', list({ number: 4, also: [extensions.authorityKeyId('x')] }), false],
    ['of another scope', list({ number: 4, also: [crlExtensions.scope(scopes.users)] }), false],
    ['of what has changed', list({ number: 4, also: [crlExtensions.delta()] }), false],
  ])('%s: older %s', (_, next, isBefore) => {
    expect(isOlder(next, before)).toBe(isBefore)
  })

  test('is one that the same key has signed, of the same issuer and scope', () => {
    const next = (options: Parameters<typeof crl>[1] = {}) =>
      list({ number: 6, from: '260502000000Z', ...options })
    const known = list({ number: 5 })
    // Whose signature nobody has checked gives way to none: it may be anybody's.
    expect(supersedes(next(), known)).toBe(false)
    expect(known.isSignedBy(parsed(root.der))).toBe(true)
    expect(supersedes(next(), known)).toBe(true)
    expect(supersedes(list({ number: 4 }), known)).toBe(false)
    expect(supersedes(next({ keys: authority().keys }), known)).toBe(false)
    expect(supersedes(next({ also: [crlExtensions.scope(scopes.users)] }), known)).toBe(false)
    expect(supersedes(next({ also: [extensions.authorityKeyId('x')] }), known)).toBe(false)
  })

  test('has a number of any size', () => {
    const huge = (last: number) =>
      list({ extensions: [crlExtensions.number(...Array.from({ length: 19 }, () => 0x7f), last)] })
    expect([isOlder(huge(1), huge(2)), isOlder(huge(2), huge(1))]).toEqual([true, false])
  })
})
