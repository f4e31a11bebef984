import { ConfigurationError } from '@countersign/core'
import { describe, expect, test } from 'vitest'
import { parseCallerPattern } from '../../packages/core/src/policy/caller-pattern.ts'

const issuer = 'https://idp.example/realms/shop'
const parse = (text: unknown) => parseCallerPattern(text, 'callerIs(…)[0]')

describe('no pattern is', () => {
  test.each<[unknown]>([
    [undefined],
    [null],
    [5],
    [['spiffe://prod.example/a']],
    [''],
    ['*'],
    ['checkout'],
    [' spiffe://prod.example/a'],
    ['SPIFFE://prod.example/a'],

    [`${issuer}#sub=a\nb`],
    [`${issuer}#sub=`],
    ['spiffe://'],
    ['spiffe:///a'],
    ['spiffe://prod.example'],
    ['spiffe://prod.example/'],
    ['spiffe://prod.example//a'],
    ['spiffe://prod.example/a/'],
    ['spiffe://prod.example/a//b'],
    ['spiffe://prod.example/.'],
    ['spiffe://prod.example/../a'],
    ['spiffe://prod.example/a*'],
    ['spiffe://prod.example/*a'],
    ['spiffe://prod.example/**'],
    ['spiffe://prod.example/a b'],
    ['spiffe://prod.example/a?b'],
    ['spiffe://prod.example/a#b'],
    ['spiffe://prod.example/%61'],
    ['spiffe://prod.example/é'],
    ['spiffe://*/a'],
    ['spiffe://*.example/a'],
    ['spiffe://Prod.example/a'],
    ['spiffe://prod.example:443/a'],

    [issuer],
    [`${issuer}#`],
    [`${issuer}#client`],
    [`${issuer}#client=`],
    [`${issuer}#sub=`],
    [`${issuer}#azp=checkout`],
    [`${issuer}#Client=checkout`],
    [`${issuer}#client=check*`],
    [`${issuer}#sub=*@shop`],
    [`${issuer}#client=**`],
    [`${issuer}#x#client=checkout`],
    [`${issuer}/a b#client=checkout`],
    ['*#client=checkout'],
    ['https://#client=checkout'],
    ['ftp://idp.example#client=checkout'],
    ['idp.example#client=checkout'],
    ['xhttps://idp.example#client=checkout'],

    ['x509:partners'],
    ['x509:partners#dns='],
    ['x509:partners#dns'],
    ['x509:#dns=a.example'],
    ['x509:Partners#dns=a.example'],
    ['x509:part ners#dns=a.example'],
    ['x509:*#dns=a.example'],
    ['x509:partners#=a.example'],
    ['x509:partners#d-s=a.example'],
    ['x509:partners#*=a.example'],
    ['x509:partners#dns=*.example'],
    ['X509:partners#dns=a.example'],
    ['xx509:partners#dns=a.example'],
  ])('%j', (text) => {
    const write = () => parse(text)
    expect(write).toThrow(ConfigurationError)
    // Says where, what was given, and what to write.
    expect(write).toThrow(/^`callerIs\(…\)\[0\]`: expected .*, got ./)
    if (typeof text === 'string') expect(write).toThrow(`got \`${text}\``)
  })
})

describe.each<[string, readonly string[], readonly string[]]>([
  [
    'spiffe://prod.example/ns/shop/sa/checkout',
    ['spiffe://prod.example/ns/shop/sa/checkout'],
    [
      '',
      'spiffe://prod.example/ns/shop/sa/checkout/',
      'spiffe://prod.example/ns/shop/sa/checkout2',
      'spiffe://prod.example/ns/shop/sa',
      'spiffe://lab.example/ns/shop/sa/checkout',
      'spiffe://prod.example/ns/shop/sa/Checkout',
    ],
  ],
  [
    'spiffe://prod.example/ns/*/sa/checkout',
    ['spiffe://prod.example/ns/shop/sa/checkout', 'spiffe://prod.example/ns/x/sa/checkout'],
    [
      'spiffe://prod.example/ns/sa/checkout',
      'spiffe://prod.example/ns/a/b/sa/checkout',
      'spiffe://prod.example/ns/shop/sa/checkout/x',
      'spiffe://prod.example/ns/shop/sa/other',
      'spiffe://prod.example/xx/shop/sa/checkout',
      'spiffe://prod.example.evil/ns/shop/sa/checkout',
      'spiffe://prod.exampl/ns/shop/sa/checkout',
      'https://prod.example/ns/shop/sa/checkout',
    ],
  ],
  [
    'spiffe://prod.example/*',
    ['spiffe://prod.example/a', 'spiffe://prod.example/A._-9'],
    [
      'spiffe://prod.example',
      'spiffe://prod.example/a/b',
      'spiffe://other.example/a',
      'spiffe://prod.examplex/',
    ],
  ],
  [
    `${issuer}#client=checkout`,
    [`${issuer}#client=checkout`],
    [`${issuer}#client=checkout2`, `${issuer}#sub=checkout`, `${issuer}/#client=checkout`, 'checkout', ''],
  ],
  [
    `${issuer}#client=*`,
    [`${issuer}#client=checkout`, `${issuer}#client=a b#sub=c`],
    [`${issuer}#sub=checkout`, `${issuer}/x#client=checkout`, `x${issuer}#client=checkout`, issuer],
  ],
  [
    'http://localhost:8080#sub=*',
    ['http://localhost:8080#sub=alice'],
    ['http://localhost:8080#client=alice', 'https://localhost:8080#sub=alice'],
  ],
  [
    'x509:partners-2#dns=a.partner.example',
    ['x509:partners-2#dns=a.partner.example'],
    [
      'x509:partners#dns=a.partner.example',
      'x509:partners-2#cn=a.partner.example',
      'x509:partners-2#dns=b.a.partner.example',
    ],
  ],
  [
    'x509:partners#commonName=*',
    ['x509:partners#commonName=A', 'x509:partners#commonName=a b'],
    ['x509:partners#dns=a', 'x509:partners-2#commonName=a', 'xx509:partners#commonName=a'],
  ],
  [`${issuer}#sub=a name, of any kind`, [`${issuer}#sub=a name, of any kind`], [`${issuer}#sub=a name`]],
])('%s', (text, matching, others) => {
  const pattern = parse(text)

  test.each(others)('does not match %j', (id) => {
    expect(pattern.matches(id)).toBe(false)
  })

  test.each(matching)('matches %j', (id) => {
    expect(pattern.matches(id)).toBe(true)
  })

  test('reads as it was written', () => {
    expect(pattern.text).toBe(text)
    expect(pattern.isExact).toBe(!text.includes('*'))
  })
})
