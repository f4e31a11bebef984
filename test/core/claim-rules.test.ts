import { authenticated, type IssuerOptions } from '@countersign/core'
import { describe, expect, test } from 'vitest'
import { callerFor, codeFor, refusalOf, requestWith } from './support/asking.ts'
import { createHouse, issuer, type House } from './support/house.ts'

type Members = Readonly<Record<string, unknown>>

const houseOf = (issuerOptions: Partial<IssuerOptions>, grants?: Record<string, readonly string[]>): House =>
  createHouse({ issuerOptions, ...(grants === undefined ? {} : { guardOptions: { grants } }) })

describe('the subjects that an issuer may speak of', () => {
  const { guard, token } = houseOf({ subjects: ['checkout', 'reports'] })

  test.each(['Checkout', 'checkout ', 'check', 'checkout2', '*', 'orders'])('are not %j', async (sub) => {
    expect(await codeFor(guard, token({ sub }))).toBe('subject_not_permitted')
  })

  test.each(['checkout', 'reports'])('are those that are named: %s', async (sub) => {
    expect(await codeFor(guard, token({ sub }))).toBe('allow')
  })

  test('are named by `grants` where they shall be, by whole names and of this issuer', async () => {
    const limited = houseOf(
      { profile: 'id-token', subjects: 'granted' },
      {
        [`${issuer}#sub=1122`]: ['orders:read'],
        [`${issuer}#sub=*`]: [],
        'https://other.test#sub=3344': [],
        [`${issuer}#client=5566`]: [],
      },
    )
    const ask = (sub: string) => codeFor(limited.guard, limited.token({ sub }, { typ: undefined }))
    expect(await ask('1122')).toBe('allow')
    for (const sub of ['3344', '5566', '*', '112']) expect(await ask(sub), sub).toBe('subject_not_permitted')
  })

  test.each<[string, Record<string, readonly string[]> | undefined]>([
    ['none', undefined],
    ['a client only', { [`${issuer}#client=checkout`]: [] }],
    ['a pattern only', { [`${issuer}#sub=*`]: [] }],
    ['subjects of another issuer', { [`${issuer}.evil#sub=1122`]: [] }],
  ])('cannot be the granted ones where `grants` names %s', (_, grants) => {
    expect(() => houseOf({ subjects: 'granted' }, grants)).toThrow(/`issuers\[0\]\.subjects`/)
  })
})

describe('a claim that must have a value', () => {
  const { guard, token } = houseOf({
    requiredClaims: [
      { claim: 'tid', value: 'tenant-1' },
      { claim: ['org', 'id'], value: [7, 'seven'] },
      { claim: 'verified', value: true },
    ],
  })
  const right = { tid: 'tenant-1', org: { id: 7 }, verified: true }
  const ask = (changes: Members) => codeFor(guard, token({ ...right, ...changes }))

  test('has it, or one of several', async () => {
    expect(await ask({})).toBe('allow')
    expect(await ask({ org: { id: 'seven' } })).toBe('allow')
  })

  test.each<[string, Members]>([
    ['absent', { tid: undefined }],
    ['another', { tid: 'tenant-2' }],
    ['in a list', { tid: ['tenant-1'] }],
    ['in another case', { tid: 'Tenant-1' }],
    ['longer', { tid: 'tenant-1 ' }],
    ['null', { tid: null }],
    ['an object', { tid: { 'tenant-1': true } }],
    ['a number as text', { org: { id: '7' } }],
    ['a number near it', { org: { id: 7.1 } }],
    ['yes as text', { verified: 'true' }],
    ['yes as a number', { verified: 1 }],
    ['no', { verified: false }],
    ['without the way to it', { org: undefined }],
    ['at a way through a list', { org: [{ id: 7 }] }],
    ['at a way through text', { org: 'id' }],
    ['at a way that is written as one name', { org: undefined, 'org.id': 7 }],
  ])('is none that is %s', async (_, changes) => {
    expect(await ask(changes)).toBe('claim_mismatch')
  })

  test('is not found on what every object has', async () => {
    const odd = houseOf({ requiredClaims: [{ claim: ['toString', 'name'], value: 'toString' }] })
    expect(await codeFor(odd.guard, odd.token())).toBe('claim_mismatch')
  })
})

describe('the longest lifetime', () => {
  const now = (house: House): number => house.clock.now() / 1000

  test.each([
    ['its own', { maxLifetimeSeconds: 600 }, 600],
    ['a day, unless an issuer has its own', {}, 86_400],
  ])('is %s', async (_, options, longest) => {
    const house = houseOf(options)
    const ask = (iat: number, exp: number) => codeFor(house.guard, house.token({ iat, exp }))
    expect(await ask(now(house), now(house) + longest)).toBe('allow')
    expect(await ask(now(house), now(house) + longest + 1)).toBe('token_lifetime_excessive')
    // However little of it is left.
    expect(await ask(now(house) - longest, now(house) + 1)).toBe('token_lifetime_excessive')
  })

  test('is counted from now where the token does not say when it was issued', async () => {
    const house = houseOf({ profile: 'oauth', maxLifetimeSeconds: 600 })
    const ask = (exp: number) =>
      codeFor(house.guard, house.token({ iat: undefined, exp }, { typ: undefined }))
    expect(await ask(now(house) + 600)).toBe('allow')
    expect(await ask(now(house) + 601)).toBe('token_lifetime_excessive')
  })
})

describe('a function that says what a token represents', () => {
  const seen: unknown[] = []
  const houseThat = (represents: (claims: Members) => unknown): House =>
    houseOf({ represents: represents as NonNullable<IssuerOptions['represents']> })
  const { guard, token } = houseThat((claims) => {
    seen.push(claims)
    return claims['kind'] === 'machine' ? 'workload' : 'user'
  })

  test('is given the verified claims, which it cannot change', async () => {
    expect(await callerFor(guard, token({ kind: 'machine', sub: 'x' }))).toMatchObject({ user: undefined })
    expect((await callerFor(guard, token({ kind: 'person' }))).user?.id).toBe(`${issuer}#sub=checkout`)
    expect(seen.every((claims) => Object.isFrozen(claims))).toBe(true)
    const before = seen.length
    const forged = `${token({ kind: 'machine' }).slice(0, -6)}AAAAAA`
    expect(await codeFor(guard, forged)).toBe('signature_invalid')
    expect(seen).toHaveLength(before)
  })

  test.each([undefined, null, true, 'Workload', ['workload'], Promise.resolve('workload')])(
    'makes no workload by answering %j',
    async (answer) => {
      const house = houseThat(() => answer)
      expect((await callerFor(house.guard, house.token())).service).toBeUndefined()
    },
  )

  test('denies by failing', async () => {
    const house = houseThat(() => {
      throw new Error('of its own')
    })
    const { refusal, response } = await refusalOf(
      house.guard,
      requestWith(`Bearer ${house.token()}`),
      authenticated(),
    )
    expect(refusal.code).toBe('internal_error')
    expect(JSON.stringify([refusal, response])).not.toContain('of its own')
  })
})

describe('a function that tells access tokens apart', () => {
  const answering = (answer: () => unknown): House =>
    houseOf({ profile: 'oauth', isAccessToken: answer as () => boolean })

  test.each([undefined, null, 1, 'true', {}, Promise.resolve(true), false])(
    'says no by %j',
    async (answer) => {
      const house = answering(() => answer)
      expect(await codeFor(house.guard, house.token())).toBe('token_type_mismatch')
    },
  )

  test('says yes by true alone, whatever the token has', async () => {
    const house = answering(() => true)
    expect(await codeFor(house.guard, house.token({ client_id: undefined }))).toBe('allow')
  })

  test('denies by failing', async () => {
    const house = answering(() => {
      throw new Error('of its own')
    })
    expect(await codeFor(house.guard, house.token())).toBe('internal_error')
  })
})

describe('the client that a token was issued to', () => {
  const { guard, token } = houseOf({ profile: 'oauth' })
  const ask = (changes: Members) => codeFor(guard, token({ client_id: undefined, scope: '', ...changes }))

  test.each(['client_id', 'azp', 'appid', 'cid'])('may be named by `%s`', async (name) => {
    const caller = await callerFor(
      guard,
      token({ client_id: undefined, scope: '', sub: 'web', [name]: 'web' }),
    )
    expect(caller.id).toBe(`${issuer}#client=web`)
  })

  test('is the same wherever it is named', async () => {
    expect(await ask({ client_id: 'web', azp: 'web', cid: 'web' })).toBe('allow')
    expect(await ask({ client_id: 'web', azp: 'app' })).toBe('claim_malformed')
    expect(await ask({ appid: 'web', cid: 'app' })).toBe('claim_malformed')
  })

  test.each(['azp', 'appid', 'cid'])('is text in `%s`', async (name) => {
    for (const value of ['', null, 5, ['web'], {}]) {
      expect(await ask({ [name]: value }), JSON.stringify(value)).toBe('claim_malformed')
    }
  })

  test('is named by `client_id` alone in tokens of RFC 9068', async () => {
    const strict = houseOf({})
    expect(await codeFor(strict.guard, strict.token({ azp: 'app' }))).toBe('allow')
  })
})
