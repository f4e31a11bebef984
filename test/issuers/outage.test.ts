// An issuer is gone, its port refuses: who has a good token is served all the same, and all is well again by itself.
import { createTestClock } from '@countersign/testing'
import { afterAll, describe, expect, test } from 'vitest'
import { Load, tell } from './support/load.ts'
import { OAuthClient } from './support/oauth-client.ts'
import { orders } from './support/provider.ts'
import { RealIssuer } from './support/real-issuer.ts'
import { startService } from './support/service.ts'

const closing: (() => Promise<void>)[] = []
afterAll(async () => {
  for (const close of closing) await close()
})

async function startHouse(options: { readonly maxStaleSeconds?: number } = {}) {
  const issuer = await RealIssuer.start()
  const clock = createTestClock(new Date())
  const trust = { audience: orders, issuers: [{ ...issuer.trusted, ...options }] } as const
  const service = await startService(trust, { environment: { clock } })
  const load = new Load(service, 4)
  closing.push(async () => {
    load.close()
    await service.close()
    await issuer.close()
  })
  const client = new OAuthClient(issuer, { id: 'checkout' })
  const newToken = (): Promise<string> => client.token({ resource: orders, scope: 'orders:read' })
  const state = async (): Promise<string | undefined> => (await service.guard.ready()).issuers[0]?.status
  return { issuer, clock, service, load, newToken, state }
}

describe('an issuer that is down', () => {
  test('for twenty minutes under load: no good call is refused', async () => {
    const { issuer, clock, load, newToken, state } = await startHouse()
    const known = await newToken()
    const neverShown = await Promise.all(Array.from({ length: 40 }, newToken))
    await load.round([known])
    await issuer.kill()
    await expect(newToken()).rejects.toThrow('ECONNREFUSED')

    const states = new Set<string | undefined>()
    for (const token of neverShown) {
      clock.advance({ seconds: 30 })
      await load.round([known, token])
      states.add(await state())
    }
    expect(load.figures).toMatchObject({ calls: 4 + 4 * 2 * neverShown.length, refusals: {} })
    expect([...states]).toEqual(['fresh', 'stale'])

    // It comes back with another key: that one is trusted, and nobody had to tell the service.
    await issuer.revive()
    await issuer.publishKey('key-2')
    issuer.signWith('key-2')
    clock.advance({ seconds: 60 })
    await load.round([known, await newToken()])
    expect(load.figures.refusals).toEqual({})
    expect(await state()).toBe('fresh')
    tell('outage', load.figures, issuer.asked)
  })

  test('when the service starts: it starts, says that it cannot tell, and serves when the issuer is there', async () => {
    const { issuer, clock, service, load, newToken, state } = await startHouse()
    const token = await newToken()
    await issuer.kill()
    expect(await load.call(0, token)).toBe('issuer_unavailable')
    const { status, headers } = await service.call('/orders', {
      headers: { authorization: `Bearer ${token}` },
    })
    expect({ status, retryAfter: headers['retry-after'] }).toEqual({ status: 503, retryAfter: '2' })
    expect(await service.guard.ready()).toMatchObject({ ready: false })
    expect(await state()).toBe('waiting')

    await issuer.revive()
    clock.advance({ seconds: 60 })
    expect(await load.call(0, token)).toBe('allow')
    expect(await service.guard.ready()).toMatchObject({ ready: true })
  })

  test('for longer than its keys may serve: good tokens are refused as unavailable, not as bad', async () => {
    const { issuer, clock, load, newToken, state } = await startHouse({ maxStaleSeconds: 600 })
    const token = await newToken()
    expect(await load.call(0, token)).toBe('allow')
    await issuer.kill()
    clock.advance({ seconds: 800 })
    expect(await load.call(0, token)).toBe('allow')
    clock.advance({ seconds: 200 })
    expect(await load.call(0, token)).toBe('issuer_unavailable')
    expect(await state()).toBe('expired')
  })
})
