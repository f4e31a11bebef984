// In real time: an issuer is killed for a minute under load, and changes its keys before and after.
import { setTimeout as wait } from 'node:timers/promises'
import { afterAll, expect, test } from 'vitest'
import { tell } from '../issuers/support/load.ts'
import { OAuthClient } from '../issuers/support/oauth-client.ts'
import { orders } from '../issuers/support/provider.ts'
import { startService } from '../issuers/support/service.ts'
import { IssuerProcess } from './support/issuer-process.ts'
import { SteadyLoad } from './support/steady-load.ts'

const outageSeconds = 60
/** So short that the keys should have been fetched anew during the outage, and cannot be. */
const maxAgeSeconds = 60

const issuer = await IssuerProcess.start(maxAgeSeconds)
const service = await startService({ audience: orders, issuers: [{ issuer: issuer.issuer, ca: issuer.ca }] })
afterAll(async () => {
  await service.close()
  await issuer.close()
})
const client = new OAuthClient(issuer, { id: 'checkout' })
const newToken = (): Promise<string> => client.token({ resource: orders, scope: 'orders:read' })
const state = async (): Promise<string | undefined> => (await service.guard.ready()).issuers[0]?.status

test('nobody with a good token is refused', async () => {
  const load = await SteadyLoad.start(service, newToken)
  const ofFirstKey = await newToken()
  await wait(2000)

  await issuer.publishKey('key-2')
  await issuer.signWith('key-2')
  await wait(3000)

  const neverShown = await Promise.all(Array.from({ length: outageSeconds }, newToken))
  await issuer.kill()
  await expect(newToken()).rejects.toThrow('ECONNREFUSED')
  const states = new Set<string | undefined>()
  for (const token of neverShown) {
    await wait(1000)
    expect(await load.call(token)).toBe('allow')
    states.add(await state())
  }
  expect([...states]).toEqual(['fresh', 'stale'])

  await issuer.revive()
  await wait(2000)
  expect(await load.call(ofFirstKey)).toBe('allow')
  await issuer.publishKey('key-3')
  await issuer.signWith('key-3')
  await issuer.withdrawKey('key-1')
  await wait(4000)
  await load.end()

  const figures = load.figures
  tell(`killed for ${outageSeconds} s, two rotations`, figures, issuer.asked)
  expect(figures.refusals).toEqual({})
  expect(figures.calls).toBeGreaterThan(5000)
  expect(await state()).toBe('fresh')
  const headers = { authorization: `Bearer ${ofFirstKey}` }
  expect((await service.call('/orders', { headers })).code).toBe('key_unknown')
})
