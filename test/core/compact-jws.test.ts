import { createHash } from 'node:crypto'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { isJws, parseCompactJws } from '../../packages/core/src/identity/jws/compact-jws.ts'
import { Refusal } from '../../packages/core/src/refusal.ts'
import { present } from './support/asking.ts'
import { segment, type Part } from './support/raw-signer.ts'

const header = { alg: 'ES256', typ: 'at+jwt', kid: 'key-1' }
const signature = createHash('sha512').update('a signature').digest('base64url')
const jws = (head: Part, payload: Part = { sub: 'checkout' }): string =>
  `${segment(head)}.${segment(payload)}.${signature}`

const [head, body] = jws(header).split('.')

/** The refusal, which has to tell its operator what was expected and what came, whatever the words. */
function refusalOf(token: string): Refusal {
  const refusal = parseCompactJws(token)
  if (!(refusal instanceof Refusal)) throw new Error('expected a refusal')
  expect(refusal.detail.expected).toMatch(/\S/)
  return refusal
}

describe('a token that is malformed:', () => {
  test.each([
    ['nothing', ''],
    ['one part', `${head}`],
    // Canonical as a whole, and a header without its last character.
    ['one part that could be all of them', `${segment('{"alg":"ES256"} ')}A`],
    ['two parts', `${head}.${body}`],
    ['four parts', `${head}.${body}.${signature}.${signature}`],
    ['a dot behind it', `${head}.${body}.${signature}.`],
    ['a dot before it', `.${head}.${body}.${signature}`],
    ['five parts, as JWE has', `${head}.${body}.${body}.${body}.${signature}`],
    ['no header', `.${body}.${signature}`],
    ['nothing but dots', '..'],
    ['no signature', `${head}.${body}.`],
    ['a padded header', `${segment('{"alg":"ES256"} ')}=.${body}.${signature}`],
    ['a padded payload', `${head}.YQ==.${signature}`],
    ['a padded signature', `${head}.${body}.YQ==`],
    ['a payload with bits to spare', `${head}.YR.${signature}`],
    ['a signature with bits to spare', `${head}.${body}.YR`],
    ['a payload of one character', `${head}.Y.${signature}`],
    ['standard base64 in the payload', `${head}.+/+/.${signature}`],
    ['standard base64 in the signature', `${head}.${body}.+/+/`],
    ['a space before it', ` ${head}.${body}.${signature}`],
    ['a line break behind it', `${head}.${body}.${signature}\n`],
    ['a header that is a list', jws([header])],
    ['a header that is a text', jws('"ES256"')],
    ['a header that is no JSON', jws('alg=ES256')],
    ['a header that names `alg` twice', jws('{"alg":"ES256","alg":"ES256"}')],
    ['no `alg`', jws({ typ: 'at+jwt' })],
    ['an `alg` that is null', jws({ ...header, alg: null })],
    ['an `alg` that is a list', jws({ ...header, alg: ['ES256'] })],
    ['a `kid` that is a number', jws({ ...header, kid: 1 })],
    ['a `kid` that is null', jws({ ...header, kid: null })],
    ['a `typ` that is a number', jws({ ...header, typ: 1 })],
    ['a `typ` that is null', jws({ ...header, typ: null })],
  ])('%s', (_, token) => {
    const refusal = refusalOf(token)
    expect(refusal.code).toBe('token_malformed')
    expect(refusal.detail.actual).toMatch(/\S/)
  })
})

describe('a header that is refused for what it says:', () => {
  test.each(['none', 'None', '', 'es256', 'ES256 ', 'ES256K', 'HS1', 'RSA1_5', 'toString', '__proto__'])(
    'the algorithm %j',
    (alg) => {
      const refusal = refusalOf(jws({ ...header, alg }))
      expect(refusal.code).toBe('algorithm_not_allowed')
      expect(refusal.detail.actual).toBe(JSON.stringify(alg))
    },
  )

  test('an algorithm that is none, before a signature that is none', () => {
    expect(refusalOf(`${segment({ alg: 'none' })}.${body}.`).code).toBe('algorithm_not_allowed')
  })

  test.each([{ crit: ['exp'] }, { crit: [] }, { crit: null }, { b64: true }, { b64: false }, { b64: null }])(
    'an extension, %j',
    (extension) => {
      expect(refusalOf(jws({ ...header, ...extension })).code).toBe('token_critical_header')
    },
  )
})

describe('a token of good form', () => {
  test('gives its header, its octets, its signature and what that is of', () => {
    const more = { ...header, nested: { crit: ['x'], b64: false } }
    expect(parseCompactJws(jws(more, 'any octets'))).toEqual({
      header: { alg: 'ES256', typ: 'at+jwt', kid: 'key-1', all: more },
      payload: Buffer.from('any octets'),
      signed: `${segment(more)}.${segment('any octets')}`,
      signature: createHash('sha512').update('a signature').digest(),
    })
  })

  test('needs neither `kid` nor `typ`', () => {
    expect(parseCompactJws(jws({ alg: 'HS256' }))).toMatchObject({
      header: { alg: 'HS256', typ: undefined, kid: undefined },
    })
  })

  test('may have an empty payload', () => {
    const parsed = parseCompactJws(`${head}..${signature}`)
    expect(parsed).toMatchObject({ header: { alg: 'ES256' } })
    expect(parsed instanceof Refusal ? undefined : parsed.payload.length).toBe(0)
  })

  test('has one spelling: no other text gives the same parts', () => {
    const token = jws(header)
    const parts = (text: string) => {
      const parsed = parseCompactJws(text)
      return parsed instanceof Refusal ? undefined : JSON.stringify([parsed, text.split('.')[2]])
    }
    fc.assert(
      fc.property(fc.nat(token.length), fc.constantFrom(...'Aaz09-_+/=. \n\0é'), (at, added) => {
        const inserted = `${token.slice(0, at)}${added}${token.slice(at)}`
        const replaced = `${token.slice(0, at)}${added}${token.slice(at + 1)}`
        for (const text of [inserted, replaced]) {
          if (text !== token) expect(parts(text)).not.toBe(parts(token))
        }
      }),
    )
  })

  test('or not: no text makes it throw', () => {
    fc.assert(
      fc.property(fc.string({ unit: fc.constantFrom(...'ey.J{"alg":}=A') }), (text) => {
        parseCompactJws(text)
      }),
    )
  })
})

describe('whether a text is a signed token at all', () => {
  test.each([
    ['a signed token', jws(header), true],
    ['one that is broken behind its header', `${present(head)}.%.%`, true],
    ['one with a header that nobody would accept', `${segment({})}.`, true],
    ['a header without a dot', present(head), false],
    ['an opaque token', '2YotnFZFEjr1zCsicMWpAA', false],
    ['an opaque token with dots', 'v2.local.abc', false],
    ['a header that is a list', `${segment('[]')}.${body}.${signature}`, false],
    ['a header that is padded', `${segment('{"a":12}')}=.${body}.${signature}`, false],
    ['nothing', '', false],
    ['a dot', '.', false],
  ])('%s', (_, text, expected) => {
    expect(isJws(text)).toBe(expected)
  })
})
