// For how long a guard goes on without asking again, when clocks and servers do what they should not.
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import {
  authenticated,
  createGuard,
  type FetchDocument,
  type Guard,
  type IssuerOptions,
} from '@countersign/core'
import { createTestClock } from '@countersign/testing'
import { afterAll, describe, expect, test } from 'vitest'
import { codeFor } from './support/asking.ts'
import { claimsAt, issuer } from './support/house.ts'
import { jsonDocument } from './support/network.ts'
import { createRawSigner } from './support/raw-signer.ts'

const clock = createTestClock()
const signer = createRawSigner('ES256')
const hour = 3600

const directory = mkdtempSync(join(tmpdir(), 'reviewer-'))
const bearerFile = join(directory, 'token')
writeFileSync(bearerFile, 'reviewer')
afterAll(() => rmSync(directory, { recursive: true }))

const introspecting: IssuerOptions = {
  issuer,
  introspection: {
    endpoint: `${issuer}/introspect`,
    clientId: 'orders',
    authentication: { method: 'client_secret_basic', secret: 'a-secret' },
  },
}

const sub = 'system:serviceaccount:shop:cart'

const reviewed: IssuerOptions = {
  issuer,
  profile: 'kubernetes',
  jwks: { keys: [{ ...signer.jwk, kid: 'key-1' }] },
  tokenReview: { apiServer: 'https://api.test', bearerFile },
}

function reviewOf(stands: boolean): object {
  const status = { authenticated: stands, audiences: ['orders'], user: { username: sub } }
  return { apiVersion: 'authentication.k8s.io/v1', kind: 'TokenReview', status }
}

const guardOf = (one: IssuerOptions, fetch: FetchDocument): Guard =>
  createGuard({ audience: 'orders', issuers: [one], log: false }, { clock, fetch })

describe('T32 an answer about a token, when the clock is set back', () => {
  const ask = async (guard: Guard, token: string) => codeFor(guard, token, authenticated(), connection)
  const connection = {}

  test('is not relied on for longer: the authorization server is asked again', async () => {
    let active = true
    const exp = clock.now() / 1000 + 12 * hour
    const guard = guardOf(introspecting, async () =>
      jsonDocument(
        active ? { active, aud: 'orders', sub: 'checkout', exp, token_type: 'Bearer' } : { active },
      ),
    )
    expect(await ask(guard, 'opaque')).toBe('allow')
    active = false
    expect(await ask(guard, 'opaque')).toBe('allow')
    clock.advance({ seconds: -hour })
    expect(await ask(guard, 'opaque')).toBe('token_inactive')
  })
  test('is not relied on for longer: the cluster is asked again', async () => {
    let stands = true
    const guard = guardOf(reviewed, async () => jsonDocument(reviewOf(stands)))
    const iat = clock.now() / 1000 - 2 * hour
    const account = { namespace: 'shop', serviceaccount: { name: 'cart' } }
    const claims = { ...claimsAt(clock), iat, exp: iat + 12 * hour, sub, 'kubernetes.io': account }
    const token = signer.jws({ alg: 'ES256', kid: 'key-1' }, claims)
    expect(await ask(guard, token)).toBe('allow')
    stands = false
    expect(await ask(guard, token)).toBe('allow')
    clock.advance({ seconds: -hour })
    expect(await ask(guard, token)).toBe('token_inactive')
  })
})

describe('T55 an answer', () => {
  const answer = (member: string) => async () => ({
    ...jsonDocument({}),
    octets: Buffer.from(
      `{"active":true,"aud":"orders","sub":"checkout","exp":${clock.now() / 1000 + hour},"token_type":"Bearer",${member}}`,
    ),
  })
  const nested = (depth: number) => `"x":${'['.repeat(depth)}${']'.repeat(depth)}`

  test('that is nested deeper than anybody writes is none, and nothing runs out of stack', async () => {
    expect(await codeFor(guardOf(introspecting, answer(nested(60))), 'opaque')).toBe('allow')
    expect(await codeFor(guardOf(introspecting, answer(nested(30_000))), 'opaque')).toBe(
      'introspection_malformed',
    )
  })

  test.each([
    ['of 64 KiB is read', 65_536, 'allow'],
    ['that is longer is not', 65_537, 'introspection_malformed'],
  ])('%s', async (_, bytes, code) => {
    const { length } = (await answer('"x":""')()).octets
    const filled = answer(`"x":"${'x'.repeat(bytes - length)}"`)
    expect(await codeFor(guardOf(introspecting, filled), 'opaque')).toBe(code)
  })
})
