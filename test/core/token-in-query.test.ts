// RFC 6750 §2.3 lets callers put tokens into URLs, where logs and histories keep them: such a request is refused (U33),
// and a request that only looks like one is not (U40).
import { authenticated, callerOptional, unprotected } from '@countersign/core'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { codeOf, requestWith } from './support/asking.ts'
import { createHouse } from './support/house.ts'

const { guard, token } = createHouse()
const bearer = `Bearer ${token()}`

const ask = async (url: string | undefined, authorization: string | undefined = bearer): Promise<string> =>
  codeOf(await guard.decide({ ...requestWith(authorization), url }, authenticated()))

describe('a token in the query is refused, beside one in the header and alone:', () => {
  test.each([
    '/orders?access_token=abc',
    '/orders?page=2&access_token=abc',
    '/orders?access_token=abc&page=2',
    '/?access_token=abc',
    '?access_token=abc',
    '*?access_token=abc',
    'https://orders.test/orders?access_token=abc',
    '/orders?access_token=&access_token=abc',
    '/orders?access_token=abc#fragment',
    '/orders?&&access_token=abc',
    '/orders?access%5Ftoken=abc',
    '/orders?%61ccess_token=abc',
    '/orders?page=2&%61%63%63%65%73%73%5f%74%6F%6B%65%6E=abc',
    '/orders?access_token==',
    '/orders?access_token=%20',
  ])('%s', async (url) => {
    expect(await ask(url)).toBe('token_in_query')
    expect(await ask(url, '')).toBe('token_in_query')
    expect(codeOf(await guard.decide({ ...requestWith(), url }, authenticated()))).toBe('token_in_query')
  })

  test('where a router cut the URL down on its way', async () => {
    const request = { ...requestWith(bearer), url: '/', originalUrl: '/orders?access_token=abc' }
    expect(codeOf(await guard.decide(request, authenticated()))).toBe('token_in_query')
  })

  test('where the connection is known, and where a caller is optional', async () => {
    const socket = {}
    const request = { ...requestWith(bearer, socket), url: '/orders' }
    expect(codeOf(await guard.decide(request, authenticated()))).toBe('allow')
    const leaked = { ...request, url: '/orders?access_token=abc' }
    expect(codeOf(await guard.decide(leaked, authenticated()))).toBe('token_in_query')
    expect(codeOf(await guard.decide({ ...requestWith(), url: leaked.url }, callerOptional('prices')))).toBe(
      'token_in_query',
    )
  })
})

describe('what is no token in the query is not refused:', () => {
  test.each([
    undefined,
    '',
    '/',
    '/orders?',
    '/orders?access_token',
    '/orders?access_token=',
    '/orders?page=2&access_token=&size=3',
    '/orders?my_access_token=abc',
    '/orders?access_token_hint=abc',
    '/orders?access_tokens=abc',
    '/orders?Access_Token=abc',
    '/orders?q=access_token',
    '/orders?q=access_token=abc',
    '/orders?next=/cb?access_token=abc',
    '/orders?next=%2Fcb%3Faccess_token%3Dabc%26x',
    '/orders?q=%26access_token=abc',
    '/access_token=abc',
    '/access_token=abc?page=2',
    '/orders/access_token=abc/?x=%',
    '/orders?filter%5Bname%5D=x',
    '/orders?%=x&%zz=%',
  ])('%s', async (url) => {
    expect(await ask(url)).toBe('allow')
  })

  test('where nobody is asked for', async () => {
    const request = { ...requestWith(), url: '/?access_token=abc' }
    expect(codeOf(await guard.decide(request, unprotected('liveness probe')))).toBe('allow')
  })
})

test('a query is refused exactly where a decoder would find a token in it', async () => {
  const text = fc.string({
    unit: fc.constantFrom(
      ...'ab_=&?#+;',
      '%25',
      '%3D',
      '%26',
      '%',
      'access',
      'token',
      'access_token',
      '=a',
      '%5F',
      'é',
    ),
  })
  await fc.assert(
    fc.asyncProperty(text, async (query) => {
      const found = new URLSearchParams(`?${query}`).getAll('access_token').some((value) => value !== '')
      expect(await ask(`/orders?${query}`)).toBe(found ? 'token_in_query' : 'allow')
    }),
    { numRuns: 1000 },
  )
})
