// The strict reader of subject alternative names, against @peculiar/x509 as a second opinion.
import '@countersign/testing'
import { GeneralNames } from '@peculiar/x509'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import {
  parseSubjectAltNames,
  textNames,
  type SubjectAltNames,
} from '../../packages/core/src/identity/certificate/general-names.ts'
import { tries } from './support/tries.ts'

const uri = 0x86
const dns = 0x82

describe('generated names', () => {
  test('are read as @peculiar/x509 reads them', () => {
    fc.assert(
      fc.property(fc.array(generalName(), { minLength: 1, maxLength: 20 }), (names) => {
        const der = Buffer.from(new GeneralNames(names).rawData)
        const ours = described(parseSubjectAltNames(der))
        expect(ours).toEqual(names.map(({ type, value }) => `${type}:${value}`))
        expect(secondOpinion(der)).toEqual(ours)
      }),
    )
  })

  test('changed anywhere never throw, and never mean two things to two readers', () => {
    let agreed = 0
    fc.assert(
      fc.property(
        fc.array(generalName(), { minLength: 1, maxLength: 5 }),
        fc.array(fc.tuple(fc.nat(), fc.nat(255)), { minLength: 1, maxLength: 3 }),
        (names, changes) => {
          const der = Buffer.from(new GeneralNames(names).rawData)
          for (const [at, octet] of changes) der[at % der.length] = octet
          const ours = parseSubjectAltNames(der)
          if (ours === undefined) return
          const theirs = secondOpinion(der)
          if (theirs === undefined) return
          agreed += 1
          expect(theirs).toEqual(described(ours))
        },
      ),
      { numRuns: tries(2000) },
    )
    expect(agreed).toBeGreaterThan(tries(2000) / 20)
  })

  test('of any octets never throw', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 300 }), (octets) => {
        parseSubjectAltNames(octets)
        parseSubjectAltNames(Uint8Array.of(0x30, octets.length % 128, ...octets))
      }),
      { numRuns: tries(2000) },
    )
  })
})

describe('the DER of names', () => {
  const one = element(uri, Buffer.from('spiffe://prod.example/a'))

  test('is read in order', () => {
    const der = sequence(one, element(dns, Buffer.from('a.example')), element(uri, Buffer.from('b')))
    const names = parseSubjectAltNames(der) ?? []
    expect(described(names)).toEqual(['url:spiffe://prod.example/a', 'dns:a.example', 'url:b'])
    expect(textNames(names, 'uri')).toEqual(['spiffe://prod.example/a', 'b'])
    expect(textNames(names, 'dns')).toEqual(['a.example'])
  })

  test.each([
    [0xa0, element(0x02, Buffer.from('x'))],
    [0xa3, element(0x30, Buffer.alloc(0))],
    [0xa5, Buffer.alloc(0)],
    [0x88, Buffer.from('x')],
  ])('may hold a name of tag %i, which is kept by its tag', (tag, content) => {
    const der = sequence(element(tag, content), one)
    expect(parseSubjectAltNames(der)?.[0]).toEqual({ kind: 'other', value: tag })
  })

  test('may hold the name of a directory', () => {
    const commonName = element(0x30, Buffer.from('0603550403130178', 'hex')) // 2.5.4.3, PrintableString `x`
    const name = element(0xa4, sequence(element(0x31, commonName)))
    expect(parseSubjectAltNames(sequence(name))).toMatchObject([
      { kind: 'directory', value: { attributes: [{ type: '2.5.4.3', text: 'x' }] } },
    ])
  })

  const refused: readonly (readonly [string, Uint8Array])[] = [
    ['nothing', Buffer.alloc(0)],
    ['a tag without a length', Buffer.from([0x30])],
    ['an empty sequence', sequence()],
    ['octets behind the sequence', Buffer.concat([sequence(one), Buffer.from([0])])],
    ['a second sequence', Buffer.concat([sequence(one), sequence(one)])],
    ['a set in place of the sequence', element(0x31, one)],
    ['a sequence that ends too soon', Buffer.concat([Buffer.from([0x30, one.length - 1]), one])],
    ['a sequence that ends too late', Buffer.concat([Buffer.from([0x30, one.length + 1]), one])],
    ['a name longer than the sequence', Buffer.from([0x30, 3, uri, 9, 0x61])],
    ['an indefinite length', Buffer.concat([Buffer.from([0x30, 0x80]), one, Buffer.from([0, 0])])],
    [
      'a length in the long form that fits the short',
      Buffer.concat([Buffer.from([0x30, 0x81, one.length]), one]),
    ],
    ['a length with a leading zero', Buffer.concat([Buffer.from([0x30, 0x82, 0, one.length]), one])],
    ['a length of four octets', Buffer.concat([Buffer.from([0x30, 0x84, 0, 0, 0, one.length]), one])],
    ['a length that is missing', Buffer.from([0x30, 0x82, 1])],
    ['a tag of more than one octet', sequence(Buffer.from([0x9f, 0x06, 1, 0x61]))],
    ['a constructed URI', sequence(element(0xa6, Buffer.from('spiffe://prod.example/a')))],
    ['a universal tag', sequence(element(0x16, Buffer.from('spiffe://prod.example/a')))],
    ['a tag beyond the last name', sequence(element(0x89, Buffer.from('x')))],
    ['an IP address of three octets', sequence(element(0x87, Buffer.from([1, 2, 3])))],
    ['an IP address and a mask', sequence(element(0x87, Buffer.from([192, 0, 2, 0, 255, 255, 255, 0])))],
    ['a directory name that is none', sequence(element(0xa4, Buffer.from('x')))],
    ['an empty directory name', sequence(element(0xa4, sequence()))],
    ['an object identifier that is none', sequence(element(0x88, Buffer.from([0x80, 1])))],
    ['a name of another kind whose inside is no DER', sequence(element(0xa0, Buffer.from('x')))],
    ['an empty URI', sequence(element(uri, Buffer.alloc(0)))],
    ['a NUL in a URI', sequence(element(uri, Buffer.from('spiffe://prod.example/a\0.evil')))],
    ['a line break in a URI', sequence(element(uri, Buffer.from('spiffe://prod.example/a\n')))],
    ['a DEL in a DNS name', sequence(element(dns, Buffer.from('a\u007f')))],
    ['an octet beyond ASCII', sequence(element(uri, Buffer.from([0x61, 0x80])))],
    ['UTF-8', sequence(element(uri, Buffer.from('spiffe://prod.example/ü')))],
    [
      'more names than anybody needs',
      sequence(...Array.from({ length: 257 }, () => element(dns, Buffer.from('a')))),
    ],
  ]

  test.each(refused)('with %s is refused', (_, der) => {
    expect(parseSubjectAltNames(der)).toBeUndefined()
  })

  test('may hold 256 names', () => {
    const names = Array.from({ length: 256 }, () => element(dns, Buffer.from('a')))
    expect(parseSubjectAltNames(sequence(...names))).toHaveLength(256)
  })

  test('of every length has one spelling', () => {
    for (const length of [1, 127, 128, 129, 255, 256, 257, 1000]) {
      const text = 'a'.repeat(length)
      expect(described(parseSubjectAltNames(sequence(element(uri, Buffer.from(text)))))).toEqual([
        `url:${text}`,
      ])
    }
  })
})

interface Name {
  readonly type: 'url' | 'dns' | 'ip' | 'email' | 'guid'
  readonly value: string
}

function generalName(): fc.Arbitrary<Name> {
  const text = fc.string({ unit: 'grapheme-ascii', minLength: 1, maxLength: 40 })
  return fc.oneof(
    text.map((value) => ({ type: 'url' as const, value: `spiffe://prod.example/${value}` })),
    text.map((value) => ({ type: 'url' as const, value })),
    text.map((value) => ({ type: 'dns' as const, value })),
    fc.ipV4().map((value) => ({ type: 'ip' as const, value })),
    fc.constantFrom('a@b.example', 'x@y.example').map((value) => ({ type: 'email' as const, value })),
  )
}

/** What @peculiar/x509 makes of it; undefined where it can make nothing of it. */
function secondOpinion(der: Uint8Array): readonly string[] | undefined {
  try {
    const { items } = new GeneralNames(Buffer.from(der))
    return items.filter(({ type }) => common.includes(type)).map(({ type, value }) => `${type}:${value}`)
  } catch {
    return undefined
  }
}

/** What we make of it, in the words of @peculiar/x509. */
function described(names: SubjectAltNames | undefined): readonly string[] | undefined {
  return names?.flatMap((name) => {
    if (name.kind === 'ip') return [`ip:${addressOf(name.value)}`]
    if (name.kind === 'directory' || name.kind === 'other') return []
    return [`${name.kind === 'uri' ? 'url' : name.kind}:${name.value}`]
  })
}

// As it stands in a log of its own writing, so that the same address is the same text.
function addressOf(octets: Uint8Array): string {
  if (octets.length === 4) return octets.join('.')
  const groups = Array.from({ length: 8 }, (_, i) =>
    ((octets[2 * i] ?? 0) * 256 + (octets[2 * i + 1] ?? 0)).toString(16),
  )
  return groups.join(':')
}

const common = ['url', 'dns', 'ip', 'email']

function element(tag: number, content: Uint8Array): Buffer {
  return Buffer.concat([Buffer.from([tag]), lengthOf(content.length), content])
}

const sequence = (...names: readonly Uint8Array[]): Buffer => element(0x30, Buffer.concat(names))

function lengthOf(length: number): Buffer {
  if (length < 0x80) return Buffer.from([length])
  return length < 0x100 ? Buffer.from([0x81, length]) : Buffer.from([0x82, length >> 8, length & 0xff])
}
