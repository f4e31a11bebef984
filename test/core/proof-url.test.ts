import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import {
  normalizeUrl,
  parseExternalUrl,
  receivedUrls,
} from '../../packages/core/src/identity/proof/request-url.ts'

describe('a URL is written in one way (RFC 3986 §6.2.2, §6.2.3)', () => {
  test.each([
    ['scheme and host in any case', 'HTTPS://API.Example.COM/a', 'https://api.example.com/a'],
    ['with the default port', 'https://api.example.com:443/a', 'https://api.example.com/a'],
    ['with the default port of http', 'http://localhost:80/a', 'http://localhost/a'],
    ['with an empty port', 'https://api.example.com:/a', 'https://api.example.com/a'],
    ['with another port', 'https://api.example.com:8443/a', 'https://api.example.com:8443/a'],
    [
      'with the default port of the other scheme',
      'https://api.example.com:80/',
      'https://api.example.com:80/',
    ],
    ['without a path', 'https://api.example.com', 'https://api.example.com/'],
    ['with a query', 'https://api.example.com/a?b=c&d=/../e', 'https://api.example.com/a'],
    ['with a query and no path', 'https://api.example.com?b', 'https://api.example.com/'],
    ['with a fragment', 'https://api.example.com/a#b?c', 'https://api.example.com/a'],
    ['with small hexadecimal digits', 'https://a.example/%c3%a9%2f', 'https://a.example/%C3%A9%2F'],
    [
      'with unreserved characters escaped',
      'https://a.example/%7Eme%2d%5F%2E%41',
      'https://a.example/~me-_.A',
    ],
    ['with dot segments', 'https://a.example/a/./b/../c/.', 'https://a.example/a/c/'],
    ['with escaped dot segments', 'https://a.example/a/%2e%2E/c', 'https://a.example/c'],
    ['with more dot segments than others', 'https://a.example/../../a/..', 'https://a.example/'],
    ['with dots that are no segments', 'https://a.example/.a/..b/c...', 'https://a.example/.a/..b/c...'],
    ['with an IPv6 address', 'https://[2001:DB8::1]:443/a', 'https://[2001:db8::1]/a'],
    [
      'with characters that browsers leave alone',
      `https://a.example/[a]|{b}^'"`,
      `https://a.example/[a]|{b}^'"`,
    ],
  ])('%s', (_, url, normalized) => {
    expect(normalizeUrl(url)).toBe(normalized)
  })

  test.each([
    '',
    '/a',
    'a.example/a',
    '//a.example/a',
    'ftp://a.example/a',
    'https:/a.example/a',
    'https:a.example',
    'https://',
    'https:///a',
    'https://:443/a',
    'https://me@a.example/a',
    'https://me:secret@a.example/a',
    'https://a.example\\@b.example/a',
    'https://a.example\\a',
    'https://a.example/a\\b',
    'https://a.example/a b',
    'https://a.example/a\tb',
    'https://a.example/a\n',
    'https://a.example/\u0000',
    'https://a.example/é',
    'https://ä.example/',
    'https://a%2Eexample/',
    'https://a.example:port/',
    'https://a.example:123456/',
    'https://a.example/%',
    'https://a.example/%4',
    'https://a.example/%zz',
    ' https://a.example/',
    'https://a.example/ ',
    'https://[2001:db8::1/a',
    'https://[::1]x/a',
  ])('and %j is none', (url) => {
    expect(normalizeUrl(url)).toBeUndefined()
  })

  test.each([
    ['an escaped slash and a slash', '/a%2Fb', '/a/b'],
    ['two cases of a path', '/Orders', '/orders'],
    ['a path with and without its final slash', '/orders/', '/orders'],
    ['an escaped and a plain reserved character', '/a%3Bb', '/a;b'],
    ['an escaped and a plain percent sign', '/%2541', '/%41'],
    ['one slash and two', '//a', '/a'],
    ['a space as plus and as an escape', '/a+b', '/a%20b'],
    ['composed and decomposed letters', '/%C3%A9', '/e%CC%81'],
  ])('but %s stay two', (_, one, other) => {
    expect(normalizeUrl(`https://a.example${one}`)).toBeDefined()
    expect(normalizeUrl(`https://a.example${one}`)).not.toBe(normalizeUrl(`https://a.example${other}`))
  })
})

describe('the URL of a received request', () => {
  const urls = (externalUrl: string, target: string): readonly string[] =>
    receivedUrls([parseExternalUrl(externalUrl) ?? ''], target)

  test.each([
    ['https://api.example.com', '/orders/7', ['https://api.example.com/orders/7']],
    ['https://api.example.com/', '/orders/7?full=1', ['https://api.example.com/orders/7']],
    ['https://API.example.com:443/Shop', '/orders', ['https://api.example.com/Shop/orders']],
    ['https://api.example.com/shop/', '/orders/', ['https://api.example.com/shop/orders/']],
    ['https://api.example.com', '/', ['https://api.example.com/']],
    ['https://api.example.com/shop', '//orders', ['https://api.example.com/shop//orders']],
    ['https://api.example.com', '//evil.example/orders', ['https://api.example.com//evil.example/orders']],
    ['https://api.example.com', '/%6frders', ['https://api.example.com/orders']],
  ])('behind %s for %s is %j', (externalUrl, target, expected) => {
    expect(urls(externalUrl, target)).toEqual(expected)
  })

  test('may have had a final slash or none where a proxy stripped all there was', () => {
    expect(urls('https://api.example.com/shop', '/?a')).toEqual([
      'https://api.example.com/shop/',
      'https://api.example.com/shop',
    ])
  })

  test('is looked for behind each external URL', () => {
    expect(receivedUrls(['https://a.example', 'https://b.example/shop'], '/orders')).toEqual([
      'https://a.example/orders',
      'https://b.example/shop/orders',
    ])
  })

  test.each([
    '',
    '*',
    'orders',
    'https://api.example.com/orders',
    'api.example.com:443',
    '?a',
    '/orders#a',
    '/orders?a#b',
    '/a/../orders',
    '/./orders',
    '/orders/..',
    '/a/%2e%2e/orders',
    '/orders\\..',
    '/or ders',
    '/%',
    '/é',
  ])('is not known for the target %j', (target) => {
    expect(urls('https://api.example.com', target)).toEqual([])
  })
})

const unreserved = 'ABCXYZabcxyz0189-._~'
const segment = fc
  .array(
    fc.oneof(
      fc.constantFrom(...unreserved),
      fc.constantFrom(...":@!$&'()*+,;=[]|"),
      fc.nat(255).map((octet) => `%${octet.toString(16).padStart(2, '0')}`),
      fc.nat(255).map((octet) => `%${octet.toString(16).padStart(2, '0').toUpperCase()}`),
      fc.constantFrom('.', '..', '%2e', '%2F', '%25'),
    ),
    { maxLength: 5 },
  )
  .map((parts) => parts.join(''))
const path = fc.array(segment, { maxLength: 5 }).map((segments) => `/${segments.join('/')}`)
const escaped = (text: string): string =>
  Array.from(text, (character) =>
    unreserved.includes(character) ? `%${character.charCodeAt(0).toString(16)}` : character,
  ).join('')

const unescaped = (text: string): string =>
  text.replaceAll(/%([0-9a-f]{2})/gi, (_, digits: string) => String.fromCharCode(Number.parseInt(digits, 16)))

describe('for any URL', () => {
  test('its one way to be written is the way it is written already', () => {
    fc.assert(
      fc.property(path, (given) => {
        const once = normalizeUrl(`https://a.example${given}`)
        expect(once).toBeDefined()
        expect(normalizeUrl(once ?? '')).toBe(once)
      }),
      { numRuns: 2000 },
    )
  })

  test('escapes of unreserved characters say the same', () => {
    const plain = fc
      .array(fc.constantFrom(...unreserved, '/'), { maxLength: 12 })
      .map((all) => `/${all.join('')}`)
    fc.assert(
      fc.property(plain, (given) => {
        expect(normalizeUrl(`https://a.example${escaped(given)}`)).toBe(
          normalizeUrl(`https://a.example${given}`),
        )
      }),
      { numRuns: 500 },
    )
  })

  test('WHATWG reads the same resource out of it, where it has no escapes', () => {
    const plain = fc.array(fc.constantFrom('a', 'B', '.', '..', '/', '~', ';'), { maxLength: 12 })
    fc.assert(
      fc.property(plain, (parts) => {
        const url = `https://A.example:443/${parts.join('')}`
        // Node 22 leaves a dot segment behind an empty one where it is.
        fc.pre(!/\/\.{1,2}(\/|$)/.test(new URL(url).pathname))
        expect(normalizeUrl(url)).toBe(new URL(url).href)
      }),
      { numRuns: 1000 },
    )
  })

  test('two targets that it stands for are one resource to a router', () => {
    // A router splits at slashes and decodes what is between them.
    const routed = (target: string) => target.split('/').map((part) => Buffer.from(unescaped(part), 'latin1'))
    const change = fc.constantFrom<(target: string) => string>(
      (target) => target.toUpperCase(),
      (target) => target.toLowerCase(),
      (target) => target.replaceAll(/%../g, (octet) => octet.toUpperCase()),
      (target) => `${target}/`,
      (target) => target.replace(/\/$/, ''),
      (target) => target.replace('/', '//'),
      (target) => target.replaceAll(/%2f/gi, '/'),
      (target) => target.replaceAll(/(?<=.)\//g, '%2F'),
      (target) => target.replaceAll('%25', '%'),
      (target) => target.replaceAll('/..', ''),
      escaped,
      unescaped,
    )
    fc.assert(
      fc.property(path, change, (one, changed) => {
        const other = changed(one)
        const [left] = receivedUrls(['https://a.example'], one)
        const [right] = receivedUrls(['https://a.example'], other)
        if (left !== undefined && left === right) expect(routed(one)).toEqual(routed(other))
      }),
      { numRuns: 3000 },
    )
  })

  test('nothing makes it throw', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), fc.string({ unit: 'binary' }), (url, target) => {
        normalizeUrl(url)
        normalizeUrl(`https://${url}`)
        receivedUrls(['https://a.example'], target)
        receivedUrls(['https://a.example'], `/${target}`)
      }),
      { numRuns: 2000 },
    )
  })

  test('no length and no repetition makes it slow', { timeout: 15_000 }, () => {
    for (const part of ['/..', '/.', '%2e', '%2e%2e/', '/a/..', '?', '#', ':', '\\', '%', '[', '@']) {
      const url = normalizeUrl(`https://a.example/${part.repeat(100_000)}`)
      expect((url ?? '').length).toBeLessThan(1_000_000)
    }
  })
})
