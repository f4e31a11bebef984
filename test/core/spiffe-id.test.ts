import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { isTrustDomain, parseSpiffeId } from '../../packages/core/src/identity/certificate/spiffe-id.ts'

// The vectors of go-spiffe (spiffeid/id_test.go), and SPIFFE-ID §2.
describe('a SPIFFE ID', () => {
  test.each([
    ['spiffe://trustdomain', 'trustdomain', ''],
    ['spiffe://trustdomain/path', 'trustdomain', '/path'],
    ['spiffe://trustdomain/a/b/c', 'trustdomain', '/a/b/c'],
    ['spiffe://trustdomain/.path', 'trustdomain', '/.path'],
    ['spiffe://trustdomain/..path', 'trustdomain', '/..path'],
    ['spiffe://trustdomain/...', 'trustdomain', '/...'],
    ['spiffe://trustdomain/.../a', 'trustdomain', '/.../a'],
    ['spiffe://trustdomain/A-Z_0.9', 'trustdomain', '/A-Z_0.9'],
    ['spiffe://1.2.3.4/x', '1.2.3.4', '/x'],
    ['spiffe://prod.example-1_a/x', 'prod.example-1_a', '/x'],
  ])('%s is one', (text, trustDomain, path) => {
    expect(parseSpiffeId(text)).toEqual({ uri: text, trustDomain, path })
  })

  test.each([
    '',
    's',
    'spiffe:/',
    'Spiffe://trustdomain/path',
    'SPIFFE://trustdomain/path',
    'spiffe://',
    'spiffe:///',
    'spiffe:///path',
    'spiffe://trustdomain/',
    'spiffe://trustdomain//',
    'spiffe://trustdomain//path',
    'spiffe://trustdomain/path/',
    'spiffe://trustdomain/path//other',
    'spiffe://trustdomain/.',
    'spiffe://trustdomain/./path',
    'spiffe://trustdomain/path/.',
    'spiffe://trustdomain/path/..',
    'spiffe://trustdomain/..',
    'spiffe://trustdomain/../path',
    'spiffe://trustdomain/a/../path',
    'spiffe://%62%61%64/path',
    'spiffe://trustdomain/%62',
    'spiffe://trustdomain/%2e%2e/a',
    'spiffe://trust$domain/path',
    'spiffe://trustdomain/path$',
    'spiffe://Trustdomain/path',
    'spiffe://trustdomain:8080/path',
    'spiffe://user@trustdomain/path',
    'spiffe://user:password@trustdomain/path',
    'spiffe://trustdomain/path?query',
    'spiffe://trustdomain?query',
    'spiffe://trustdomain/path#fragment',
    'spiffe://trustdomain#fragment',
    'spiffe://[::1]/path',
    'spiffe://trustdomain/pa th',
    'spiffe://trustdomain/path\n',
    'spiffe://trustdomain/path\0',
    '\nspiffe://trustdomain/path',
    ' spiffe://trustdomain/path',
    'spiffe://trustdomain/path ',
    'spiffe://tr\u00fcst/path',
    'spiffe://trustdomain/p\u00e4th',
    'spiffe:\\\\trustdomain\\path',
    'https://trustdomain/path',
    'spiffe://trustdomain/path, URI:spiffe://other/path',
  ])('%j is none', (text) => {
    expect(parseSpiffeId(text)).toBeUndefined()
  })

  test('has one of few characters in each place, of all 256', () => {
    for (let code = 0; code < 256; code += 1) {
      const character = String.fromCodePoint(code)
      const inDomain = /[a-z0-9._-]/.test(character)
      const inPath = /[A-Za-z0-9._-]/.test(character)
      expect(parseSpiffeId(`spiffe://a${character}b/x`) !== undefined, `domain ${code}`).toBe(
        inDomain || character === '/',
      )
      expect(parseSpiffeId(`spiffe://a/x${character}y`) !== undefined, `path ${code}`).toBe(
        inPath || character === '/',
      )
      expect(isTrustDomain(`a${character}`), `trust domain ${code}`).toBe(inDomain)
    }
  })

  test('has a trust domain of at most 255 characters, and 2048 in all', () => {
    expect(parseSpiffeId(`spiffe://${'a'.repeat(255)}/x`)).toBeDefined()
    expect(parseSpiffeId(`spiffe://${'a'.repeat(256)}/x`)).toBeUndefined()
    const rest = 'spiffe://trustdomain/'.length
    expect(parseSpiffeId(`spiffe://trustdomain/${'a'.repeat(2048 - rest)}`)).toBeDefined()
    expect(parseSpiffeId(`spiffe://trustdomain/${'a'.repeat(2049 - rest)}`)).toBeUndefined()
  })

  test('is kept as it came: its parts make up the whole', () => {
    const segment = fc.stringMatching(/^[A-Za-z0-9._-]{1,12}$/)
    fc.assert(
      fc.property(
        fc.stringMatching(/^[a-z0-9._-]{1,20}$/),
        fc.array(segment, { maxLength: 5 }),
        (domain, path) => {
          const text = ['spiffe:/', domain, ...path].join('/')
          const id = parseSpiffeId(text)
          const hasDots = path.some((part) => part === '.' || part === '..')
          if (hasDots) expect(id).toBeUndefined()
          else expect(`spiffe://${id?.trustDomain}${id?.path}`).toBe(text)
        },
      ),
    )
  })

  test('is never found in text that is none, and nothing throws', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), (text) => {
        const id = parseSpiffeId(`spiffe://${text}`)
        if (id !== undefined) expect(/^spiffe:\/\/[a-z0-9._-]+(\/[A-Za-z0-9._-]+)*$/.test(id.uri)).toBe(true)
      }),
    )
  })
})
