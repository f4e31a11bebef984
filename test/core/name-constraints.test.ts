// What an authority may name, held against what certificates below it are called (RFC 5280 §4.2.1.10).
import { Refusal, validatePath } from '@countersign/core/certificate'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import {
  findViolation,
  parseNameConstraints,
} from '../../packages/core/src/identity/certificate/name-constraints.ts'
import {
  at,
  attribute,
  authority,
  bits,
  clientAuth,
  createKeys,
  der,
  extension,
  extensions,
  integer,
  leaf,
  name,
  names,
  sequence,
  text,
  type Authority,
  type LeafOptions,
} from './support/der-certificate.ts'
import { tries } from './support/tries.ts'

const root = authority()
const rootKeys = createKeys()

type Bases = readonly Uint8Array[]

const constrained = (permitted: Bases, excluded: Bases = []): Authority =>
  authority({ keys: rootKeys, also: [extensions.nameConstraints(permitted, excluded)] })

function codeOf(certificate: Buffer, anchor: Authority, intermediates: readonly Authority[] = []): string {
  const answer = validatePath({
    leaf: certificate,
    intermediates: intermediates.map((one) => one.der),
    trustAnchors: [anchor.der],
    at,
    purpose: 'clientAuth',
  })
  return answer instanceof Refusal ? answer.code : 'accepted'
}

const isAllowed = (options: LeafOptions, permitted: Bases, excluded: Bases = []): boolean => {
  const anchor = constrained(permitted, excluded)
  const code = codeOf(leaf(anchor, options), anchor)
  if (code !== 'accepted') expect(code).toBe('certificate_name_not_permitted')
  return code === 'accepted'
}

/** Whether a name is within a permitted subtree, and whether an excluded one spares it. */
const within = (own: Uint8Array, base: Uint8Array): readonly [boolean, boolean] => [
  isAllowed({ names: [own] }, [base]),
  isAllowed({ names: [own] }, [], [base]),
]
const inside = [true, false]
const outside = [false, true]
/** What cannot be read is neither permitted nor spared. */
const neither = [false, false]

const { uri, dns, email, ip, directory, other } = names

describe('a DNS name', () => {
  test.each([
    ['a.example', 'a.example', inside],
    ['b.a.example', 'a.example', inside],
    ['c.b.a.example', 'a.example', inside],
    ['B.A.EXAMPLE', 'a.example', inside],
    ['b.a.example', 'A.Example', inside],
    ['a.example', 'b.a.example', outside],
    ['ba.example', 'a.example', outside],
    ['example', 'a.example', outside],
    ['a.example.org', 'a.example', outside],
    ['anything.at.all', '', inside],
    ['a_b.example', 'example', inside],
    ['*.a.example', 'a.example', inside],
    ['*.a.example', 'example', inside],
    ['*.b.example', 'a.example', outside],
    // It could stand for what is excluded, and for more than is permitted.
    ['*.example', 'a.example', neither],
    ['*.example', 'b.a.example', neither],
    ['.a.example', 'a.example', neither],
    ['a.example.', 'example', neither],
    ['a..example', 'example', neither],
    ['a.*.example', 'example', neither],
    ['*', 'example', neither],
    ['a b.example', 'example', neither],
    ['-a.example', 'example', neither],
    [hostOf(253), 'bb', inside],
    [hostOf(254), 'bb', neither],
  ])('%s below %j', (own, base, answer) => {
    expect(within(dns(own), dns(base))).toEqual(answer)
  })
})

describe('a URI', () => {
  test.each([
    ['spiffe://prod.example/a', 'prod.example', inside],
    ['spiffe://PROD.example/a', 'prod.EXAMPLE', inside],
    ['https://user:password@prod.example:8443/a?b#c', 'prod.example', inside],
    ['spiffe://a.prod.example/a', 'prod.example', outside],
    ['spiffe://a.prod.example/a', '.prod.example', inside],
    ['spiffe://b.a.prod.example/a', '.prod.example', inside],
    ['spiffe://prod.example/a', '.prod.example', outside],
    ['spiffe://aprod.example/a', '.prod.example', outside],
    ['spiffe://lab.example/prod.example', 'prod.example', outside],
    ['https://prod.example@lab.example/', 'prod.example', outside],
    ['https://lab.example#@prod.example/', 'prod.example', outside],
    ['https://lab.example?@prod.example/', 'prod.example', outside],
    // Hosts that a constraint cannot be held against (RFC 5280 §4.2.1.10), or that readers disagree about.
    ['urn:spiffe:prod.example', 'prod.example', neither],
    ['urn:x/https://prod.example/', 'prod.example', neither],
    ['https://prod:1.example/', 'prod.example', neither],
    ['mailto:a@prod.example', 'prod.example', neither],
    ['spiffe:prod.example/a', 'prod.example', neither],
    ['https://192.0.2.1/', 'prod.example', neither],
    ['https://0x7f000001/', 'prod.example', neither],
    ['https://2130706433/', 'prod.example', neither],
    ['https://[2001:db8::1]/', 'prod.example', neither],
    ['https://prod.example./', 'prod.example', neither],
    ['https://prod%2eexample/', 'prod.example', neither],
    ['https:///prod.example', 'prod.example', neither],
    ['https://lab.example\\@prod.example/', 'prod.example', outside],
    ['//prod.example/', 'prod.example', neither],
  ])('%s below %s', (own, base, answer) => {
    expect(within(uri(own), uri(base))).toEqual(answer)
  })
})

describe('an e-mail address', () => {
  test.each([
    ['ann@a.example', 'a.example', inside],
    ['ann@A.Example', 'a.example', inside],
    ['ann@b.a.example', 'a.example', outside],
    ['ann@b.a.example', '.a.example', inside],
    ['ann@a.example', '.a.example', outside],
    ['ann@a.example', 'ann@a.example', inside],
    ['ann@A.example', 'ann@a.example', inside],
    ['bob@a.example', 'ann@a.example', outside],
    // Nobody can say whether it is the same mailbox (RFC 5321 §2.4).
    ['Ann@a.example', 'ann@a.example', neither],
    ['a@b@a.example', 'a.example', neither],
    ['"a@b"@a.example', 'a.example', neither],
    ['a.example', 'a.example', neither],
    ['@a.example', 'a.example', neither],
    ['ann@', 'a.example', neither],
    ['ann@[192.0.2.1]', 'a.example', neither],
  ])('%s below %s', (own, base, answer) => {
    expect(within(email(own), email(base))).toEqual(answer)
  })
})

/** A host of so many characters whose last label is `bb`. */
function hostOf(length: number): string {
  const rest = `${'a'.repeat(length - 195)}.bb`
  return `${'a'.repeat(63)}.`.repeat(3) + rest
}

describe('an IP address', () => {
  const six = (...tail: readonly number[]): number[] => [
    0x20,
    1,
    0xd,
    0xb8,
    ...Array(12 - tail.length).fill(0),
    ...tail,
  ]
  const mask = (length: number): number[] =>
    Array.from({ length: 16 }, (_, i) => (0xff00 >> Math.min(8, Math.max(0, length - 8 * i))) & 0xff)

  test.each([
    ['of the subnet', ip(192, 0, 2, 9), ip(192, 0, 2, 0, 255, 255, 255, 0), inside],
    ['of the next subnet', ip(192, 0, 3, 9), ip(192, 0, 2, 0, 255, 255, 255, 0), outside],
    ['of a subnet within an octet', ip(10, 0, 0, 130), ip(10, 0, 0, 128, 255, 255, 255, 192), inside],
    ['beside a subnet within an octet', ip(10, 0, 0, 192), ip(10, 0, 0, 128, 255, 255, 255, 192), outside],
    ['itself', ip(10, 0, 0, 1), ip(10, 0, 0, 1, 255, 255, 255, 255), inside],
    ['of everything', ip(10, 0, 0, 1), ip(0, 0, 0, 0, 0, 0, 0, 0), inside],
    ['of a subnet that is written with more bits', ip(10, 0, 0, 1), ip(10, 9, 9, 9, 255, 0, 0, 0), inside],
    ['of version 6', ip(...six(1)), ip(...six(0), ...mask(64)), inside],
    ['of version 6 beside', ip(0x20, 2, ...Array<number>(14).fill(0)), ip(...six(0), ...mask(32)), outside],
    ['of version 6 beside one of version 4', ip(...six(1)), ip(0, 0, 0, 0, 0, 0, 0, 0), outside],
    ['of version 4 beside one of version 6', ip(10, 0, 0, 1), ip(...six(0), ...mask(0)), outside],
  ])('%s', (_, own, base, answer) => {
    expect(within(own, base)).toEqual(answer)
  })
})

describe('a directory name', () => {
  const named = (...parts: readonly string[]): LeafOptions => ({ parts: { subject: name(...parts) } })
  const both = (options: LeafOptions, base: Buffer): readonly boolean[] => [
    isAllowed(options, [directory(base)]),
    isAllowed(options, [], [directory(base)]),
  ]

  test.each([
    ['itself', named('Corp', 'Ann'), name('Corp', 'Ann'), inside],
    ['below', named('Corp', 'Ann'), name('Corp'), inside],
    ['below, without case and with other white space', named('CORP   Ltd ', 'Ann'), name('Corp Ltd'), inside],
    ['elsewhere', named('Other', 'Ann'), name('Corp'), outside],
    ['above', named('Corp'), name('Corp', 'Ann'), outside],
    ['in another order', named('Ann', 'Corp'), name('Corp'), outside],
    ['below everything', named('Corp'), sequence(), inside],
  ])('that is a subject %s', (_, options, base, answer) => {
    expect(both(options, base)).toEqual(answer)
  })

  test('counts as an alternative name as well', () => {
    const options = { ...named('Corp', 'Ann'), names: [directory(name('Other'))] }
    expect(both(options, name('Corp'))).toEqual(neither)
    expect(both(options, name('Third'))).toEqual(outside)
  })

  test('is the same in every kind of string', () => {
    const kinds: readonly (readonly [number, Buffer])[] = [
      [0x0c, Buffer.from('Ünder GmbH')],
      // As letters of full width, which are compatible with the others (RFC 4518 §2.3).
      [0x0c, Buffer.from('Ｕ\u0308nder GmbH')],
      [0x14, Buffer.from('Ünder GmbH', 'latin1')],
      [0x1e, Buffer.from('Ünder GmbH', 'utf16le').swap16()],
      [0x1e, Buffer.from('Üｎder GmbH', 'utf16le').swap16()],
    ]
    const spelt = kinds.map(([tag, value]) => sequence(der(0x31, attribute('2.5.4.10', der(tag, value)))))
    for (const subject of spelt) {
      for (const base of spelt) expect(both({ parts: { subject } }, base)).toEqual(inside)
    }
    const [utf8, utf16, other_] = [
      der(0x0c, Buffer.from('Ω')),
      der(0x1e, Buffer.from([0x03, 0xa9])),
      der(0x1e, Buffer.from([0x00, 0xa9])),
    ].map((value) => sequence(der(0x31, attribute('2.5.4.10', value))))
    if (utf8 === undefined || utf16 === undefined || other_ === undefined) throw new Error('three names')
    expect(both({ parts: { subject: utf16 } }, utf8)).toEqual(inside)
    expect(both({ parts: { subject: other_ } }, utf8)).toEqual(outside)
  })

  test('of a value that is no text is compared octet for octet', () => {
    const [one, two] = [bits(0, 1), bits(0, 2)].map((value) => sequence(der(0x31, attribute('1.2.3', value))))
    if (one === undefined || two === undefined) throw new Error('two names')
    expect(both({ parts: { subject: one } }, one)).toEqual(inside)
    expect(both({ parts: { subject: one } }, two)).toEqual(outside)
  })

  test('with several attributes in one part is one part', () => {
    const pair = (first: string, second: string): Buffer =>
      sequence(der(0x31, attribute('2.5.4.3', text(0x0c, first)), attribute('2.5.4.10', text(0x0c, second))))
    expect(both({ parts: { subject: pair('a', 'b') } }, pair('a', 'b'))).toEqual(inside)
    expect(both({ parts: { subject: pair('a', 'b') } }, pair('a', 'c'))).toEqual(outside)
    expect(both({ parts: { subject: pair('a', 'b') } }, name('a'))).toEqual(outside)
    // The order of DER depends on the kinds of strings, which make no difference.
    const twice = (utf8: string, printable: string): Buffer =>
      sequence(der(0x31, attribute('2.5.4.3', text(0x0c, utf8)), attribute('2.5.4.3', text(0x13, printable))))
    expect(both({ parts: { subject: twice('a', 'b') } }, twice('b', 'a'))).toEqual(inside)
    expect(both({ parts: { subject: twice('a', 'b') } }, twice('a', 'a'))).toEqual(outside)
  })
})

describe('a constraint', () => {
  test('of another kind says nothing', () => {
    const subnet = ip(10, 0, 0, 0, 255, 0, 0, 0)
    expect(within(dns('a.example'), subnet)).toEqual([true, true])
    expect(within(uri('spiffe://prod.example/a'), dns('other.example'))).toEqual([true, true])
    expect(within(email('a@a.example'), uri('a.example'))).toEqual([true, true])
    expect(within(directory(name('Leaf')), uri('a.example'))).toEqual([true, true])
  })

  test('of a kind that is not looked into is met by no name of that kind', () => {
    expect(within(other(), other())).toEqual(neither)
    expect(within(dns('a.example'), other())).toEqual([true, true])
    expect(within(text(0x88, '\u0001'), other())).toEqual([true, true])
  })

  test('is one of several, of which one is enough to permit and one to exclude', () => {
    const own = [dns('a.example'), dns('b.example')]
    expect(isAllowed({ names: own }, own)).toBe(true)
    expect(isAllowed({ names: own }, [dns('a.example'), dns('c.example')])).toBe(false)
    expect(isAllowed({ names: own }, [dns('example')], [dns('b.example')])).toBe(false)
    expect(isAllowed({ names: own }, [dns('example')], [dns('c.example')])).toBe(true)
  })

  test('of names in the subject counts where older software reads them', () => {
    const emailed = sequence(der(0x31, attribute('1.2.840.113549.1.9.1', text(0x16, 'ann@a.example'))))
    const subject = { parts: { subject: emailed } }
    expect(isAllowed(subject, [email('a.example')])).toBe(true)
    expect(isAllowed(subject, [email('b.example')])).toBe(false)
    const usages = [extensions.keyUsage(0x80), extensions.extKeyUsage(clientAuth)]
    const called = (commonName: string): LeafOptions => ({
      parts: { subject: name(commonName) },
      extensions: usages,
    })
    expect(isAllowed(called('a.example'), [dns('a.example')])).toBe(true)
    expect(isAllowed(called('b.example'), [dns('a.example')])).toBe(false)
    expect(isAllowed(called('Ann of b.example'), [dns('a.example')])).toBe(true)
    // Beside an alternative name, the common name is nobody's.
    const beside = { parts: { subject: name('b.example') }, names: [uri('spiffe://prod.example/a')] }
    expect(isAllowed(beside, [dns('a.example')])).toBe(true)
    // No other attribute has ever been read for a host.
    const organization = sequence(der(0x31, attribute('2.5.4.10', text(0x0c, 'b.example'))))
    expect(isAllowed({ parts: { subject: organization }, extensions: usages }, [dns('a.example')])).toBe(true)
    expect(isAllowed(called('localhost'), [dns('a.example')])).toBe(true)
  })

  test('of directory names says nothing of a subject that is empty', () => {
    const nameless = { parts: { subject: sequence() }, names: [uri('spiffe://prod.example/a')] }
    expect(isAllowed(nameless, [directory(name('Corp'))])).toBe(true)
  })
})

describe('along a path', () => {
  const short = extensions.nameConstraints([dns('a.example')])

  test('every authority narrows, and none widens', () => {
    const wide = authority({ also: [extensions.nameConstraints([dns('example')])] })
    const narrow = authority({ also: [short] }, wide)
    expect(codeOf(leaf(narrow, { names: [dns('x.a.example')] }), wide, [narrow])).toBe('accepted')
    expect(codeOf(leaf(narrow, { names: [dns('b.example')] }), wide, [narrow])).toBe(
      'certificate_name_not_permitted',
    )
    const first = authority({ also: [short] })
    const widening = authority({ also: [extensions.nameConstraints([dns('example')])] }, first)
    expect(codeOf(leaf(widening, { names: [dns('b.example')] }), first, [widening])).toBe(
      'certificate_name_not_permitted',
    )
  })

  test('an authority binds those below it, and neither itself nor those above', () => {
    const called = extensions.alternativeNames(dns('ca.b.example'))
    const above = authority({ commonName: 'Above', also: [called] }, root)
    const narrow = authority({ commonName: 'Narrow', also: [called, short] }, above)
    const own = { names: [dns('x.a.example')] }
    expect(codeOf(leaf(narrow, own), root, [narrow, above])).toBe('accepted')
    const below = authority({ commonName: 'Below', also: [called] }, narrow)
    expect(codeOf(leaf(below, own), root, [below, narrow, above])).toBe('certificate_name_not_permitted')
  })

  test('the names of intermediates count, unless they only renew their own key', () => {
    const anchor = authority({ also: [short] })
    const misnamed = [extensions.alternativeNames(dns('b.example'))]
    const stranger = authority({ commonName: 'Stranger', also: misnamed }, anchor)
    const renewed = authority({ commonName: 'Root', also: misnamed }, anchor)
    const own = { names: [dns('a.example')] }
    expect(codeOf(leaf(stranger, own), anchor, [stranger])).toBe('certificate_name_not_permitted')
    expect(codeOf(leaf(renewed, own), anchor, [renewed])).toBe('accepted')
    // A leaf of the same name is still a leaf.
    const selfIssued = { names: [dns('b.example')], parts: { subject: name('Root') } }
    expect(codeOf(leaf(anchor, selfIssued), anchor)).toBe('certificate_name_not_permitted')
  })

  test('another path is looked for where one is not permitted', () => {
    const keys = createKeys()
    const strict = authority({ commonName: 'Issuer', keys, also: [short] }, root)
    const lenient = authority({ commonName: 'Issuer', keys }, root)
    const certificate = leaf(lenient, { names: [dns('b.example')] })
    expect(codeOf(certificate, root, [strict])).toBe('certificate_name_not_permitted')
    expect(codeOf(certificate, root, [strict, lenient])).toBe('accepted')
  })

  test('a refusal says which certificate, which authority and which kind', () => {
    const anchor = constrained([uri('prod.example')])
    const certificate = leaf(anchor, { names: [uri('spiffe://lab.example/x')] })
    expect(
      validatePath({ leaf: certificate, trustAnchors: [anchor.der], at, purpose: 'clientAuth' }),
    ).toMatchObject({
      code: 'certificate_name_not_permitted',
      detail: {
        expected: 'URIs within the name constraints of authority 1 above the leaf',
        actual: 'the leaf has another name',
      },
    })
  })

  test.each([
    ['URIs', uri('https://b.example/'), uri('a.example')],
    ['DNS names', dns('b.example'), dns('a.example')],
    ['e-mail addresses', email('b@b.example'), email('a.example')],
    ['IP addresses', ip(10, 0, 0, 1), ip(11, 0, 0, 0, 255, 0, 0, 0)],
    ['directory names', directory(name('b')), directory(name('Leaf'))],
    ['names of other kinds', other(), other()],
  ])('a refusal tells %s from other kinds', (kind, own, base) => {
    const anchor = constrained([base])
    const certificate = leaf(anchor, { names: [own] })
    expect(
      validatePath({ leaf: certificate, trustAnchors: [anchor.der], at, purpose: 'clientAuth' }),
    ).toMatchObject({
      detail: { expected: `${kind} within the name constraints of authority 1 above the leaf` },
    })
  })

  test('so many comparisons are made and no more', () => {
    const subtrees = Array.from({ length: 128 }, (_, i) => dns(`a${i}.example`))
    const many = Array.from({ length: 250 }, (_, i) => dns(`b${i}.a0.example`))
    let issuer = authority({ also: [extensions.nameConstraints(subtrees)] })
    const anchor = issuer
    const chain: Authority[] = []
    for (let depth = 0; depth < 4; depth += 1) {
      issuer = authority({ commonName: `CA ${depth}`, also: [extensions.nameConstraints(subtrees)] }, issuer)
      chain.push(issuer)
    }
    expect(codeOf(leaf(issuer, { names: [dns('b.a0.example')] }), anchor, chain)).toBe('accepted')
    expect(codeOf(leaf(issuer, { names: many }), anchor, chain)).toBe('certificate_name_not_permitted')
  })

  test('each name is compared with what is permitted and with what is excluded', () => {
    const constraints = parseNameConstraints(
      sequence(der(0xa0, sequence(dns('example'))), der(0xa1, sequence(dns('b.example')))),
    )
    if (constraints === undefined) throw new Error('constraints')
    const own = [
      { kind: 'dns', value: 'a.example' },
      { kind: 'dns', value: 'c.example' },
    ] as const
    expect(findViolation(own, constraints, { comparisons: 4 })).toBeUndefined()
    expect(findViolation(own, constraints, { comparisons: 3 })).toBe('too many')
  })
})

describe('constraints', () => {
  const subtree = (base: Uint8Array, ...rest: readonly Uint8Array[]): Buffer => sequence(base, ...rest)
  const permitted = (...list: readonly Uint8Array[]): Buffer => sequence(der(0xa0, ...list))
  const good = subtree(dns('a.example'))

  test.each([
    ['that constrain nothing', sequence()],
    ['with an empty list', permitted()],
    ['with a second list of one kind', sequence(der(0xa0, good), der(0xa0, good))],
    ['in the wrong order', sequence(der(0xa1, good), der(0xa0, good))],
    ['with octets behind', Buffer.concat([permitted(good), integer(1)])],
    ['with a minimum', permitted(subtree(dns('a.example'), der(0x80, Buffer.from([1]))))],
    [
      'with a minimum of zero, which is not written',
      permitted(subtree(dns('a.example'), der(0x80, Buffer.from([0])))),
    ],
    ['with a maximum', permitted(subtree(dns('a.example'), der(0x81, Buffer.from([1]))))],
    ['without a base', permitted(sequence())],
    ['for a wildcard', permitted(subtree(dns('*.example')))],
    ['for a DNS name with a leading dot', permitted(subtree(dns('.example')))],
    ['for a DNS name with a final dot', permitted(subtree(dns('example.')))],
    ['for an empty URI', permitted(subtree(uri('')))],
    ['for a whole URI', permitted(subtree(uri('spiffe://prod.example')))],
    ['for an empty e-mail address', permitted(subtree(email('')))],
    ['for an e-mail address of two hosts', permitted(subtree(email('a@b@c.example')))],
    ['for an IP address without a mask', permitted(subtree(ip(10, 0, 0, 0)))],
    ['for a mask with holes', permitted(subtree(ip(10, 0, 0, 0, 255, 0, 255, 0)))],
    ['for a mask with holes in an octet', permitted(subtree(ip(10, 0, 0, 0, 255, 5, 0, 0)))],
    ['for a mask with a hole in front of an octet', permitted(subtree(ip(10, 0, 0, 0, 255, 1, 0, 0)))],
    ['for a name of another kind whose inside is no DER', permitted(subtree(der(0xa0, Buffer.from('x'))))],
    ['for an IP address of six octets', permitted(subtree(ip(10, 0, 0, 255, 255, 255)))],
    ['for a name that is none', permitted(subtree(directory(integer(1))))],
    ['for a kind that is none', permitted(subtree(text(0x8f, 'x')))],
    ['with more than 128 entries', permitted(...Array.from({ length: 129 }, () => good))],
  ])('%s cannot be read, so what they stand in vouches for nobody', (_, value) => {
    expect(parseNameConstraints(value)).toBeUndefined()
    for (const isCritical of [true, false]) {
      const anchor = authority({ also: [extension('2.5.29.30', isCritical, value)] })
      expect(codeOf(leaf(anchor), anchor)).toBe('certificate_extension_unsupported')
    }
  })

  test('may have 128 entries', () => {
    expect(parseNameConstraints(permitted(...Array.from({ length: 128 }, () => good)))).toBeDefined()
  })

  test('that are not critical count all the same', () => {
    const value = permitted(subtree(uri('lab.example')))
    const anchor = authority({ also: [extension('2.5.29.30', false, value)] })
    expect(codeOf(leaf(anchor), anchor)).toBe('certificate_name_not_permitted')
  })

  test('have no place in a leaf', () => {
    const usage = [extensions.keyUsage(0x80), extensions.nameConstraints([uri('prod.example')])]
    expect(codeOf(leaf(root, { extensions: usage }), root)).toBe('certificate_extension_unsupported')
  })

  test('of any octets never throw', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200 }), (octets) => {
        parseNameConstraints(octets)
        parseNameConstraints(sequence(der(0xa0, sequence(octets))))
      }),
      { numRuns: tries(2000) },
    )
  })
})

test('a name that is permitted is never excluded by the same subtree, and the other way round', () => {
  const label = fc.stringMatching(/^[a-z][a-z0-9-]{0,5}[a-z0-9]$/)
  const host = fc.array(label, { minLength: 1, maxLength: 4 }).map((labels) => labels.join('.'))
  const check = (
    make: (value: string) => Uint8Array,
    isBelow: (own: string, base: string) => boolean,
  ): void => {
    fc.assert(
      fc.property(host, host, fc.boolean(), (base, other_, isRelated) => {
        const own = isRelated ? `${other_}.${base}` : other_
        const isInside = isBelow(own, base)
        expect(within(make(own), make(base))).toEqual([isInside, !isInside])
      }),
      { numRuns: 50 },
    )
  }
  check(dns, (own, base) => own === base || own.endsWith(`.${base}`))
})
