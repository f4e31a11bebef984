// RFC 8693: a service calls the next one for a user, with a token that says so, issued by a real authorization server.
import { afterAll, describe, expect, test } from 'vitest'
import { tokenExchange } from './support/clients.ts'
import { logIn } from './support/log-in.ts'
import { OAuthClient } from './support/oauth-client.ts'
import { orders } from './support/provider.ts'
import { RealIssuer } from './support/real-issuer.ts'
import { startService } from './support/service.ts'

const issuer = await RealIssuer.start()
const service = await startService({ audience: orders, issuers: [issuer.trusted] })
afterAll(async () => {
  await service.close()
  await issuer.close()
})
const { access_token: ofAlice } = await logIn(issuer, { resource: orders, scope: 'orders:read orders:write' })

/** What a service gets for a token that it was called with. */
async function exchanged(id: string, subjectToken: string, scope = 'orders:read'): Promise<string> {
  return new OAuthClient(issuer, { id }).token({
    grant_type: tokenExchange,
    subject_token: subjectToken,
    subject_token_type: 'urn:ietf:params:oauth:token-type:access_token',
    resource: orders,
    scope,
  })
}

async function called(token: string, path = '/orders') {
  const answer = await service.call(path, { headers: { authorization: `Bearer ${token}` } })
  return { code: answer.code, caller: JSON.parse(answer.body) as unknown }
}

describe('a token that a service exchanged', () => {
  test('names the user, the service that acts, and that it acts', async () => {
    const { caller } = await called(await exchanged('gateway', ofAlice))
    expect(caller).toMatchObject({
      user: `${issuer.issuer}#sub=alice`,
      service: `${issuer.issuer}#client=gateway`,
      actors: [`${issuer.issuer}#sub=gateway`],
    })
  })

  test('names those who acted before, for the record, behind the one who acts now', async () => {
    const { caller } = await called(await exchanged('basket', await exchanged('gateway', ofAlice)))
    expect(caller).toMatchObject({
      user: `${issuer.issuer}#sub=alice`,
      service: `${issuer.issuer}#client=basket`,
      actors: [`${issuer.issuer}#sub=basket`, `${issuer.issuer}#sub=gateway`],
    })
  })

  test('carries what it was narrowed to, and no more', async () => {
    const { caller } = await called(await exchanged('gateway', ofAlice, 'orders:write'), '/whoami')
    expect(caller).toMatchObject({ scopes: ['orders:write'] })
    expect((await called(await exchanged('gateway', ofAlice, 'orders:write'))).code).toBe('scope_missing')
  })

  test('is refused when it was handed on more often than can be told apart', async () => {
    let token = ofAlice
    for (let i = 0; i < 6; i += 1) token = await exchanged(i % 2 === 0 ? 'gateway' : 'basket', token)
    expect((await called(token)).code).toBe('actor_chain_too_deep')
  })
})
