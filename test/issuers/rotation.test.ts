// An issuer changes its keys while it is called upon: nobody with a good token is refused, and an old key ends in time.
import { createTestClock } from '@countersign/testing'
import { afterAll, describe, expect, test } from 'vitest'
import { Load, tell } from './support/load.ts'
import { OAuthClient } from './support/oauth-client.ts'
import { orders } from './support/provider.ts'
import { RealIssuer } from './support/real-issuer.ts'
import { startService } from './support/service.ts'

const stepSeconds = 30
/** The issuer says nothing of how long its keys are good. Then they are taken for good for five minutes. */
const refreshSeconds = 300

const closing: (() => Promise<void>)[] = []
afterAll(async () => {
  for (const close of closing) await close()
})

/** A service under load, whose time goes by as the test says. */
async function startHouse() {
  const issuer = await RealIssuer.start()
  const clock = createTestClock(new Date())
  const trust = { audience: orders, issuers: [issuer.trusted] } as const
  const service = await startService(trust, { environment: { clock } })
  const load = new Load(service, 4)
  closing.push(async () => {
    load.close()
    await service.close()
    await issuer.close()
  })
  const client = new OAuthClient(issuer, { id: 'checkout' })
  const newToken = (): Promise<string> => client.token({ resource: orders, scope: 'orders:read' })

  let atHand = await newToken()
  /** Everybody calls at every step, with a token that is known and with one that was just issued. */
  async function pass(seconds: number): Promise<void> {
    for (let passed = 0; passed < seconds; passed += stepSeconds) {
      clock.advance({ seconds: stepSeconds })
      const fresh = await newToken()
      await load.round([atHand, fresh])
      atHand = fresh
    }
  }
  const timesAskedForKeys = (): number => issuer.asked.filter((path) => path === '/jwks').length
  return { issuer, service, load, newToken, pass, timesAskedForKeys }
}

describe('under load, nobody with a good token is refused', () => {
  test('when a key signs that was published long enough before, and nobody has to wait for it', async () => {
    const { issuer, load, newToken, pass, timesAskedForKeys } = await startHouse()
    await pass(stepSeconds)
    await issuer.publishKey('key-2')
    await pass(refreshSeconds)
    const before = timesAskedForKeys()
    issuer.signWith('key-2')
    await load.round([await newToken(), await newToken()])
    expect(timesAskedForKeys()).toBe(before)
    await pass(2 * stepSeconds)
    expect(load.figures.refusals).toEqual({})
    tell('rotation', load.figures, issuer.asked)
  })

  test('when a key signs that nobody has seen before', async () => {
    const { issuer, load, newToken, pass, timesAskedForKeys } = await startHouse()
    await pass(2 * stepSeconds)
    const before = timesAskedForKeys()
    await issuer.publishKey('key-2')
    issuer.signWith('key-2')
    await load.round([await newToken(), await newToken()])
    expect(timesAskedForKeys()).toBe(before + 1)
    await pass(2 * stepSeconds)
    expect(load.figures.refusals).toEqual({})
    tell('rotation without notice', load.figures, issuer.asked)
  })

  test('when an old key is withdrawn; and its tokens are refused within one refresh interval', async () => {
    const { issuer, service, load, newToken, pass } = await startHouse()
    const headers = { authorization: `Bearer ${await newToken()}` }
    const codeOfOld = async (): Promise<string> => (await service.call('/orders', { headers })).code
    await issuer.publishKey('key-2')
    issuer.signWith('key-2')
    await pass(2 * stepSeconds)
    expect(await codeOfOld()).toBe('allow')

    issuer.withdrawKey('key-1')
    let seconds = 0
    while (seconds < 2 * refreshSeconds && (await codeOfOld()) === 'allow') {
      await pass(stepSeconds)
      seconds += stepSeconds
    }
    expect(await codeOfOld()).toBe('key_unknown')
    expect(seconds).toBeLessThanOrEqual(refreshSeconds)
    expect(load.figures.refusals).toEqual({})
    tell(`withdrawal, which took ${seconds} s on the service's clock`, load.figures, issuer.asked)
  })
})
