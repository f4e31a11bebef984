// Who signs a revocation list: keys for lists alone, and those that only look like one.
import { describe, expect, test } from 'vitest'
import { parseCrl } from '../../packages/core/src/identity/revocation/crl.ts'
import { CrlSet } from '../../packages/core/src/identity/revocation/crl-set.ts'
import { crl, crlExtensions, scopes } from './support/der-crl.ts'
import {
  at,
  authority,
  createKeys,
  extension,
  extensions,
  hex,
  integer,
  leaf,
  name,
  sequence,
  time,
  type Authority,
} from './support/der-certificate.ts'
import { root, revoked, unavailable, verdict, numbered, type Asked, parsed } from './support/crl-verdict.ts'

describe('a separate key for lists', () => {
  const forCrls = [extensions.authority(), extensions.keyUsage(0x02)]
  const issuing = authority({ extensions: [extensions.authority(), extensions.keyUsage(0x04)] }, root)
  const certificate = leaf(issuing, numbered(7))
  const separate = authority({ extensions: forCrls, parts: { serialNumber: integer(9) } }, root)
  const ofRoot = crl(root)
  const asked = (...more: readonly Authority[]): Asked => ({ pool: [issuing, separate, ...more] })

  test('counts where the authority above has issued it', () => {
    expect(verdict(certificate, [ofRoot, crl(separate)], asked())).toBe('accepted')
    expect(verdict(certificate, [ofRoot, crl(separate, { revoked: [7] })], asked())).toBe(revoked)
    expect(verdict(certificate, [ofRoot, crl(separate)], { pool: [issuing] })).toBe(unavailable)
  })

  test('counts where the issuer itself has issued it', () => {
    const anchor = authority({ extensions: [extensions.authority(), extensions.keyUsage(0x06)] })
    const own = authority(
      { commonName: 'Root', extensions: forCrls, parts: { serialNumber: integer(9) } },
      anchor,
    )
    const below = leaf(anchor, numbered(7))
    const lists = (revokedByOwn: number[], revokedByAnchor: number[] = []) => [
      crl(own, { revoked: revokedByOwn, also: [crlExtensions.scope(scopes.users)] }),
      crl(anchor, { revoked: revokedByAnchor, also: [crlExtensions.scope(scopes.authorities)] }),
    ]
    const options = { anchor, pool: [own] }
    expect(verdict(below, lists([]), options)).toBe('accepted')
    expect(verdict(below, lists([7]), options)).toBe(revoked)
    expect(verdict(below, lists([], [9]), options)).toBe(unavailable)
    // It does not vouch for itself.
    expect(verdict(below, [crl(own)], options)).toBe(unavailable)
  })

  test('counts where it is a new one of the issuer, on the path', () => {
    const renewed = authority({ commonName: 'Root', keys: createKeys() }, root)
    const below = leaf(renewed, numbered(7))
    const options = { pool: [renewed] }
    expect(verdict(below, [crl(root)], options)).toBe('accepted')
    expect(verdict(below, [crl(root, { revoked: [7] })], options)).toBe(revoked)
    const silent = authority({ extensions: [extensions.authority(), extensions.keyUsage(0x04)] })
    const below2 = authority({ commonName: 'Root' }, silent)
    expect(verdict(leaf(below2), [crl(silent)], { anchor: silent, pool: [below2] })).toBe(unavailable)
  })

  test('that was revoked itself makes its lists worth nothing', () => {
    const lists = [crl(root, { revoked: [9] }), crl(separate)]
    expect(verdict(certificate, lists, asked())).toBe(unavailable)
    const revoking = crl(separate, { revoked: [7] })
    expect(verdict(certificate, [crl(root, { revoked: [9] }), revoking], asked())).toBe(unavailable)
  })

  test('of which nobody knows whether it was revoked tells who is revoked, and not who is good', () => {
    const path = [certificate, issuing.der, root.der].map(parsed)
    const ask = (revokedSerials: readonly number[]) =>
      new CrlSet([parseCrl(crl(separate, { revoked: revokedSerials }))], [parsed(separate.der)]).statusOf(
        path,
        0,
        at.getTime(),
      )
    expect(ask([])).toBeUndefined()
    expect(ask([7])).toMatchObject({ kind: 'revoked' })
  })

  test('is vouched for by whoever has issued it, and by nobody below, of whatever name', () => {
    const renewed = authority({ commonName: 'Root' }, root)
    const own = authority(
      { commonName: 'Root', extensions: forCrls, parts: { serialNumber: integer(9) } },
      root,
    )
    const lists = (voucher: Authority) => [
      parseCrl(crl(own, { also: [crlExtensions.scope(scopes.users)] })),
      parseCrl(crl(voucher, { also: [crlExtensions.scope(scopes.authorities)] })),
    ]
    const path = [leaf(renewed), renewed.der, root.der].map(parsed)
    const ask = (voucher: Authority) =>
      new CrlSet(lists(voucher), [parsed(own.der)]).statusOf(path, 0, at.getTime())?.kind
    expect([ask(root), ask(renewed)]).toEqual(['good', undefined])
  })

  test.each([
    ['for certificates alone', { extensions: [extensions.authority(), extensions.keyUsage(0x04)] }],
    ['for anything', { extensions: [extensions.authority()] }],
    ['of nobody who is an authority', { extensions: [extensions.keyUsage(0x02)] }],
    ['of another name', { commonName: 'Other', extensions: forCrls }],
    [
      'that has expired',
      { extensions: forCrls, parts: { validity: sequence(time('250101000000Z'), time('260101000000Z')) } },
    ],
    ['of the serial number zero', { extensions: forCrls, parts: { serialNumber: integer(0) } }],
    [
      'with a critical extension that nobody knows',
      { extensions: [...forCrls, extension('1.2.3.4', true, hex('0500'))] },
    ],
  ] satisfies [string, Parameters<typeof authority>[0]][])('%s does not count', (_, options) => {
    const other = authority(options, root)
    const list = crl({ ...other, subject: issuing.subject })
    expect(verdict(certificate, [ofRoot, list], { pool: [issuing, other] })).toBe(unavailable)
  })

  test('of somebody else below the same anchor does not count, though RFC 5280 would take it', () => {
    const evil = authority({ commonName: 'Evil' }, root)
    const namesake = authority({ commonName: 'Intermediate', extensions: forCrls }, evil)
    const pool = [issuing, evil, namesake]
    expect(verdict(certificate, [ofRoot, crl(evil), crl(namesake)], { pool })).toBe(unavailable)
    const stranger = authority({ commonName: 'Intermediate', extensions: forCrls })
    expect(verdict(certificate, [ofRoot, crl(stranger)], { pool: [issuing, stranger] })).toBe(unavailable)
    // Nor the authority above, which has another name, nor one that says that somebody else has issued it.
    const fromAbove = crl({ ...issuing, keys: root.keys })
    expect(verdict(certificate, [ofRoot, fromAbove], { pool: [issuing] })).toBe(unavailable)
    const adopted = authority({ extensions: forCrls, parts: { issuer: name('Other') } }, root)
    expect(verdict(certificate, [ofRoot, crl(adopted, { revoked: [7] })], { pool: [issuing, adopted] })).toBe(
      unavailable,
    )
    // Nor one that an authority further above has issued.
    const middle = authority({ commonName: 'Middle' }, root)
    const below = authority({ commonName: 'Below' }, middle)
    const by = (signer: Authority): string =>
      verdict(leaf(below), [ofRoot, crl(middle), crl(signer)], { pool: [middle, below, signer] })
    const options = { commonName: 'Below', extensions: forCrls }
    expect([by(authority(options, middle)), by(authority(options, root))]).toEqual(['accepted', unavailable])
    // Nor one that only says that the root has issued it.
    const forged = authority(
      { commonName: 'Intermediate', extensions: forCrls, parts: { issuer: root.subject } },
      evil,
    )
    expect(verdict(certificate, [ofRoot, crl(forged)], { pool: [issuing, forged] })).toBe(unavailable)
  })

  test('is looked for among the first few of its name', () => {
    const others = Array.from({ length: 8 }, () => authority({ extensions: forCrls }, root))
    const lists = [ofRoot, crl(separate)]
    expect(verdict(certificate, lists, { pool: [issuing, ...others.slice(1), separate] })).toBe('accepted')
    expect(verdict(certificate, lists, { pool: [issuing, ...others, separate] })).toBe(unavailable)
  })
})
