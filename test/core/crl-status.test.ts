// Revocation lists that count and that do not: whom they revoke, whose they are, and when.
import { generateKeyPairSync, sign } from 'node:crypto'
import { Refusal, validatePath } from '@countersign/core/certificate'
import { describe, expect, test } from 'vitest'
import { crl, type CrlOptions, crlExtensions, entry, reason, scopes } from './support/der-crl.ts'
import { pemOf } from './support/pem.ts'
import {
  at,
  authority,
  bits,
  createKeys,
  extension,
  extensions,
  hex,
  integer,
  leaf,
  name,
  names,
  oid,
  sequence,
  time,
  type Authority,
} from './support/der-certificate.ts'
import { root, revoked, unavailable, verdict, refusalOf, numbered, seven } from './support/crl-verdict.ts'

describe('a certificate', () => {
  test('that is on no list is accepted, and one that is on a list is not', () => {
    expect(verdict(seven, [crl(root)])).toBe('accepted')
    expect(verdict(seven, [crl(root, { revoked: [1, 8, 70] })])).toBe('accepted')
    expect(verdict(seven, [crl(root, { revoked: [1, 7, 70] })])).toBe(revoked)
  })

  test('of which no list says anything is refused, and no list at all is asked for where none is given', () => {
    expect(verdict(seven, [])).toBe(unavailable)
    const answer = validatePath({ leaf: seven, trustAnchors: [root.der], at, purpose: 'clientAuth' })
    expect(answer).not.toBeInstanceOf(Refusal)
  })

  test.each([0, 1, 2, 3, 4, 5, 6, 9, 10])('is revoked for whichever reason, such as %i', (code) => {
    expect(verdict(seven, [crl(root, { entries: [entry([7], reason(code))] })])).toBe(revoked)
  })

  test('is revoked from a moment that is still to come', () => {
    const later = sequence(integer(7), time('270101000000Z'))
    expect(verdict(seven, [crl(root, { entries: [later] })])).toBe(revoked)
  })

  test('is told apart by all of a long serial number', () => {
    const long = [0x7f, ...Array.from({ length: 18 }, () => 1)]
    const [own, other] = [leaf(root, numbered(...long, 1)), leaf(root, numbered(...long, 2))]
    const list = crl(root, { entries: [entry([...long, 1])] })
    expect([verdict(own, [list]), verdict(other, [list])]).toEqual([revoked, 'accepted'])
    const signed = crl(root, { entries: [entry([0, 0xff])] })
    expect(verdict(leaf(root, numbered(0, 0xff)), [signed])).toBe(revoked)
    expect(verdict(leaf(root, numbered(0x7f)), [signed])).toBe('accepted')
  })

  test('is one of every certificate below the anchor', () => {
    const issuing = authority({ parts: { serialNumber: integer(3) } }, root)
    const below = leaf(issuing, numbered(7))
    const asked = { pool: [issuing] }
    const ofIssuing = crl(issuing)
    expect(verdict(below, [crl(root), ofIssuing], asked)).toBe('accepted')
    expect(verdict(below, [ofIssuing], asked)).toBe(unavailable)
    expect(verdict(below, [crl(root)], asked)).toBe(unavailable)
    expect(verdict(below, [crl(root, { revoked: [3] }), ofIssuing], asked)).toBe(revoked)
    // The same number means something else to another issuer.
    expect(verdict(below, [crl(root, { revoked: [7] }), ofIssuing], asked)).toBe('accepted')
    expect(verdict(below, [crl(root), crl(issuing, { revoked: [3] })], asked)).toBe('accepted')
  })

  test('is named by the refusal', () => {
    const issuing = authority({ parts: { serialNumber: integer(3) } }, root)
    const asked = { pool: [issuing] }
    const below = leaf(issuing)
    const place = 'authority 1 above the leaf, with serial number 03,'
    expect(refusalOf(below, [crl(root, { revoked: [3] }), crl(issuing)], asked)?.detail).toEqual({
      expected: 'a certificate that is not revoked',
      actual: `${place} was revoked at 2026-04-01T00:00:00.000Z`,
    })
    expect(refusalOf(below, [crl(issuing)], asked)?.detail.actual).toBe(`${place} has none`)
    expect(refusalOf(below, [crl(root)], asked)?.detail.actual).toBe('the leaf has none')
    expect(refusalOf(below, [], asked)?.detail.actual).toBe('the leaf has none')
    // What is known says more than what is not.
    expect(refusalOf(below, [crl(root, { revoked: [3] })], asked)?.code).toBe(revoked)
  })

  test('that is revoked is called so, whatever is thrown in beside it', () => {
    const list = crl(root, { revoked: [7] })
    const junk = authority({
      commonName: 'Root',
      extensions: [extensions.authority(), extensions.keyUsage(0x02)],
    })
    expect(verdict(seven, [list], { pool: [junk] })).toBe(revoked)
    const anchors = [
      authority({ parts: { validity: sequence(time('250101000000Z'), time('260101000000Z')) } }),
      root,
    ]
    expect(verdict(seven, [list], { trustAnchors: anchors.map((one) => one.der) })).toBe(revoked)
  })

  test('that has another path is accepted by that one', () => {
    const keys = createKeys()
    const [one, other] = [authority({ commonName: 'One' }), authority({ commonName: 'Other' })]
    const crossed = [one, other].map((above) =>
      authority({ commonName: 'Issuing', keys, parts: { serialNumber: integer(3) } }, above),
    )
    const [issuing = root] = crossed
    const asked = (...revokers: readonly Authority[]): string =>
      verdict(
        leaf(issuing),
        [
          crl(one, { revoked: revokers.includes(one) ? [3] : [] }),
          crl(other, { revoked: revokers.includes(other) ? [3] : [] }),
          crl(issuing),
        ],
        {
          pool: crossed,
          trustAnchors: [one.der, other.der],
        },
      )
    expect([asked(), asked(one), asked(other), asked(one, other)]).toEqual([
      'accepted',
      'accepted',
      'accepted',
      revoked,
    ])
  })
})

describe('a list', () => {
  test.each([
    ['of today', {}, 'accepted'],
    ['that begins now', { from: '260601000000Z' }, 'accepted'],
    ['that begins in a second', { from: '260601000001Z' }, unavailable],
    ['that ends now', { until: '260601000000Z' }, 'accepted'],
    ['that ended a second ago', { until: '260531235959Z' }, unavailable],
    ['that ends in the next century', { until: '21000101000000Z' }, 'accepted'],
    ['without end', { parts: { nextUpdate: Buffer.alloc(0) } }, unavailable],
    ['of another name', { parts: { issuer: name('Other') } }, unavailable],
    ['with the name in other letters', { parts: { issuer: name(' ROOT') } }, 'accepted'],
    ['that another key signed', { keys: createKeys() }, unavailable],
    ['with a signature that was changed', { parts: { signature: bits(0, 1, 2, 3) } }, unavailable],
    ['that is a delta', { also: [crlExtensions.delta()] }, unavailable],
    [
      'with a critical extension that nobody knows',
      { also: [extension('1.2.3', true, hex('0500'))] },
      unavailable,
    ],
    [
      'with an entry that nobody understands',
      { entries: [entry([9], extension('1.2.3', true, hex('0500')))] },
      unavailable,
    ],
    [
      'with an entry of another authority',
      { entries: [entry([9], extension('2.5.29.29', true, sequence(names.directory(name('x')))))] },
      unavailable,
    ],
    ['without a number', { extensions: [] }, unavailable],
    ['that is indirect', { also: [crlExtensions.scope(scopes.indirect)] }, unavailable],
    ['that is malformed', { parts: { version: integer(2) } }, unavailable],
  ] satisfies [string, CrlOptions, string][])('%s: %s', (_, options: CrlOptions, code) => {
    expect(verdict(seven, [crl(root, options)])).toBe(code)
    // A good one beside it makes up for what it lacks, in any order.
    expect(verdict(seven, [crl(root, options), crl(root)])).toBe('accepted')
    expect(verdict(seven, [crl(root), crl(root, options)])).toBe('accepted')
    // And whom it revokes matters where it counts, and nowhere else.
    const entries = [...(options.entries ?? []), entry([7])]
    const whole = crl(root, { ...options, entries })
    expect(verdict(seven, [crl(root), whole])).toBe(code === 'accepted' ? revoked : 'accepted')
  })

  test('of an authority that may not sign lists does not count', () => {
    const only = (...list: readonly Uint8Array[]): string => {
      const anchor = authority({ extensions: [extensions.authority(), ...list] })
      return verdict(leaf(anchor), [crl(anchor)], { anchor })
    }
    expect(only(extensions.keyUsage(0x06))).toBe('accepted')
    expect(only(extensions.keyUsage(0x04))).toBe(unavailable)
    expect(only()).toBe('accepted')
  })

  test('is signed by an algorithm that counts, with a key of its kind', () => {
    const rsa = authority({ keys: generateKeyPairSync('rsa', { modulusLength: 2048 }) })
    const certificate = leaf({ ...rsa, keys: rsa.keys }, { parts: { innerAlgorithm: rsaWith('11') } })
    const asked = { anchor: rsa }
    expect(verdict(certificate, [crl(rsa, { parts: { innerAlgorithm: rsaWith('11') } })], asked)).toBe(
      'accepted',
    )
    const sha1 = (tbs: Buffer): Buffer => sign('sha1', tbs, rsa.keys.privateKey)
    const [weak] = [crl(rsa, { parts: { innerAlgorithm: rsaWith('5') } })]
    const tbs = parseTbs(weak)
    const signedWeakly = crl(rsa, {
      parts: { innerAlgorithm: rsaWith('5'), signature: bits(0, ...sha1(tbs)) },
    })
    expect(verdict(certificate, [signedWeakly], asked)).toBe(unavailable)
    expect(verdict(certificate, [crl(rsa)], asked)).toBe(unavailable)
  })

  test('revokes beside another that does not, whichever is the newer', () => {
    const [older, newer] = [
      { number: 1, from: '260501000000Z' },
      { number: 2, from: '260502000000Z' },
    ]
    for (const [on, off] of [
      [older, newer],
      [newer, older],
    ] as const) {
      const lists = [crl(root, { ...on, revoked: [7] }), crl(root, off)]
      expect(verdict(seven, lists)).toBe(revoked)
      expect(verdict(seven, lists.toReversed())).toBe(revoked)
    }
    // One that is over says nothing any more, but where nobody knows any better.
    const over = crl(root, { revoked: [7], until: '260502000000Z' })
    expect(verdict(seven, [over, crl(root)])).toBe('accepted')
    expect(verdict(seven, [over])).toBe(revoked)
    expect(verdict(leaf(root, numbered(8)), [over])).toBe(unavailable)
  })

  test('may stand with others in a text', () => {
    const pem = `# ours\n${pemOf(crl(authority({ commonName: 'Other' })), 'X509 CRL')}\r\n${pemOf(crl(root), 'X509 CRL')}`
    expect(verdict(seven, [pem])).toBe('accepted')
    expect(verdict(seven, [new Uint8Array(crl(root))])).toBe('accepted')
    const certificate = pem.replaceAll('X509 CRL', 'CERTIFICATE')
    for (const junk of ['', 'junk', Buffer.alloc(0), root.der, certificate]) {
      expect(verdict(seven, [junk])).toBe(unavailable)
      expect(verdict(seven, [junk, pem])).toBe('accepted')
    }
    const broken = pemOf(crl(root, { parts: { version: integer(2) } }), 'X509 CRL')
    expect(verdict(seven, [broken + pem])).toBe('accepted')
  })
})

function rsaWith(last: string): Buffer {
  return sequence(oid(`1.2.840.113549.1.1.${last}`), hex('0500'))
}

/** The octets that are signed: the first value in a list. */
function parseTbs(list: Buffer): Buffer {
  const start = (list[1] ?? 0) < 0x80 ? 2 : 2 + ((list[1] ?? 0) & 0x7f)
  const length = list[start + 1] ?? 0
  const size = length < 0x80 ? 2 + length : 3 + (list[start + 2] ?? 0)
  return list.subarray(start, start + size)
}
