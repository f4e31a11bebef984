import { scopes, type Guard } from '@countersign/core'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { codeOf } from './support/asking.ts'
import { issuer } from './support/house.ts'
import { ask, checkout, guardOf, tokenOf, type Credentials } from './support/parties.ts'

describe('for any grants and scopes', () => {
  const alice = `${issuer}#sub=alice`
  const resources = ['orders', 'invoices']
  const actions = ['read', 'write', 'delete']
  const asked = resources.flatMap((resource) => actions.map((action) => `${resource}:${action}`))
  const scope = fc.constantFrom(...asked)
  const grant = fc.constantFrom(...asked, ...resources.map((resource) => `${resource}:*`))
  const world = fc.record({
    token: fc.uniqueArray(scope),
    service: fc.uniqueArray(grant),
    user: fc.uniqueArray(grant),
    client: fc.uniqueArray(grant),
  })
  type World = typeof world extends fc.Arbitrary<infer W> ? W : never

  const guardFor = ({ service, user, client }: World): Guard =>
    guardOf(
      { represents: 'auto' },
      { [checkout.spiffeId]: service, [alice]: user, [`${issuer}#client=checkout`]: client },
    )
  const userToken = ({ token }: World): string => tokenOf({ sub: 'alice', scope: token.join(' ') })
  const ownToken = ({ token }: World): string =>
    tokenOf({ spiffe_id: checkout.spiffeId, scope: token.join(' ') })

  /** What passes `scopes(…)`, of all that can be asked. */
  async function allowed(guard: Guard, credentials: Credentials): Promise<readonly string[]> {
    const decisions = await Promise.all(
      asked.map(async (name) => [name, codeOf(await ask(guard, credentials, scopes(name)))] as const),
    )
    return decisions.filter(([, code]) => code === 'allow').map(([name]) => name)
  }

  const expectNoMore = (less: readonly string[], more: readonly string[]): void => {
    expect(less.filter((name) => !more.includes(name))).toEqual([])
  }

  const holds = (check: (world: World) => Promise<void>) =>
    fc.assert(fc.asyncProperty(world, check), { numRuns: 60 })

  test('a token never gives what it does not say, nor what policy does not grant', async () => {
    await holds(async (random) => {
      const guard = guardFor(random)
      const covers = (grants: readonly string[], name: string): boolean =>
        grants.includes(name) || grants.includes(`${name.split(':')[0]}:*`)
      const both = random.token.filter((name) => covers(random.service, name) && covers(random.user, name))
      expect(new Set(await allowed(guard, { token: userToken(random), svid: checkout }))).toEqual(
        new Set(both),
      )
      const own = random.token.filter((name) => covers(random.service, name))
      expect(new Set(await allowed(guard, { token: ownToken(random) }))).toEqual(new Set(own))
      const users = random.token.filter((name) => covers(random.user, name) && covers(random.client, name))
      expect(new Set(await allowed(guard, { token: userToken(random) }))).toEqual(new Set(users))
    })
  })

  test('what two credentials give is never added up', async () => {
    await holds(async (random) => {
      const guard = guardFor(random)
      const both = await allowed(guard, { token: userToken(random), svid: checkout })
      expectNoMore(both, random.token)
      expectNoMore(both, await allowed(guard, { svid: checkout }))
    })
  })

  test('leaving out the certificate beside a token of the same service never yields more', async () => {
    await holds(async (random) => {
      const guard = guardFor(random)
      const token = ownToken(random)
      expectNoMore(await allowed(guard, { token }), await allowed(guard, { token, svid: checkout }))
    })
  })

  test('a user’s token without a certificate gives nothing that its client is not granted', async () => {
    await holds(async (random) => {
      const guard = guardFor({ ...random, client: [] })
      expect(await allowed(guard, { token: userToken(random) })).toEqual([])
    })
  })

  test('a certificate alone gives what policy grants its service, and nothing of what it grants a user', async () => {
    await holds(async (random) => {
      const guard = guardFor(random)
      const granted = asked.filter(
        (name) => random.service.includes(name) || random.service.includes(`${name.split(':')[0]}:*`),
      )
      expect(new Set(await allowed(guard, { svid: checkout }))).toEqual(new Set(granted))
    })
  })

  test('leaving out every credential yields nothing', async () => {
    await holds(async (random) => {
      expect(await allowed(guardFor(random), {})).toEqual([])
    })
  })

  test('a user to whom policy grants nothing has nothing, whatever the token says and whoever carries it', async () => {
    await holds(async (random) => {
      const guard = guardFor({ ...random, user: [] })
      expect(await allowed(guard, { token: userToken(random) })).toEqual([])
      expect(await allowed(guard, { token: userToken(random), svid: checkout })).toEqual([])
    })
  })
})
