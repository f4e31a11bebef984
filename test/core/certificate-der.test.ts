// Certificates that are spelled in another way than DER and RFC 5280 §4 have it, each in one place.
import { X509Certificate } from 'node:crypto'
import { Refusal, validatePath } from '@countersign/core/certificate'
import { describe, expect, test } from 'vitest'
import { DerReader } from '../../packages/core/src/identity/certificate/der.ts'
import {
  takeGeneralizedTime,
  takeOptionalTime,
} from '../../packages/core/src/identity/certificate/der-values.ts'
import {
  takeName,
  takeRelativeName,
} from '../../packages/core/src/identity/certificate/distinguished-name.ts'
import { parseCertificate } from '../../packages/core/src/identity/certificate/parsed-certificate.ts'
import {
  at,
  attribute,
  authority,
  bits,
  clientAuth,
  createKeys,
  der,
  ecdsaWithSha256,
  extension,
  extensions,
  hex,
  integer,
  leaf,
  name,
  names,
  oid,
  sequence,
  spkiOf,
  text,
  time,
  yes,
  type CertificateParts,
} from './support/der-certificate.ts'
import { tries } from './support/tries.ts'

const root = authority()

/** What is wrong with a leaf, in the words of its refusal; undefined where it is accepted. */
function problemOf(certificate: Uint8Array): string | undefined {
  const answer = validatePath({ leaf: certificate, trustAnchors: [root.der], at, purpose: 'clientAuth' })
  if (!(answer instanceof Refusal)) return undefined
  expect(answer.code).toBe('certificate_malformed')
  return answer.detail.actual
}

const leafWith = (parts: Partial<CertificateParts>): Buffer => leaf(root, { parts })
const leafWithExtensions = (...list: readonly Uint8Array[]): Buffer => leaf(root, { extensions: list })
const validFor = (notBefore: Uint8Array, notAfter: Uint8Array): Buffer =>
  leafWith({ validity: sequence(notBefore, notAfter) })

const soon = time('300101000000Z')
const usage = extensions.keyUsage(0x80)
const good = leaf(root)
const unreadable = 'something that OpenSSL cannot read, such as a key that is no key'

test('a certificate that is spelled right is accepted', () => {
  expect(problemOf(good)).toBeUndefined()
})

describe('a length', () => {
  const longer = (whole: Buffer, ...length: readonly number[]): Buffer =>
    Buffer.concat([whole.subarray(0, 1), Buffer.from(length), whole.subarray(2)])
  const serial = integer(1)

  test.each([
    ['in the long form that fits the short', longer(serial, 0x81, 1), 'a length in a longer form'],
    ['with a leading zero', longer(serial, 0x82, 0, 1), 'a length in a longer form'],
    [
      'of 128 octets with a leading zero',
      Buffer.concat([Buffer.from([0x02, 0x82, 0, 128]), Buffer.alloc(128, 1)]),
      'a length in a longer form',
    ],
    [
      'of 256 octets with a leading zero',
      Buffer.concat([Buffer.from([0x02, 0x83, 0, 1, 0]), Buffer.alloc(256, 1)]),
      'a length in a longer form',
    ],
    ['that is indefinite', longer(serial, 0x80), 'a length that is missing, indefinite or huge'],
    ['of four octets', longer(serial, 0x84, 0, 0, 0, 1), 'a length that is missing, indefinite or huge'],
    ['beyond its container', longer(serial, 0x83, 1, 0, 0), 'a value that ends behind its container'],
  ])('%s is refused', (_, serialNumber, problem) => {
    expect(problemOf(leafWith({ serialNumber }))).toBe(problem)
  })

  test('that cuts the certificate off is refused', () => {
    expect(problemOf(good.subarray(0, -1))).toBe('a value that ends behind its container')
    expect(problemOf(good.subarray(0, 3))).toBe('a value that ends behind its container')
    expect(problemOf(good.subarray(0, 1))).toBe('a length that is missing, indefinite or huge')
    expect(problemOf(Buffer.alloc(0))).toBe('expected the tag 0x30, got nothing')
  })
})

test.each([
  ['behind the certificate', Buffer.concat([good, integer(1)])],
  ['behind the signature', leafWith({ end: integer(1) })],
  ['behind the extensions', leafWith({ rest: Buffer.concat([der(0xa3, sequence(usage)), integer(1)]) })],
  ['behind the list of extensions', leafWith({ rest: der(0xa3, sequence(usage), integer(1)) })],
  ['behind the version', leafWith({ version: der(0xa0, integer(2), integer(2)) })],
  ['behind the validity', leafWith({ validity: sequence(time('250101000000Z'), soon, soon) })],
  ['in an extension', leafWithExtensions(sequence(oid('1.2.3'), der(0x04, bits(0)), integer(1)))],
  ['in keyUsage', leafWithExtensions(extension('2.5.29.15', true, Buffer.concat([bits(7, 0x80), bits(0)])))],
  ['in basicConstraints', leafWithExtensions(extension('2.5.29.19', true, sequence(integer(0), integer(0))))],
  [
    'behind basicConstraints',
    leafWithExtensions(extension('2.5.29.19', true, Buffer.concat([sequence(), bits(0)]))),
  ],
  [
    'in a subject',
    leafWith({ subject: sequence(der(0x31, sequence(oid('2.5.4.3'), text(0x0c, 'x'), bits(0)))) }),
  ],
])('octets %s are refused', (_, certificate) => {
  expect(problemOf(certificate)).toBe('octets behind the last value')
})

test('a tag of several octets is refused', () => {
  expect(problemOf(leafWith({ serialNumber: hex('9f06 0101') }))).toBe('a tag of several octets')
})

describe('an integer', () => {
  test.each([
    ['negative', integer(0x80), 'a serial number that is negative'],
    ['too long', integer(...Array.from({ length: 21 }, () => 1)), 'a serial number of more than 20 octets'],
    ['padded', integer(0, 1), 'an integer in a longer form'],
    ['padded below zero', integer(0xff, 0x80), 'an integer in a longer form'],
    ['negative in two octets', integer(0xff, 0x7f), 'a serial number that is negative'],
    ['empty', integer(), 'an integer without octets'],
    ['of another type', bits(0, 1), 'expected the tag 0x2, got 0x3'],
  ])('that is %s is no serial number', (_, serialNumber, problem) => {
    expect(problemOf(leafWith({ serialNumber }))).toBe(problem)
  })

  test('that is zero is a serial number for roots alone', () => {
    expect(problemOf(leafWith({ serialNumber: integer(0) }))).toBe('the leaf has zero')
    const old = authority({ parts: { serialNumber: integer(0) } })
    const answer = validatePath({ leaf: leaf(old), trustAnchors: [old.der], at, purpose: 'clientAuth' })
    expect(answer).not.toBeInstanceOf(Refusal)
  })

  test('of 20 octets is a serial number, with or without the zero of its sign', () => {
    const long = Array.from({ length: 19 }, () => 0xab)
    expect(problemOf(leafWith({ serialNumber: integer(0x7f, ...long) }))).toBeUndefined()
    expect(problemOf(leafWith({ serialNumber: integer(0, ...long) }))).toBeUndefined()
    expect(problemOf(leafWith({ serialNumber: integer(0, 0x80) }))).toBeUndefined()
    expect(parseCertificate(leafWith({ serialNumber: integer(0, ...long) }))).toMatchObject({
      serialNumber: 'ab'.repeat(19),
    })
  })

  test.each([
    ['negative', integer(0xff), 'a negative number'],
    ['the lowest of one octet', integer(0x80), 'a negative number'],
    ['padded', integer(0, 1), 'an integer in a longer form'],
  ])('that is %s is no path length', (_, length, problem) => {
    const constraints = extension('2.5.29.19', true, sequence(yes, length))
    expect(problemOf(leafWithExtensions(constraints))).toBe(problem)
  })

  test.each([
    [[0x7f, 1, 1, 1, 1, 1, 1, 1], 0x7fff_ffff],
    [[1, 0, 0, 0, 0], 0x7fff_ffff],
    [[1, 2, 3, 4], 0x0102_0304],
  ])('that is larger than any chain is a path length: %j', (octets, pathLength) => {
    const constraints = extension('2.5.29.19', true, sequence(yes, integer(...octets)))
    const parsed = parseCertificate(authority({ extensions: [constraints] }).der)
    expect(parsed).toMatchObject({ isCa: true, pathLength })
  })
})

test.each([
  ['of version 1', leafWith({ version: Buffer.alloc(0) })],
  ['that says that it is of version 1', leafWith({ version: der(0xa0, integer(0)) })],
  ['of version 2', leafWith({ version: der(0xa0, integer(1)) })],
  ['of version 4', leafWith({ version: der(0xa0, integer(3)) })],
])('a certificate %s is refused', (_, certificate) => {
  expect(problemOf(certificate)).toBe('a certificate of another version than 3')
})

test.each([
  ['another hash', sequence(oid('1.2.840.10045.4.3.3'))],
  ['other parameters', sequence(oid('1.2.840.10045.4.3.2'), hex('0500'))],
])('a signature algorithm outside of what is signed, with %s, is refused', (_, outerAlgorithm) => {
  expect(problemOf(leafWith({ outerAlgorithm }))).toBe('two signature algorithms that differ')
})

test('a signature with unused bits is refused', () => {
  const changed = Buffer.from(good)
  // Behind the algorithm: the tag, the length, the number of unused bits.
  changed[changed.lastIndexOf(ecdsaWithSha256) + ecdsaWithSha256.length + 2] = 1
  expect(problemOf(changed)).toBe('a bit string with unused bits')
})

describe('a time', () => {
  test.each([
    ['without seconds', '2501010000Z'],
    ['in another zone', '250101000000+0100'],
    ['with a fraction', '20500101000000.5Z'],
    ['of another form', '250101 00000Z'],
    ['with a colon for tens', '250101:00000Z'],
    ['with a colon for ones', '2501010:0000Z'],
    ['with a slash for ones', '25010/000000Z'],
    ['with a colon in its year', '5:0101000000Z'],
    ['with no zone', '250101000000'],
    ['with two zones', '250101000000ZZ'],
  ])('%s is refused', (_, value) => {
    expect(problemOf(validFor(text(value.length > 17 ? 0x18 : 0x17, value), soon))).toBe(
      'a time in no form of RFC 5280',
    )
  })

  test.each([
    ['the thirteenth month', '251301000000Z'],
    ['30 February', '250230000000Z'],
    ['the 24th hour', '250101240000Z'],
    ['the 60th minute', '250101006000Z'],
    ['a leap second', '241231235960Z'],
  ])('that is %s is refused', (_, value) => {
    expect(problemOf(validFor(time(value), soon))).toBe('a time that is none')
  })

  test('is a day of the calendar', () => {
    const two = (value: number): string => String(value).padStart(2, '0')
    for (const year of ['1999', '2000', '2023', '2024', '2100', '2400', '0099', '0100']) {
      for (const [month, day] of Array.from({ length: 14 * 33 }, (_, i) => [Math.trunc(i / 33), i % 33])) {
        const iso = `${year}-${two(month ?? 0)}-${two(day ?? 0)}T01:02:03.000Z`
        const ms = Date.parse(iso)
        const isReal = year !== '0099' && !Number.isNaN(ms) && new Date(ms).toISOString() === iso
        const read = (): number =>
          takeGeneralizedTime(new DerReader(time(`${iso.replaceAll(/\D/g, '').slice(0, 14)}Z`)))
        if (isReal) expect(read(), iso).toBe(ms)
        else expect(read, iso).toThrow('a time that is none')
      }
    }
  })

  test('before 2050 has two digits for its year', () => {
    expect(problemOf(validFor(time('250101000000Z'), time('20491231235959Z')))).toBe(
      'a time before 2050 in the later form',
    )
    expect(problemOf(validFor(time('250101000000Z'), time('20500101000000Z')))).toBeUndefined()
    expect(problemOf(validFor(time('500101000000Z'), time('491231235959Z')))).toBeUndefined()
    expect(parseCertificate(validFor(time('500101000000Z'), time('491231235959Z')))).toMatchObject({
      notBefore: Date.parse('1950-01-01T00:00:00Z'),
      notAfter: Date.parse('2049-12-31T23:59:59Z'),
    })
  })

  test('may be left out where another value may follow', () => {
    const optional = (value: Buffer): number | undefined => takeOptionalTime(new DerReader(value))
    expect(optional(time('250101000000Z'))).toBe(Date.parse('2025-01-01T00:00:00Z'))
    expect(optional(time('20500101000000Z'))).toBe(Date.parse('2050-01-01T00:00:00Z'))
    expect(optional(sequence())).toBeUndefined()
    expect(optional(Buffer.alloc(0))).toBeUndefined()
  })

  test('of one tag in the form of the other is refused', () => {
    expect(problemOf(validFor(text(0x18, '250101000000Z'), soon))).toBe('a time in no form of RFC 5280')
    expect(problemOf(validFor(text(0x17, '20500101000000Z'), soon))).toBe('a time in no form of RFC 5280')
  })
})

describe('an extension', () => {
  const flagged = (octet: number): Buffer =>
    sequence(oid('1.2.3'), der(0x01, Buffer.from([octet])), der(0x04, Buffer.from('x')))

  test.each([
    ['that says that it is not critical', flagged(0), 'a boolean that is not 0xff'],
    ['that is critical in another way', flagged(1), 'a boolean that is not 0xff'],
    [
      'whose flag is two octets',
      sequence(oid('1.2.3'), der(0x01, Buffer.from([255, 255]))),
      'a boolean that is not 0xff',
    ],
    ['without a value', sequence(oid('1.2.3')), 'expected the tag 0x4, got nothing'],
    ['of another tag', der(0x31, oid('1.2.3'), der(0x04)), 'expected the tag 0x30, got 0x31'],
  ])('%s is refused', (_, list, problem) => {
    expect(problemOf(leafWithExtensions(list))).toBe(problem)
  })

  test('that stands twice is refused, critical or not', () => {
    for (const isCritical of [true, false]) {
      const twice = extension('1.2.3.4', isCritical, Buffer.from('x'))
      expect(problemOf(leafWithExtensions(usage, twice, twice))).toBe('the extension 1.2.3.4 twice')
    }
  })

  test('is one of 64 at most, and one at least', () => {
    const many = (count: number): Buffer[] =>
      Array.from({ length: count }, (_, i) => extension(`1.2.3.${i}`, false, Buffer.from('x')))
    expect(problemOf(leafWithExtensions(...many(64)))).toBeUndefined()
    expect(problemOf(leafWithExtensions(...many(65)))).toBe('more than 64 values')
    expect(problemOf(leafWith({ rest: der(0xa3, sequence()) }))).toBe('expected the tag 0x30, got nothing')
  })

  test.each([
    ['cA that is false', '2.5.29.19', hex('3003 010100'), 'a boolean that is not 0xff'],
    ['no usage', '2.5.29.15', bits(0), 'a list of bits without any'],
    ['a usage that is not there', '2.5.29.15', bits(0, 0), 'bits in a longer form'],
    ['usages with zeros behind', '2.5.29.15', bits(0, 0x80), 'bits in a longer form'],
    ['usages with ones that do not count', '2.5.29.15', bits(7, 0x81), 'bits in a longer form'],
    ['usages of nine unused bits', '2.5.29.15', bits(9, 0x80), 'bits in a longer form'],
    // Shifts count modulo 32.
    ['usages of 39 unused bits', '2.5.29.15', bits(39, 0x80), 'bits in a longer form'],
    ['usages that nobody knows', '2.5.29.15', bits(0, 0x80, 0, 1), 'bits in a longer form'],
    ['no extended usage', '2.5.29.37', sequence(), 'expected the tag 0x6, got nothing'],
    ['an extended usage without octets', '2.5.29.37', sequence(der(0x06)), 'no object identifier'],
    [
      'an extended usage with a leading zero',
      '2.5.29.37',
      sequence(hex('0603 2a8001')),
      'an object identifier in a longer form',
    ],
    ['an extended usage that is cut off', '2.5.29.37', sequence(hex('0602 2a81')), 'no object identifier'],
    [
      'an extended usage of a huge number',
      '2.5.29.37',
      sequence(hex('060a 2affffffffffffffff7f')),
      'an object identifier with a huge arc',
    ],
    [
      'an extended usage of more than 46 bits',
      '2.5.29.37',
      sequence(hex('0608 2a90808080808000')),
      'an object identifier with a huge arc',
    ],
    [
      'an extended usage of 33 numbers',
      '2.5.29.37',
      sequence(oid(`1.2${'.3'.repeat(32)}`)),
      'no object identifier',
    ],
    ['a key identifier of another type', '2.5.29.14', integer(1), 'expected the tag 0x4, got 0x2'],
    [
      'a key identifier of the issuer that is none',
      '2.5.29.35',
      sequence(integer(1)),
      'octets behind the last value',
    ],
    ['no policy', '2.5.29.32', sequence(), 'expected the tag 0x30, got nothing'],
    ['a policy without a name', '2.5.29.32', sequence(sequence()), 'expected the tag 0x6, got nothing'],
    ['no access to its issuer', '1.3.6.1.5.5.7.1.1', sequence(), 'expected the tag 0x30, got nothing'],
    ['names that cannot be read', '2.5.29.17', sequence(), 'the leaf has others'],
  ])('with %s is refused', (_, type, value, problem) => {
    expect(problemOf(leafWithExtensions(extension(type, false, value)))).toBe(problem)
  })
})

describe('a name', () => {
  const subjectOf = (...attributes: readonly Uint8Array[]): Buffer => sequence(der(0x31, ...attributes))
  const common = (tag: number, value: Uint8Array): Buffer => attribute('2.5.4.3', der(tag, value))

  test.each([
    ['of something else than sets', sequence(sequence(oid('2.5.4.3'))), 'expected the tag 0x31, got 0x30'],
    ['with an empty set', sequence(der(0x31)), 'a value is missing'],
    ['of other things than attributes', subjectOf(integer(1)), 'a name with something other than attributes'],
    [
      'whose attributes are out of order',
      subjectOf(attribute('2.5.4.10', text(0x0c, 'b')), attribute('2.5.4.3', text(0x0c, 'a'))),
      'a name whose attributes are out of order',
    ],
    [
      'with one attribute twice',
      subjectOf(common(0x0c, Buffer.from('a')), common(0x0c, Buffer.from('a'))),
      'a name whose attributes are out of order',
    ],
    ['with a NUL', subjectOf(common(0x13, Buffer.from('a\0b'))), 'text with more than printable ASCII'],
    ['beyond ASCII', subjectOf(common(0x16, Buffer.from([0xe9]))), 'text with more than printable ASCII'],
    ['that is not UTF-8', subjectOf(common(0x0c, Buffer.from([0xc0, 0x80]))), 'text that is not UTF-8'],
    [
      'with half a character',
      subjectOf(common(0x1e, Buffer.from([0]))),
      'text of two octets each with half a character',
    ],
    ['of 65 parts', name(...Array.from({ length: 65 }, () => 'x')), 'a name of more than 64 parts'],
  ])('%s is refused', (_, subject, problem) => {
    expect(problemOf(leafWith({ subject }))).toBe(problem)
  })

  test('with two attributes in order is accepted', () => {
    const subject = subjectOf(attribute('2.5.4.3', text(0x0c, 'a')), attribute('2.5.4.10', text(0x0c, 'b')))
    expect(problemOf(leafWith({ subject }))).toBeUndefined()
  })

  test('reads alike in each of its parts, wherever it stands', () => {
    const part = attribute('2.5.4.3', text(0x0c, 'Corp'))
    const { parts } = takeName(new DerReader(subjectOf(part)))
    expect([takeRelativeName(new DerReader(part))]).toEqual(parts)
    expect(parts).toEqual(['2.5.4.3=4:corp'])
  })

  test('may be missing in a leaf that has another one, which then is critical', () => {
    const own = (isCritical: boolean): Buffer =>
      leaf(root, {
        parts: { subject: sequence() },
        extensions: [extension('2.5.29.17', isCritical, sequence(names.uri('spiffe://prod.example/a')))],
      })
    const problem = 'no subject, and no critical name in its place'
    expect(problemOf(own(true))).toBeUndefined()
    expect(problemOf(own(false))).toBe(problem)
    expect(problemOf(leaf(root, { parts: { subject: sequence() }, extensions: [usage] }))).toBe(problem)
    expect(problemOf(leafWith({ issuer: sequence() }))).toBe('no issuer')
    const nameless = authority({
      subject: sequence(),
      also: [extensions.alternativeNames(names.dns('ca.example'))],
      parts: { issuer: name('x') },
    })
    expect(problemOf(nameless.der)).toBe(problem)
  })
})

describe('a public key', () => {
  const spki = spkiOf(createKeys())

  const key = spki.subarray(2)

  test.each([
    ['with octets behind', der(0x30, key, integer(1)), 'octets behind the last value'],
    ['that is none', sequence(), 'a value is missing'],
    [
      'of unused bits',
      sequence(sequence(oid('1.2.840.10045.2.1')), bits(1, 2)),
      'a bit string with unused bits',
    ],
    [
      'that is no point',
      Buffer.concat([spki.subarray(0, -1), Buffer.from([(spki.at(-1) ?? 0) ^ 1])]),
      unreadable,
    ],
  ])('%s is refused', (_, publicKey, problem) => {
    expect(problemOf(leafWith({ publicKey }))).toBe(problem)
  })
})

test('unique identifiers are refused: nobody has issued any for thirty years', () => {
  const rest = Buffer.concat([der(0x81, Buffer.from([0, 1])), der(0xa3, sequence(usage))])
  expect(problemOf(leafWith({ rest }))).toBe('expected the tag 0xa3, got 0x81')
})

test.each([
  ['in a key identifier of the issuer', '2.5.29.35', sequence(der(0xa1, Buffer.from('x')))],
  ['in a policy, beside its name', '2.5.29.32', sequence(sequence(oid('1.2.3'), hex('048100')))],
  ['in a policy', '2.5.29.32', sequence(sequence(oid('1.2.3'), sequence(Buffer.from('x'))))],
  [
    'in an access to the issuer',
    '1.3.6.1.5.5.7.1.1',
    sequence(sequence(oid('1.2.3'), der(0xa4, bits(0), hex('0281')))),
  ],
])('values that nobody looks into are DER as well: %s', (_, type, value) => {
  expect(problemOf(leafWithExtensions(extension(type, false, value)))).toMatch(/length|ends behind/)
})

test('parameters that nobody looks into are DER as well', () => {
  const rest = sequence(oid('1.2.840.10045.4.1'), hex('048100'))
  expect(problemOf(leafWith({ innerAlgorithm: rest }))).toBe('a length in a longer form')
})

test('values of more than 32 containers are refused', () => {
  const nested = (depth: number): Buffer => (depth === 0 ? bits(0) : sequence(nested(depth - 1)))
  const policy = (depth: number): Buffer =>
    extension('2.5.29.32', false, sequence(sequence(oid('1.2.3'), nested(depth))))
  expect(problemOf(leafWithExtensions(policy(30)))).toBeUndefined()
  expect(problemOf(leafWithExtensions(policy(31)))).toBe('values more than 32 deep')
})

test('a certificate of more than 16 KiB is refused', () => {
  const padded = (size: number): Buffer =>
    leafWithExtensions(usage, extension('1.2.3', false, Buffer.alloc(size)))
  expect(problemOf(padded(15_000))).toBeUndefined()
  expect(problemOf(padded(17_000))).toBe('more than 16384 octets')
  const actual = (length: number): unknown => parseCertificate(Buffer.alloc(length))
  expect(actual(16_384)).toMatchObject({ detail: { actual: 'expected the tag 0x30, got 0x0' } })
  expect(actual(16_385)).toMatchObject({ detail: { actual: 'more than 16384 octets' } })
})

test('whatever is changed, nothing throws, and what is still accepted says the same to OpenSSL', () => {
  const flips = [1, 2, 4, 8, 16, 32, 64, 128]
  for (let position = 0; position < good.length; position += 1) {
    for (const bit of flips.slice(0, tries(flips.length))) {
      const changed = Buffer.from(good)
      changed[position] = (changed[position] ?? 0) ^ bit
      const parsed = parseCertificate(changed)
      if (parsed instanceof Refusal) continue
      const other = new X509Certificate(changed)
      expect(Number(`0x0${parsed.serialNumber}`)).toBe(Number(`0x${other.serialNumber}`))
      expect(parsed.notBefore).toBe(other.validFromDate.getTime())
      expect(parsed.notAfter).toBe(other.validToDate.getTime())
      expect(parsed.isCa).toBe(other.ca)
      // Of what is signed nothing can be changed.
      const path = validatePath({ leaf: changed, trustAnchors: [root.der], at, purpose: 'clientAuth' })
      expect(path, `octet ${position}, bit ${bit}`).toBeInstanceOf(Refusal)
    }
  }
})

test('usages may take a second octet', () => {
  expect(problemOf(leafWithExtensions(extension('2.5.29.15', true, bits(7, 0x80, 0x80))))).toBeUndefined()
})

test('extended usages are read one by one', () => {
  const usages = [clientAuth, '2.999.1', '1.39.0', '1.2.16385.3', `1.2${'.3'.repeat(31)}`]
  const parsed = parseCertificate(leafWithExtensions(extensions.extKeyUsage(...usages)))
  expect(parsed).toMatchObject({ extendedKeyUsage: usages })
  const largest = extension('2.5.29.37', false, sequence(hex('0608 2a8fffffffffff7f')))
  expect(parseCertificate(leafWithExtensions(largest))).toMatchObject({
    extendedKeyUsage: [`1.2.${2 ** 46 - 1}`],
  })
})
