// What an introspection response may say, and what becomes of one that says it wrongly (RFC 7662 §2.2).
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { parseAnswer } from '../../packages/core/src/identity/introspection/introspection-answer.ts'
import { Refusal } from '../../packages/core/src/refusal.ts'
import { openAuthorizationServer } from './support/introspecting.ts'

const issuer = 'https://idp.test'
const good = {
  active: true,
  scope: 'orders:read',
  client_id: 'checkout',
  username: 'checkout',
  token_type: 'Bearer',
  exp: 2_000_000_000,
  iat: 1_900_000_000,
  nbf: 1_900_000_000,
  sub: 'checkout',
  aud: 'orders',
  iss: issuer,
  jti: 'one',
}
const clients = new Set(['checkout'])

/** `audience` or `client`, by which an answer is accepted, or the code of the refusal. */
function outcomeOf(changes: object, allowed: ReadonlySet<string> = new Set()): string {
  const result = parseAnswer({ ...good, ...changes }, { issuer, clients: allowed })
  return result instanceof Refusal ? result.code : result.boundBy
}

describe('an answer', () => {
  test('is accepted with every member of RFC 7662, and with the fewest', () => {
    expect(outcomeOf({})).toBe('audience')
    const fewest = parseAnswer({ active: true, exp: 1, aud: ['orders'] }, { issuer, clients: new Set() })
    expect(fewest).toEqual({ claims: { iss: issuer, exp: 1, aud: ['orders'] }, exp: 1, boundBy: 'audience' })
  })

  test.each([['false'], ['true'], [1], [0], [null], [undefined], [[]], [{}], [[true]]])(
    'with `active` %j is malformed',
    (active) => {
      expect(outcomeOf({ active })).toBe('introspection_malformed')
    },
  )

  test('that is inactive is inactive, whatever else it says', () => {
    expect(outcomeOf({ active: false })).toBe('token_inactive')
    expect(outcomeOf({ active: false, exp: 'never', iss: 'https://other.test' })).toBe('token_inactive')
  })

  const others = [['text'], [7], [true], [['text']], [{}]] as const
  const wrong = (name: string, right: (value: unknown) => boolean) =>
    others.flatMap(([value]) => (right(value) ? [] : [[name, value] as const]))
  const isText = (value: unknown) => typeof value === 'string'
  const isTime = (value: unknown) => typeof value === 'number'

  const malformed: readonly (readonly [string, unknown])[] = [
    ...['scope', 'client_id', 'username', 'token_type', 'token_use', 'sub', 'iss', 'jti'].flatMap((name) =>
      wrong(name, isText),
    ),
    ...['exp', 'iat', 'nbf'].flatMap((name) => wrong(name, isTime)),
    ...wrong('aud', (value) => isText(value) || Array.isArray(value)),
    ...wrong('cnf', (value) => typeof value === 'object' && !Array.isArray(value)),
    ['aud', ['orders', 7]],
    ['aud', ''],
    ['aud', ['orders', '']],
    ['aud', [['orders']]],
    ['exp', Infinity],
    ['exp', NaN],
    ['iat', -Infinity],
    ['iss', 'https://idp.test/'],
    ['iss', 'https://IDP.test'],
    ['iss', ''],
  ]

  test.each(malformed)('with `%s` %j is malformed', (name, value) => {
    expect(outcomeOf({ [name]: value })).toBe('introspection_malformed')
  })

  test('without `exp` is refused: nobody would know for how long it holds', () => {
    expect(outcomeOf({ exp: undefined })).toBe('claim_missing')
    expect(outcomeOf({ exp: null })).toBe('claim_missing')
  })

  test('that names no issuer is the one of the issuer that was asked', () => {
    const result = parseAnswer({ ...good, iss: undefined }, { issuer, clients })
    expect(result).toMatchObject({ claims: { iss: issuer } })
  })

  test('leaves `active` and what is null out of the claims, and keeps the rest', () => {
    const result = parseAnswer(
      { ...good, sub: null, tenant: { id: 7 }, cnf: { jkt: 'k' } },
      { issuer, clients },
    )
    const { active, sub, ...rest } = good
    expect([active, sub]).toEqual([true, 'checkout'])
    expect(result).toMatchObject({ claims: { ...rest, tenant: { id: 7 }, cnf: { jkt: 'k' } } })
    expect(result).not.toHaveProperty('claims.active')
    expect(result).not.toHaveProperty('claims.sub')
  })
})

describe('T58 an answer about a token of somebody else', () => {
  test.each([[undefined], [null], [[]]])('without audience (%j) is refused', (aud) => {
    expect(outcomeOf({ aud })).toBe('audience_mismatch')
    expect(outcomeOf({ aud }, new Set(['billing']))).toBe('audience_mismatch')
    expect(outcomeOf({ aud, client_id: undefined }, clients)).toBe('audience_mismatch')
  })

  test('without audience is accepted of a client that `clients` names, and says so', () => {
    expect(outcomeOf({ aud: undefined }, clients)).toBe('client')
    expect(outcomeOf({ aud: undefined, client_id: 'checkout ' }, clients)).toBe('audience_mismatch')
    expect(outcomeOf({ aud: undefined, client_id: 'Checkout' }, clients)).toBe('audience_mismatch')
  })

  test('with an audience is never excused by its client: that audience is what counts', () => {
    expect(outcomeOf({ aud: 'billing' }, clients)).toBe('audience')
  })

  test('tells the operator whose token it was', () => {
    const result = parseAnswer({ ...good, aud: undefined }, { issuer, clients: new Set() })
    expect(result).toMatchObject({ detail: { actual: expect.stringContaining('"checkout"') } })
  })
})

describe('T22 an answer about a token that is no access token', () => {
  test.each([['Refresh'], ['refresh_token'], ['N_A'], ['mac'], [''], ['Bearer '], ['ID']])(
    '(`token_type` %j) is refused',
    (type) => {
      expect(outcomeOf({ token_type: type })).toBe('token_type_mismatch')
    },
  )

  test.each([['refresh_token'], ['id'], ['']])('(`token_use` %j) is refused', (use) => {
    expect(outcomeOf({ token_use: use })).toBe('token_type_mismatch')
  })

  test('(neither audience nor `token_type`) is refused, also of a client that `clients` names', () => {
    expect(outcomeOf({ aud: undefined, token_type: undefined }, clients)).toBe('token_type_mismatch')
  })

  test('is told from an access token by words that compare without case', () => {
    for (const type of ['Bearer', 'bearer', 'BEARER', undefined]) {
      expect(outcomeOf({ token_type: type })).toBe('audience')
    }
    expect(outcomeOf({ token_use: 'access_token' })).toBe('audience')
  })
})

describe('T35 an answer about a bound token', () => {
  test.each([[undefined], [null], [{}], [{ jkt: 7 }], [{ jkt: '' }], [{ 'x5t#S256': 'x' }]])(
    'of type DPoP with `cnf` %j is malformed',
    (cnf) => {
      expect(outcomeOf({ token_type: 'DPoP', cnf })).toBe('introspection_malformed')
      expect(outcomeOf({ token_type: 'dpop', cnf })).toBe('introspection_malformed')
    },
  )

  test('passes the confirmation on', () => {
    const cnf = { jkt: 'thumbprint', 'x5t#S256': 'thumbprint' }
    const result = parseAnswer({ ...good, token_type: 'DPoP', cnf }, { issuer, clients })
    expect(result).toMatchObject({ claims: { cnf, token_type: 'DPoP' } })
  })
})

describe('arbitrary answers', () => {
  const names = fc.constantFrom(...Object.keys(good), 'cnf', 'token_use', '__proto__', 'constructor')
  const almost = fc.dictionary(
    names,
    fc.oneof(fc.jsonValue(), fc.constantFrom(true, false, 'Bearer', 'DPoP', 1)),
  )
  const anything = fc.oneof(
    almost,
    almost.map((changes) => Object.assign({}, good, changes)),
    fc.dictionary(fc.string(), fc.jsonValue()),
  )

  test('never throw, and are never accepted unless `active` is true, in time, and bound', () => {
    const accepted: unknown[] = []
    fc.assert(
      fc.property(anything, (answer) => {
        const result = parseAnswer(answer, { issuer, clients })
        if (result instanceof Refusal) return
        accepted.push(answer)
        expect(answer['active']).toBe(true)
        expect(Number.isFinite(result.exp)).toBe(true)
        expect(result.claims['iss']).toBe(issuer)
        if (result.boundBy === 'client') expect(result.claims['client_id']).toBe('checkout')
        else expect(result.claims['aud']).toBeTruthy()
        expect(['bearer', 'dpop', undefined]).toContain(
          (answer['token_type'] as string | undefined | null)?.toLowerCase(), // text, or it was refused
        )
      }),
      { numRuns: 5000 },
    )
    expect(accepted.length).toBeGreaterThan(100)
  })

  test('never make an Introspector reject, whatever octets come', async () => {
    await using server = await openAuthorizationServer({})
    const introspector = server.introspector()
    let n = 0
    const octets = fc.oneof(
      fc.json().map((text) => Buffer.from(text)),
      fc.uint8Array({ maxLength: 200 }).map((array) => Buffer.from(array)),
      fc
        .constantFrom(
          '',
          '{"active":true,"active":false}',
          '{"active":true',
          '\ufeff{"active":true}',
          '[true]',
          'true',
        )
        .map((text) => Buffer.from(text)),
    )
    await fc.assert(
      fc.asyncProperty(octets, async (body) => {
        server.answers((response) => response.end(body))
        n += 1
        const result = await introspector.introspect(`token-${n}`)
        expect(result).toBeInstanceOf(Refusal)
      }),
      { numRuns: 150 },
    )
  })
})
