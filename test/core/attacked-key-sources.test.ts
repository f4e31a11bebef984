// What would blind a key source, or have it believe somebody else.
import { createGuard, type FetchDocument } from '@countersign/core'
import { createTestClock } from '@countersign/testing'
import { afterEach, describe, expect, test, vi } from 'vitest'
import { PublishedKeys } from '../../packages/core/src/identity/trust/published-keys.ts'
import { codeFor } from './support/asking.ts'
import { claimsAt, issuer } from './support/house.ts'
import { openSite } from './support/issuer-site.ts'
import { createRawSigner } from './support/raw-signer.ts'

const clock = createTestClock()
const signer = createRawSigner('ES256')
const header = { alg: 'ES256', typ: 'at+jwt', kid: 'key-1' }

afterEach(() => {
  vi.unstubAllEnvs()
})

test('T31 who asks for a key while the source closes is answered', async () => {
  const fetch: FetchDocument = () => new Promise(() => undefined)
  const keys = new PublishedKeys({
    issuer,
    location: { kind: 'url', url: new URL(`${issuer}/keys`) },
    format: 'jwks',
    ca: undefined,
    bearer: undefined,
    maxStaleMs: 60_000,
    clock,
    fetch,
  })
  void keys.prepared()
  keys.close()
  expect(keys.find('ES256', 'key-1')).toMatchObject({ code: 'issuer_unavailable' })
})

describe('T30 the certificate of an issuer', () => {
  test('is verified also where the environment says that none has to be', async () => {
    vi.stubEnv('NODE_TLS_REJECT_UNAUTHORIZED', '0')
    await using site = await openSite(() => ({ '/keys': { keys: [{ ...signer.jwk, kid: 'key-1' }] } }))
    const jwksUri = `${site.origin}/keys`
    const guard = createGuard({ audience: 'orders', issuers: [{ issuer, jwksUri }], log: false }, { clock })
    expect(await codeFor(guard, signer.jws(header, claimsAt(clock)))).toBe('issuer_unavailable')
    expect(site.hits).toEqual([])
  })
})

describe('given keys', () => {
  test('are those that were given, whatever becomes of the object later', async () => {
    const jwk = { ...signer.jwk, kid: 'key-1' }
    const guard = createGuard(
      { audience: 'orders', issuers: [{ issuer, jwks: { keys: [jwk] } }], log: false },
      { clock },
    )
    const other = createRawSigner('ES256')
    Object.assign(jwk, other.jwk)
    expect(await codeFor(guard, other.jws(header, claimsAt(clock)))).toBe('signature_invalid')
    expect(await codeFor(guard, signer.jws(header, claimsAt(clock)))).toBe('allow')
  })
})
