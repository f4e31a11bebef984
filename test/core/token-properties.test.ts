// Whatever is written into a token, it is allowed for a reason or refused with a code: nothing throws, nothing is coerced.
import { refusals, type ProfileName, type RefusalCode } from '@countersign/core'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { parseAuthorization } from '../../packages/core/src/evidence/authorization.ts'
import { parseActors } from '../../packages/core/src/identity/token/actor-chain.ts'
import { parseConfirmation } from '../../packages/core/src/identity/token/confirmation.ts'
import { claimAt, readScopes } from '../../packages/core/src/identity/token/scope-claims.ts'
import { Refusal } from '../../packages/core/src/refusal.ts'
import { codeFor } from './support/asking.ts'
import { createHouse, issuer } from './support/house.ts'

const codesOfTokens = new Set(
  (Object.keys(refusals) as RefusalCode[]).filter((code) => {
    const entry = refusals[code]
    return 'error' in entry && entry.error === 'invalid_token' && entry.stage === 'identity'
  }),
)

const json = fc.jsonValue({ maxDepth: 4 })
const scopeToken = fc.string({
  unit: fc.constantFrom(...'!#$%&()*+,-./09:;<=>?@AZ[]^_`az{|}~'),
  minLength: 1,
})
const own = (value: unknown, name: string): unknown =>
  typeof value === 'object' && value !== null && Object.hasOwn(value, name)
    ? (value as Record<string, unknown>)[name] // has just been found there
    : undefined

describe('a confirmation', () => {
  const thumbprint = fc
    .uint8Array({ minLength: 32, maxLength: 32 })
    .map((octets) => Buffer.from(octets).toString('base64url'))
  const members = fc.record(
    {
      jkt: fc.oneof(thumbprint, json),
      'x5t#S256': fc.oneof(thumbprint, json),
      jwk: json,
      kid: fc.string(),
    },
    { requiredKeys: [] },
  )

  test('binds to every thumbprint that it names, or is refused; it is never passed over', () => {
    fc.assert(
      fc.property(fc.oneof(json, members), (cnf) => {
        const parsed = parseConfirmation(cnf)
        if (parsed instanceof Refusal) {
          return ['claim_malformed', 'confirmation_unsupported'].includes(parsed.code)
        }
        const bound = [parsed?.jkt, parsed?.certificateThumbprint]
        expect(bound).toEqual([own(cnf, 'jkt'), own(cnf, 'x5t#S256')])
        return bound.some((one) => one !== undefined)
      }),
      { numRuns: 1000 },
    )
  })

  test('takes any thumbprint of 32 octets in its one spelling', () => {
    fc.assert(
      fc.property(thumbprint, fc.constantFrom('', 'A', '='), (jkt, more) => {
        const parsed = parseConfirmation({ jkt: jkt + more })
        return more === '' ? !(parsed instanceof Refusal) && parsed?.jkt === jkt : parsed instanceof Refusal
      }),
    )
  })
})

describe('a chain of actors', () => {
  const actor = fc.record({ sub: fc.string({ minLength: 1 }), iss: fc.string() }, { requiredKeys: ['sub'] })

  test('is read from the outermost in, each qualified by its issuer', () => {
    fc.assert(
      fc.property(fc.array(actor, { minLength: 1, maxLength: 8 }), (chain) => {
        const act = chain.reduceRight<object | undefined>(
          (inner, one) => ({ ...one, ...(inner && { act: inner }) }),
          undefined,
        )
        const actors = parseActors(act, issuer)
        if (actors instanceof Refusal) return actors.code === 'actor_chain_too_deep' && chain.length > 5
        expect(actors.map(({ id }) => id)).toEqual(chain.map(({ sub, iss }) => `${iss ?? issuer}#sub=${sub}`))
        return chain.length <= 5
      }),
    )
  })

  test('of anything else is refused', () => {
    const anyActor: fc.Memo<unknown> = fc.memo((depth) =>
      fc.oneof(
        json,
        fc.record(
          { sub: json, iss: json, client_id: json, act: depth > 1 ? anyActor(depth - 1) : json },
          { requiredKeys: [] },
        ),
      ),
    )
    fc.assert(
      fc.property(anyActor(6), (act) => {
        const actors = parseActors(act, issuer)
        const codes = ['claim_malformed', 'actor_chain_too_deep']
        if (actors instanceof Refusal) return codes.includes(actors.code)
        return (
          actors.length > 0 && actors.every(({ subject }) => typeof subject === 'string' && subject !== '')
        )
      }),
      { numRuns: 1000 },
    )
  })
})

describe('scopes', () => {
  test('of text are those that were joined', () => {
    fc.assert(
      fc.property(fc.uniqueArray(scopeToken), (scopes) => {
        expect(readScopes({ scope: scopes.join(' ') }, [['scope']])).toMatchObject({ names: scopes })
        expect(readScopes({ roles: scopes }, [['roles']])).toMatchObject({ names: scopes })
      }),
    )
  })

  test('of anything else are scope tokens that stand there, or a refusal', () => {
    const path = fc.array(fc.constantFrom('scope', 'a', 'b', '0', '__proto__', 'length'), {
      minLength: 1,
      maxLength: 3,
    })
    const claims = fc.dictionary(
      fc.constantFrom('scope', 'a', 'b', '__proto__'),
      fc.oneof(json, fc.array(fc.oneof(scopeToken, fc.string())), fc.record({ a: json, b: json })),
    )
    fc.assert(
      fc.property(claims, path, (said, [first = 'a', ...rest]) => {
        const scopes = readScopes(said, [[first, ...rest]])
        if (scopes instanceof Refusal) return scopes.code === 'claim_malformed'
        const value = claimAt(said, [first, ...rest])
        const there: unknown[] = Array.isArray(value)
          ? value
          : (typeof value === 'string' ? value : '').split(' ')
        return scopes.names.every(
          (scope) => /^[\x21\x23-\x5B\x5D-\x7E]+$/.test(scope) && there.includes(scope),
        )
      }),
      { numRuns: 1000 },
    )
  })
})

test('an Authorization field is a token of one of two schemes, or refused', () => {
  const field = fc.oneof(
    fc.string({ unit: 'binary' }),
    fc
      .tuple(
        fc.constantFrom('Bearer', 'DPoP', 'bearer', 'dPoP', 'Basic', 'Bearer2', ''),
        fc.constantFrom('', ' ', '  ', '\t'),
        fc.string(),
      )
      .map((parts) => parts.join('')),
  )
  fc.assert(
    fc.property(field, (text) => {
      const presented = parseAuthorization(text)
      const [, scheme = '', rest = ''] = /^(bearer|dpop) +(.+)$/is.exec(text) ?? []
      if (presented instanceof Refusal) {
        const isOne = scheme !== '' && rest.replace(/^ +/, '') !== ''
        return (
          !isOne && ['authorization_malformed', 'authorization_scheme_unsupported'].includes(presented.code)
        )
      }
      return presented.scheme === scheme.toLowerCase() && presented.token === rest.replace(/^ +/, '')
    }),
    { numRuns: 2000 },
  )
})

describe.each<ProfileName>(['at+jwt', 'oauth', 'id-token', 'kubernetes'])(
  'a token of profile %s',
  (profile) => {
    const { guard, jws, header, claims, clock } = createHouse({
      issuerOptions: {
        profile,
        ...(profile === 'oauth' ? { scopeClaims: ['scope', 'roles', ['a', 'b']] } : {}),
      },
    })
    const now = clock.now() / 1000
    const names = [
      'iss',
      'sub',
      'aud',
      'exp',
      'iat',
      'nbf',
      'jti',
      'client_id',
      'azp',
      'scope',
      'roles',
      'a',
      'act',
      'cnf',
      'acr',
      'auth_time',
      'token_use',
      'kubernetes.io',
      '__proto__',
    ]
    const value = fc.oneof(
      json,
      fc.constantFrom('orders', ['orders'], issuer, 'checkout', now, now + 300, { jkt: 'x' }, { sub: 'x' }),
    )
    const changes = fc.dictionary(fc.constantFrom(...names), value, { maxKeys: 4 })

    test('is allowed or refused for what its claims say, whatever they are', async () => {
      await fc.assert(
        fc.asyncProperty(changes, fc.boolean(), async (changed, isMarked) => {
          const said = { ...claims(), ...changed }
          const code = await codeFor(guard, jws({ ...header, typ: isMarked ? 'at+jwt' : undefined }, said))
          if (code !== 'allow') {
            expect(codesOfTokens).toContain(code)
            return
          }
          expect([said['iss'], [said['aud']].flat()]).toEqual([issuer, expect.arrayContaining(['orders'])])
          expect(Number(said['exp'])).toBeGreaterThan(now - 30)
          expect(said['cnf']).toBeUndefined()
        }),
        { numRuns: 200 },
      )
    })

    test('is allowed or refused for what its header says, whatever that is', async () => {
      const members = fc.dictionary(
        fc.constantFrom('alg', 'typ', 'kid', 'crit', 'b64', 'jwk', 'jku', 'x5c', 'zip', 'cty', '__proto__'),
        json,
      )
      await fc.assert(
        fc.asyncProperty(members, async (changed) => {
          const code = await codeFor(guard, jws({ ...header, ...changed }, claims()))
          if (code !== 'allow') expect(codesOfTokens).toContain(code)
          else expect([changed['crit'], changed['b64']]).toEqual([undefined, undefined])
        }),
        { numRuns: 200 },
      )
    })
  },
)
