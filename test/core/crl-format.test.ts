// Revocation lists: what is read of one, what is none, and what is one that says nothing of any certificate.
import { performance } from 'node:perf_hooks'
import { describe, expect, test } from 'vitest'
import { MalformedDer } from '../../packages/core/src/identity/certificate/der.ts'
import { parseCertificate } from '../../packages/core/src/identity/certificate/parsed-certificate.ts'
import { maxCrlBytes, parseCrl, type ParsedCrl } from '../../packages/core/src/identity/revocation/crl.ts'
import { Refusal } from '../../packages/core/src/refusal.ts'
import { crl, crlExtensions, entry, reason, scopes, type CrlOptions } from './support/der-crl.ts'
import {
  authority,
  bits,
  der,
  extension,
  extensions,
  hex,
  integer,
  name,
  names,
  oid,
  sequence,
  text,
  time,
} from './support/der-certificate.ts'

const root = authority()
const revokedAt = Date.parse('2026-04-01T00:00:00Z')

const read = (options: CrlOptions = {}): ParsedCrl => parseCrl(crl(root, options))

function problemIn(list: Buffer | CrlOptions): string | undefined {
  try {
    return parseCrl(Buffer.isBuffer(list) ? list : crl(root, list)).unusable
  } catch (error) {
    if (error instanceof MalformedDer) return `malformed: ${error.message}`
    throw error
  }
}

test('a list says whose it is, from when to when, which one, and whom it revokes', () => {
  const list = read({
    number: 7,
    also: [extensions.authorityKeyId('key')],
    entries: [
      entry([1]),
      entry([0, 0xff, 1], reason(1)),
      entry([5], extension('2.5.29.24', false, time('20260331235959Z')), reason(6)),
    ],
  })
  expect(list).toMatchObject({
    thisUpdate: Date.parse('2026-05-01T00:00:00Z'),
    nextUpdate: Date.parse('2026-07-01T00:00:00Z'),
    number: 7n,
    authorityKeyId: Buffer.from('key').toString('hex'),
    unusable: undefined,
  })
  expect(list.issuer.comparable).toBe('2.5.4.3=4:root')
  expect([...list.revocations]).toEqual([
    ['01', revokedAt],
    ['ff01', revokedAt],
    ['05', revokedAt],
  ])
})

test('serial numbers of 20 octets and of zero are spelled as in certificates', () => {
  const long = Array.from({ length: 20 }, (_, i) => i + 1)
  const own = parseCertificate(authority({ parts: { serialNumber: integer(...long) } }, root).der)
  if (own instanceof Refusal) throw new Error(own.code)
  const list = read({ entries: [entry(long), entry([0])] })
  expect([...list.revocations.keys()]).toEqual([own.serialNumber, ''])
})

test('an empty sequence of entries is no entry', () => {
  expect(read({ parts: { entries: sequence() } }).revocations.size).toBe(0)
})

describe('malformed is a list', () => {
  const noKind = 'expected the tag 0x2, got 0x'
  test.each([
    ['of version 1', { parts: { version: Buffer.alloc(0) } }, 'a list of another version than 2'],
    ['of version 3', { parts: { version: integer(2) } }, 'a list of another version than 2'],
    [
      'with another algorithm beside the signature',
      { parts: { outerAlgorithm: sequence(oid('1.2.840.10045.4.3.3')) } },
      'two signature algorithms that differ',
    ],
    ['without issuer', { parts: { issuer: sequence() } }, 'no issuer'],
    ['without thisUpdate', { parts: { thisUpdate: sequence() } }, 'expected the tag 0x18, got 0x30'],
    ['that begins on 30 February', { from: '260230000000Z' }, 'a time that is none'],
    ['that ends in the later form', { until: '20260701000000Z' }, 'a time before 2050 in the later form'],
    [
      'with something behind its extensions',
      { parts: { rest: Buffer.concat([der(0xa0, sequence(crlExtensions.number(1))), integer(1)]) } },
      'octets behind the last value',
    ],
    ['with something behind its signature', { parts: { end: integer(1) } }, 'octets behind the last value'],
    ['with a signature of odd bits', { parts: { signature: bits(1, 2) } }, 'a bit string with unused bits'],
    ['with an extension twice', { also: [crlExtensions.number(1)] }, 'the extension 2.5.29.20 twice'],
    [
      'with a negative number',
      { extensions: [crlExtensions.number(0x80)] },
      'a list with no sensible number',
    ],
    [
      'with a number of 21 octets',
      { extensions: [crlExtensions.number(...Array.from({ length: 21 }, () => 1))] },
      'a list with no sensible number',
    ],
    [
      'with a number that is none',
      { extensions: [extension('2.5.29.20', false, time('260101000000Z'))] },
      `${noKind}17`,
    ],
    [
      'with a key identifier that is none',
      { also: [extension('2.5.29.35', false, integer(1))] },
      'expected the tag 0x30, got 0x2',
    ],
    ['with an entry that is none', { entries: [integer(1)] }, 'expected the tag 0x30, got 0x2'],
    ['with an entry without time', { entries: [sequence(integer(1))] }, 'expected the tag 0x18, got nothing'],
    ['with an entry of a negative number', { entries: [entry([0x80])] }, 'a serial number that is negative'],
    [
      'with an entry of a number of 21 octets',
      { entries: [entry(Array.from({ length: 21 }, () => 1))] },
      'a serial number of more than 20 octets',
    ],
    [
      'with something behind an entry',
      { entries: [sequence(integer(1), time('260401000000Z'), sequence(reason(1)), integer(1))] },
      'octets behind the last value',
    ],
    [
      'with an empty list of an entry’s extensions',
      { entries: [sequence(integer(1), time('260401000000Z'), sequence())] },
      'expected the tag 0x30, got nothing',
    ],
    ['with two reasons', { entries: [entry([1], reason(1), reason(1))] }, 'the extension 2.5.29.21 twice'],
    ['with a reason that nobody uses', { entries: [entry([1], reason(7))] }, 'no reason for a revocation'],
    ['with a reason that nobody knows', { entries: [entry([1], reason(11))] }, 'no reason for a revocation'],
    [
      'with an entry that takes itself off',
      { entries: [entry([1], reason(8))] },
      'no reason for a revocation',
    ],
    [
      'with a reason of two octets',
      { entries: [entry([1], extension('2.5.29.21', false, hex('0a020001')))] },
      'no reason for a revocation',
    ],
    [
      'with a reason without octets',
      { entries: [entry([1], extension('2.5.29.21', false, hex('0a00')))] },
      'no reason for a revocation',
    ],
    [
      'with a reason that is a number',
      { entries: [entry([1], extension('2.5.29.21', false, integer(1)))] },
      'expected the tag 0xa, got 0x2',
    ],
    [
      'with something behind a reason',
      { entries: [entry([1], extension('2.5.29.21', false, hex('0a01010500')))] },
      'octets behind the last value',
    ],
    [
      'with an invalidity date in the earlier form',
      { entries: [entry([1], extension('2.5.29.24', false, time('260331235959Z')))] },
      'expected the tag 0x18, got 0x17',
    ],
    [
      'with something behind an invalidity date',
      {
        entries: [
          entry([1], extension('2.5.29.24', false, Buffer.concat([time('20260331235959Z'), hex('0500')]))),
        ],
      },
      'octets behind the last value',
    ],
    ['with a scope that says nothing', { also: [crlExtensions.scope()] }, 'a scope that says nothing'],
    [
      'with a scope that says no',
      { also: [crlExtensions.scope(hex('810100'))] },
      'a boolean that is not 0xff',
    ],
    [
      'with a scope out of order',
      { also: [crlExtensions.scope(scopes.authorities, scopes.users)] },
      'octets behind the last value',
    ],
    [
      'with a scope of no reasons',
      { also: [crlExtensions.scope(hex('830100'))] },
      'a list of bits without any',
    ],
    [
      'with a point of no kind',
      { also: [crlExtensions.scope(der(0xa0, hex('820161')))] },
      'a distribution point of no known kind',
    ],
    ['with a point of no names', { also: [crlExtensions.scope(scopes.point())] }, 'a value is missing'],
    [
      'with a point of two kinds',
      { also: [crlExtensions.scope(der(0xa0, der(0xa0, names.uri('a')), der(0xa0, names.uri('a'))))] },
      'octets behind the last value',
    ],
    [
      'with values in an algorithm that are none',
      { parts: { innerAlgorithm: sequence(oid('1.2.3.4'), der(0x30, Buffer.from('x'))) } },
      'a length that is missing, indefinite or huge',
    ],
    [
      'with values in an extension that are none',
      { also: [extension('2.5.29.35', false, sequence(der(0xa1, Buffer.from('x'))))] },
      'a length that is missing, indefinite or huge',
    ],
  ] satisfies [string, CrlOptions, string][])('%s', (_, options, problem) => {
    expect(problemIn(options)).toBe(`malformed: ${problem}`)
  })

  test('of more than 8 MiB', () => {
    expect(maxCrlBytes).toBe(8 * 1024 * 1024)
    expect(problemIn(Buffer.alloc(maxCrlBytes + 1))).toBe('malformed: more than 8388608 octets')
    expect(problemIn(Buffer.alloc(maxCrlBytes))).not.toMatch('more than')
  })

  test('that is empty, something else, or followed by something', () => {
    expect(problemIn(Buffer.alloc(0))).toBe('malformed: expected the tag 0x30, got nothing')
    expect(problemIn(root.der)).toMatch('malformed')
    expect(problemIn(Buffer.concat([crl(root), hex('0500')]))).toBe('malformed: octets behind the last value')
  })
})

describe('unusable is a list', () => {
  test.each([
    ['without end', { parts: { nextUpdate: Buffer.alloc(0) } }, 'no nextUpdate'],
    ['without a number', { extensions: [] }, 'no cRLNumber'],
    [
      'with a critical number',
      { extensions: [extension('2.5.29.20', true, integer(1))] },
      'the critical extension 2.5.29.20',
    ],
    ['that is a delta', { also: [crlExtensions.delta()] }, 'a delta of another list'],
    [
      'that is a delta, and does not say that it matters',
      { also: [crlExtensions.delta(false)] },
      'a delta of another list',
    ],
    ['that is indirect', { also: [crlExtensions.scope(scopes.indirect)] }, 'an indirect list'],
    [
      'of attribute certificates',
      { also: [crlExtensions.scope(scopes.attributes)] },
      'a list of attribute certificates',
    ],
    [
      'with a critical extension that nobody knows',
      { also: [extension('1.2.3.4', true, hex('0500'))] },
      'the critical extension 1.2.3.4',
    ],
    [
      'with a critical key identifier',
      { also: [extension('2.5.29.35', true, sequence(text(0x80, 'key')))] },
      'the critical extension 2.5.29.35',
    ],
    [
      'with an entry whose critical extension nobody knows',
      { entries: [entry([1]), entry([2], extension('1.2.3.4', true, hex('0500'))), entry([3])] },
      'an entry with the critical extension 1.2.3.4',
    ],
    [
      'with an entry of another authority',
      { entries: [entry([1], extension('2.5.29.29', true, sequence(names.directory(name('Other')))))] },
      'an entry of another authority',
    ],
    [
      'with an entry of another authority, and does not say that it matters',
      { entries: [entry([1], extension('2.5.29.29', false, sequence(names.directory(name('Other')))))] },
      'an entry of another authority',
    ],
    [
      'with two entries of a short extension that nobody knows',
      {
        entries: [
          entry([1], extension('1.2.3', true, hex('0500'))),
          entry([2], extension('1.2.3', true, hex('0500'))),
        ],
      },
      'an entry with the critical extension 1.2.3',
    ],
  ] satisfies [string, CrlOptions, string][])('%s', (_, options, problem) => {
    expect(problemIn(options)).toBe(problem)
  })

  test('whatever the entries behind it are', () => {
    const entries = [entry([1], extension('1.2.3', true, hex('0500'))), entry([2], reason(1)), entry([3])]
    expect(problemIn({ entries })).toBe('an entry with the critical extension 1.2.3')
  })

  test('but not one with extensions that need not be understood', () => {
    const also = [extension('2.5.29.46', false, sequence(sequence())), extension('1.2.3.4', false, hex('ff'))]
    const entries = [
      entry([1], extension('1.2.3.4', false, hex('ff')), reason(0)),
      entry([2], reason(1, true)),
    ]
    expect(problemIn({ also, entries })).toBeUndefined()
  })

  test('but a delta may take entries off', () => {
    expect(problemIn({ also: [crlExtensions.delta()], entries: [entry([1], reason(8))] })).toBe(
      'a delta of another list',
    )
  })
})

test('ten times as many entries take ten times as long', () => {
  const listOf = (count: number): Buffer => {
    const entries = Array.from({ length: count }, (_, i) =>
      entry(
        [0x41, ...Array.from({ length: 12 }, () => 7), i >> 16, (i >> 8) & 0xff, i & 0xff],
        reason(1 + (i % 5)),
      ),
    )
    return crl(root, { entries })
  }
  const [few, many] = [listOf(5000), listOf(50_000)]
  const timeOf = (list: Buffer, size: number): number => {
    const began = performance.now()
    expect(parseCrl(list).revocations.size).toBe(size)
    return performance.now() - began
  }
  // By turns, the best of each: what else the machine does comes and goes.
  const rounds = [1, 2, 3, 4, 5].map(() => [timeOf(few, 5000), timeOf(many, 50_000)] as const)
  const one = Math.min(...rounds.map(([ofFew]) => ofFew))
  const ten = Math.min(...rounds.map(([, ofMany]) => ofMany))
  expect(ten / one).toBeLessThan(30)
})
