// Each header format: what its proxies write, and everything that nearly is it.
import { hash } from 'node:crypto'
import { createTestCa } from '@countersign/testing'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { parseBase64Der, parseBase64DerChain } from '../../packages/core/src/evidence/forwarded/base64-der.ts'
import { parseBase64List } from '../../packages/core/src/evidence/forwarded/base64-list.ts'
import { decodeBase64 } from '../../packages/core/src/evidence/forwarded/base64.ts'
import {
  parseClientCert,
  parseClientCertChain,
} from '../../packages/core/src/evidence/forwarded/client-cert.ts'
import { parseEscapedPem } from '../../packages/core/src/evidence/forwarded/escaped-pem.ts'
import { parseFoldedPem } from '../../packages/core/src/evidence/forwarded/folded-pem.ts'
import { certificateHeaders } from '../../packages/core/src/evidence/forwarded/certificate-headers.ts'
import { decodePercent } from '../../packages/core/src/evidence/forwarded/percent-encoded.ts'
import { parseXfcc } from '../../packages/core/src/evidence/forwarded/xfcc.ts'
import { Refusal } from '../../packages/core/src/refusal.ts'
import vectors from '../vectors/forwarded.json' with { type: 'json' }
import { present } from './support/asking.ts'

const ca = await createTestCa()
const intermediate = await ca.intermediate()
const { chain } = await intermediate.svid('/checkout')
const base64 = chain.map((der) => Buffer.from(der).toString('base64'))
const [leaf = '', issuer = ''] = base64
const pemOf = (der: string): string =>
  ['-----BEGIN CERTIFICATE-----', ...(der.match(/.{1,64}/g) ?? []), '-----END CERTIFICATE-----', ''].join(
    '\n',
  )
const escape = (...all: string[]): string => encodeURIComponent(all.map(pemOf).join(''))
const malformed = expect.objectContaining({ code: 'forwarded_certificate_malformed' })
const hex = (parsed: readonly Uint8Array[] | Refusal) =>
  parsed instanceof Refusal ? parsed.code : parsed.map((der) => Buffer.from(der).toString('hex'))
const expected = chain.map((der) => Buffer.from(der).toString('hex'))
const zeros = (length: number): readonly number[] => Array.from({ length }, () => 0)

describe('base64', () => {
  test('has one spelling for any octets', () => {
    fc.assert(
      fc.property(fc.uint8Array({ minLength: 1 }), (octets) => {
        expect(Buffer.from(present(decodeBase64(Buffer.from(octets).toString('base64'))))).toEqual(
          Buffer.from(octets),
        )
      }),
    )
  })

  test.each([
    '',
    'QQ',
    'QQ=',
    'QR==',
    'QUF=',
    'Q===',
    'QQ==QQ==',
    'Q Q=',
    'QQ==\n',
    ' QQ==',
    '-_==',
    '-_-_',
    'QQ==é',
    '====',
    '=QQ=',
  ])('is not %j', (text) => expect(decodeBase64(text)).toBeUndefined())

  test('is exactly its 65 characters, in each place of the last four', () => {
    for (let code = 0; code < 256; code += 1) {
      const character = String.fromCharCode(code)
      const isDigit = /[A-Za-z0-9+/]/.test(character)
      expect(decodeBase64(`${character}AAA`) !== undefined, `${code}`).toBe(isDigit)
      expect(decodeBase64(`AAA${character}`) !== undefined, `${code}`).toBe(isDigit || character === '=')
      expect(decodeBase64(`AA=${character}`) !== undefined, `${code}`).toBe(character === '=')
    }
  })
})

describe('percent-encoding', () => {
  test('is undone for any ASCII text, whatever is encoded', () => {
    const ascii = fc.string({ unit: fc.nat(127).map((code) => String.fromCharCode(code)) })
    fc.assert(
      fc.property(ascii, (text) => {
        const all = [...text].map((each) => `%${each.charCodeAt(0).toString(16).padStart(2, '0')}`).join('')
        expect(decodePercent(all)).toBe(text)
        expect(decodePercent(all.toUpperCase())).toBe(text)
      }),
    )
  })

  test.each([
    '%',
    '%A',
    '%GG',
    '%%30',
    'a b',
    'a\n',
    '%80',
    '%c3%a9',
    '%u0041',
    '"',
    '%-1',
    'é',
    '&',
    '(',
    ':',
  ])('is not %j', (text) => expect(decodePercent(text)).toBeUndefined())

  test('leaves a plus sign what it is: a space would be how forms are written', () => {
    expect(decodePercent('a+b%2Bc%20d')).toBe('a+b+c d')
  })
})

describe('RFC 9440', () => {
  test('reads the example of its appendix', () => {
    const parsed = parseClientCert(vectors.rfc9440.clientCert)
    if (parsed instanceof Refusal) throw new Error(parsed.code)
    expect(hash('sha256', parsed)).toBe(vectors.rfc9440.sha256)
    expect(parseClientCertChain(vectors.rfc9440.clientCertChain)).toHaveLength(2)
  })

  test.each([
    'QQ==',
    ':QQ==',
    'QQ==:',
    '::',
    ':',
    '',
    ':QQ==:;a=1',
    ':QQ==: ',
    ' :QQ==:',
    ':QQ==:,:QQ==:',
    ':QQ==:, :QQ==:',
    ':QQ:',
    ':QR==:',
    ':QQ==\n:',
    '"QQ=="',
    '?1',
    '(null)',
    ':{http.request.tls.client.certificate_der_base64}:',
  ])('takes no Client-Cert that is %j', (value) => expect(parseClientCert(value)).toEqual(malformed))

  test.each([
    '',
    ',',
    ':QQ==:,',
    ',:QQ==:',
    ':QQ==:,,:QQ==:',
    ':QQ==: :QQ==:',
    ':QQ==:;a, :QQ==:',
    '(:QQ==:)',
    ':QQ==:,QQ==',
    ':QQ==:,\n:QQ==:',
  ])('takes no Client-Cert-Chain that is %j', (value) =>
    expect(parseClientCertChain(value)).toEqual(malformed),
  )

  test('takes ten certificates of a chain and no more', () => {
    expect(parseClientCertChain(Array.from({ length: 10 }, () => ':QQ==:').join(', '))).toHaveLength(10)
    expect(parseClientCertChain(Array.from({ length: 11 }, () => ':QQ==:').join(', '))).toEqual(malformed)
  })
})

describe('percent-encoded PEM', () => {
  const asAws = (text: string): string =>
    text.replaceAll('%2B', '+').replaceAll('%2F', '/').replaceAll('%3D', '=')
  test.each([
    ['nginx', escape(leaf), 1],
    ['nginx without the last line end', escape(leaf).replace(/%0A$/, ''), 1],
    [
      'Apache',
      escape(leaf)
        .replaceAll('%0A', '%20')
        .replaceAll(/%../g, (each) => each.toLowerCase()),
      1,
    ],
    ['AWS, leaf alone', asAws(escape(leaf)), 1],
    ['AWS, all that was presented', asAws(escape(leaf, issuer)), 2],
  ])('as %s writes it is read', (_, value, count) => {
    expect(hex(parseEscapedPem(value))).toEqual(expected.slice(0, count))
  })

  test.each([
    ['nothing', ''],
    ['plain PEM', pemOf(leaf)],
    ['other armour', escape(leaf).replaceAll('CERTIFICATE', 'PRIVATE%20KEY')],
    ['text before it', `a${escape(leaf)}`],
    ['text behind it', `${escape(leaf)}a`],
    ['a blank line', escape(leaf).replace('%0A', '%0A%0A')],
    ['carriage returns', escape(leaf).replaceAll('%0A', '%0D%0A')],
    ['mixed line ends', escape(leaf).replace('%0A', '%20')],
    ['lines of another length', escape(leaf).replace('%0AMI', '%0AM%0AI')],
    ['no last armour', escape(leaf).replace(/-----END.*/, '')],
    ['an empty block', escape('')],
    ['a blank line behind whole ones', escape('A'.repeat(128)).replace('%0A-----END', '%0A%0A-----END')],
    ['text between two blocks', `${escape(leaf)}a%0A${escape(issuer)}`],
    ['two lines as one header', `${escape(leaf)}, ${escape(leaf)}`],
    ['eleven certificates', escape(...Array.from({ length: 11 }, () => leaf))],
  ])('is not %s', (_, value) => expect(parseEscapedPem(value)).toEqual(malformed))
})

test('ten certificates of PEM are read', () => {
  expect(hex(parseEscapedPem(escape(...Array.from({ length: 10 }, () => leaf))))).toHaveLength(10)
})

describe('folded PEM', () => {
  test('as Apache writes it is read', () => {
    expect(hex(parseFoldedPem(pemOf(leaf).replaceAll('\n', ' ').trim()))).toEqual(expected.slice(0, 1))
  })

  test.each([
    '(null)',
    '',
    pemOf(leaf).trim(),
    pemOf(leaf).replaceAll('\n', '  '),
    pemOf(leaf).replaceAll('\n', '\t'),
    escape(leaf),
  ])('is not %j', (value) => expect(parseFoldedPem(value)).toEqual(malformed))
})

describe('base64 of DER', () => {
  test('as HAProxy and Caddy write it is read', () => {
    expect(hex([parseBase64Der(leaf)].flatMap((each) => (each instanceof Refusal ? [] : [each])))).toEqual(
      expected.slice(0, 1),
    )
    expect(parseBase64Der(`:${leaf}:`)).toEqual(malformed)
    expect(parseBase64Der(`${leaf},${leaf}`)).toEqual(malformed)
  })

  test('may hold a chain, cut where each certificate says that it ends', () => {
    expect(hex(parseBase64DerChain(Buffer.concat(chain).toString('base64')))).toEqual(expected)
    const octets = Buffer.concat(chain)
    for (const broken of [
      octets.subarray(0, -1),
      octets.subarray(1),
      Buffer.concat([octets, Buffer.from([0])]),
    ]) {
      expect(parseBase64DerChain(broken.toString('base64'))).toEqual(malformed)
    }
  })

  test.each([
    ['a length that is not the shortest', [0x30, 0x81, 0x01, 0]],
    ['a length of two octets that one would hold', [0x30, 0x82, 0, 0x80, ...zeros(128)]],
    ['an indefinite length', [0x30, 0x80, 0, 0]],
    ['an indefinite length of many octets', [0x30, 0x80, ...zeros(128)]],
    ['a length of three octets', [0x30, 0x83, 0, 0, 0]],
    ['a length of three octets, read as one', [0x30, 0x83, 0x80, ...zeros(128)]],
    ['a length of three octets, read as two', [0x30, 0x83, 1, 0, ...zeros(256)]],
    ['another tag', [0x31, 0]],
    ['a tag alone', [0x30]],
  ])('holds no chain with %s', (_, octets) => {
    expect(parseBase64DerChain(Buffer.from(octets).toString('base64'))).toEqual(malformed)
  })

  test.each([0, 127, 128, 255, 256, 0x80_00, 0xff_ff])('may hold a certificate of %d octets', (length) => {
    const size =
      length < 0x80 ? [length] : length < 0x1_00 ? [0x81, length] : [0x82, length >> 8, length & 0xff]
    const octets = Buffer.from([0x30, ...size, ...zeros(length)])
    expect(hex(parseBase64DerChain(octets.toString('base64')))).toEqual([octets.toString('hex')])
  })

  test('as Traefik writes it is a list, leaf first', () => {
    expect(hex(parseBase64List(base64.join(',')))).toEqual(expected)
    expect(parseBase64List(Array.from({ length: 10 }, () => leaf).join(','))).toHaveLength(10)
    expect(parseBase64List(Array.from({ length: 11 }, () => leaf).join(','))).toEqual(malformed)
    for (const value of ['', ',', `${leaf},`, `${leaf}, ${issuer}`, encodeURIComponent(leaf), escape(leaf)]) {
      expect(parseBase64List(value), value).toEqual(malformed)
    }
  })
})

test('a format reads its own headers and no others', () => {
  const read = { encoding: 'rfc9440', header: 'a', chainHeader: undefined, verification: [] } as const
  expect(certificateHeaders(read).headers).toEqual(['a'])
  const verification = [{ header: 'c', verified: '1', none: '0' }]
  expect(certificateHeaders({ ...read, chainHeader: 'b', verification }).headers).toEqual(['a', 'b', 'c'])
})

describe('a value of the longest length', () => {
  const longest = 256 * 1024
  const whole = (length: number): string => 'A'.repeat(length)
  const pemLine = ` ${whole(64)}`
  const begin = '-----BEGIN CERTIFICATE-----'
  const end = ' -----END CERTIFICATE-----'
  const folded = `${begin}${pemLine.repeat(4030)} ${whole(8)}${end} ${begin}${pemLine} ${whole(12)}${end}`
  // A character that need not be escaped may be: that is how a value grows by two.
  const escaped = (length: number): string => {
    const short = escape(whole(64 * 3800)).replaceAll('%0A', '%0a')
    let left = (length - short.length) / 2
    return short.replaceAll('A', (each) => (left-- > 0 ? '%41' : each))
  }
  const sequence = Buffer.from([0x30, 0x82, 0xff, 0xfc, ...zeros(0xff_fc)])
  const sequences = Buffer.concat([sequence, sequence, sequence])
  const list = (length: number): string => `:${whole(length - 12)}:,   :${whole(4)}:`
  const subject = (length: number): string => `Subject="${whole(length - 10)}"`

  test.each<[string, (value: string) => object, string, string]>([
    ['base64', parseBase64Der, whole(longest), whole(longest + 4)],
    [
      'base64 of several',
      parseBase64DerChain,
      sequences.toString('base64'),
      Buffer.concat([sequences, Buffer.from([0x30, 1, 0])]).toString('base64'),
    ],
    ['a list of base64', parseBase64List, whole(longest), whole(longest + 4)],
    ['folded PEM', parseFoldedPem, folded, `${folded} `],
    ['escaped PEM', parseEscapedPem, escaped(longest), escaped(longest + 2)],
    ['a Client-Cert-Chain', parseClientCertChain, list(longest), list(longest + 4)],
    ['XFCC', parseXfcc, subject(longest), subject(longest + 1)],
  ])('is read, and no longer one: %s', (_, parse, good, bad) => {
    expect(good).toHaveLength(longest)
    expect(parse(good)).not.toBeInstanceOf(Refusal)
    expect(bad.length).toBeGreaterThan(longest)
    expect(parse(bad)).toEqual(malformed)
  })

  test('is two octets more than the longest Client-Cert, since base64 comes in fours', () => {
    expect(parseClientCert(`:${whole(longest - 4)}:`)).not.toBeInstanceOf(Refusal)
    expect(parseClientCert(`:${whole(longest)}:`)).toEqual(malformed)
  })
})

describe('XFCC', () => {
  const digest = hash('sha256', Buffer.from(leaf, 'base64'))
  const parsed = (value: string) => {
    const elements = parseXfcc(value)
    if (elements instanceof Refusal) throw new Error(elements.detail.expected)
    return elements
  }

  test.each(vectors.xfcc)('$title', ({ value, elements }) => {
    const read = parsed(value).map(({ by, hash: of, subject, uris, dnsNames }) => ({
      by,
      hash: of ?? null,
      subject: subject ?? null,
      uris,
      dnsNames,
    }))
    expect(read).toEqual(elements)
  })

  test('reads certificates, with Cert, with Chain, and with both', () => {
    for (const value of [
      `Cert="${escape(leaf)}";Chain="${escape(leaf, issuer)}"`,
      `Chain="${escape(leaf, issuer)}"`,
    ]) {
      const [element] = parsed(`Hash=${digest};${value}`)
      expect(hex([present(element?.leaf), ...present(element?.chain)])).toEqual(expected)
    }
    expect(parsed(`cert="${escape(leaf)}"`)).toMatchObject([{ chain: [] }])
  })

  test.each([
    ['nothing', ''],
    ['no pair', 'spiffe://prod.example/a'],
    ['a key alone', 'By'],
    ['a key of 33 letters', `${'a'.repeat(33)}=b`],
    ['an empty element', 'By=a,,By=b'],
    ['an element at the end that is empty', 'By=a,'],
    ['an empty pair', 'By=a;;URI=b'],
    ['a pair at the end that is empty', 'By=a;'],
    ['a key that is empty', '=a'],
    ['white space between elements', 'By=a, By=b'],
    ['white space between pairs', 'By=a; URI=b'],
    ['white space in a name', 'URI=spiffe://a/b c'],
    ['a quote that ends nowhere', 'Subject="CN=a'],
    ['a quote that its own escape keeps open', String.raw`Subject="CN=a\";URI=b`],
    ['a quote within a name', 'URI=a"b'],
    ['text behind a quote', 'Subject="a"b;URI=c'],
    ['a backslash outside quotes', String.raw`URI=a\b`],
    ['an equals sign in a name', 'URI=a=b'],
    ['a line break', 'URI=a\nURI=b'],
    ['a character beyond ASCII', 'Subject="CN=é"'],
    ['a DEL', 'Subject="a\u007f"'],
    ['a control character behind a backslash', 'Subject="a\\\n"'],
    ['two Hash', `Hash=${digest};Hash=${digest}`],
    ['two Hash of which one is spelled differently', `Hash=${digest};hash=${digest}`],
    ['two Subject', 'Subject="a";Subject="a"'],
    ['two Cert', `Cert="${escape(leaf)}";Cert="${escape(leaf)}"`],
    ['a Hash that is none', 'Hash=468ed33b'],
    ['a Hash in upper case', `Hash=${digest.toUpperCase()}`],
    ['an empty Hash', 'Hash='],
    ['a Cert that is none', 'Cert="a"'],
    ['a Cert of two certificates', `Cert="${escape(leaf, issuer)}"`],
    ['a Cert and a Chain of another', `Cert="${escape(leaf)}";Chain="${escape(issuer)}"`],
    ['21 elements', Array.from({ length: 21 }, () => 'By=a').join(',')],
    ['65 pairs', Array.from({ length: 65 }, () => 'DNS=a').join(';')],
  ])('is not %s', (_, value) => expect(parseXfcc(value)).toEqual(malformed))

  test('may hold any printable character within quotes, and keys that nobody knows', () => {
    const printable = Array.from({ length: 95 }, (_, i) => String.fromCharCode(32 + i)).join('')
    const subject = printable.replace('"', '').replace('\\', '')
    expect(parsed(`x=1;Subject="${subject}";${'a'.repeat(32)}=b`)).toMatchObject([{ subject }])
  })

  test('holds twenty elements of 64 pairs', () => {
    const element = Array.from({ length: 64 }, () => 'DNS=a').join(';')
    expect(parsed(Array.from({ length: 20 }, () => element).join(','))).toHaveLength(20)
  })
})
