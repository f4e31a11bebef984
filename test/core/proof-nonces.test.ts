import { createTestClock } from '@countersign/testing'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { checkedAtOnce } from '../../packages/core/src/identity/jws/signature-checks.ts'
import { NonceSource } from '../../packages/core/src/identity/proof/nonce-source.ts'
import { parseDpop, type DpopOptions } from '../../packages/core/src/options/parse-dpop.ts'
import { Refusal } from '../../packages/core/src/refusal.ts'
import { createProver } from './support/prover.ts'

const key = Buffer.alloc(32, 7)
const start = Date.UTC(2030, 0, 1)
const lifetimeMs = 300_000

describe('a nonce', () => {
  const source = new NonceSource(key, 300)

  test('is made of characters that may stand in a field, and long enough not to be guessed', () => {
    // NQCHAR of RFC 9449 §8.1. Eight octets of time, 32 of the key's.
    expect(source.current(start)).toMatch(/^[\x21\x23-\x5B\x5D-\x7E]{54}$/)
  })

  test('is the same for one lifetime, and another in each', () => {
    const nonces = [0, 1, lifetimeMs - 1, lifetimeMs, 2 * lifetimeMs - 1, 2 * lifetimeMs]
    const [a, b, c, d, e, f] = nonces.map((passed) => source.current(start + passed))
    expect([b, c]).toEqual([a, a])
    expect(e).toBe(d)
    expect(new Set([a, d, f]).size).toBe(3)
  })

  test('is accepted for its own lifetime and the next one, and neither before nor after', () => {
    const nonce = source.current(start)
    expect(source.accepts(nonce, start)).toBe(true)
    expect(source.accepts(nonce, start + 2 * lifetimeMs - 1)).toBe(true)
    expect(source.accepts(nonce, start + 2 * lifetimeMs)).toBe(false)
    expect(source.accepts(nonce, start - 1)).toBe(false)
  })

  test('is accepted again where the clock goes back to its lifetime', () => {
    const nonce = source.current(start)
    expect(source.accepts(nonce, start + 10 * lifetimeMs)).toBe(false)
    expect(source.accepts(nonce, start)).toBe(true)
  })

  test('is one for all who share the key, and for nobody else', () => {
    const nonce = source.current(start)
    expect(new NonceSource(key, 300).accepts(nonce, start)).toBe(true)
    expect(new NonceSource(Buffer.alloc(32, 8), 300).accepts(nonce, start)).toBe(false)
  })

  test('says nothing of the next one', () => {
    const [time] = [Buffer.from(source.current(start), 'base64url')]
    const next = Buffer.from(source.current(start + lifetimeMs), 'base64url')
    expect(next.subarray(0, 8)).not.toEqual(time.subarray(0, 8))
    // The rest of one under the time of another is none.
    const forged = Buffer.concat([next.subarray(0, 8), time.subarray(8)]).toString('base64url')
    expect(source.accepts(forged, start + lifetimeMs)).toBe(false)
  })

  test('is none with any character changed, added or taken away', () => {
    const nonce = source.current(start)
    fc.assert(
      fc.property(fc.nat(nonce.length - 1), fc.string({ unit: 'binary', maxLength: 2 }), (at, text) => {
        const changed = `${nonce.slice(0, at)}${text}${nonce.slice(at + 1)}`
        fc.pre(changed !== nonce)
        expect(source.accepts(changed, start)).toBe(false)
      }),
      { numRuns: 500 },
    )
    for (const other of ['', nonce.slice(1), `${nonce}=`, `${nonce}A`, nonce.toLowerCase()]) {
      expect(source.accepts(other, start)).toBe(false)
    }
  })
})

describe('a verifier that asks for nonces', () => {
  const secret = 's'.repeat(32)
  const clock = createTestClock()
  const createVerifier = (nonces: DpopOptions['nonces'], its = clock) =>
    parseDpop(
      { externalUrl: 'https://api.example.com', ...(nonces === undefined ? {} : { nonces }) },
      { clock: its, checks: checkedAtOnce, clockToleranceSeconds: 30, logger: undefined },
    )

  async function createScene(nonces: DpopOptions['nonces']) {
    const own = createTestClock()
    const prover = await createProver({ now: own.now, accessToken: 'token' })
    const verifier = createVerifier(nonces, own)
    const codeOf = async (nonce?: string, claims: object = {}): Promise<string> => {
      const proof = prover.proof({ ...claims, nonce })
      const verified = await verifier.verify(
        { proof, method: 'GET', target: '/orders/7', connection: {} },
        'token',
        prover.jkt,
      )
      return verified instanceof Refusal ? verified.code : 'verified'
    }
    const fresh = () => verifier.freshNonce(own.now()) ?? ''
    return { clock: own, prover, verifier, codeOf, fresh }
  }

  test.each([true, { secret }])('accepts none without (%j)', async (nonces) => {
    const { codeOf, fresh, clock: own } = await createScene(nonces)
    expect(await codeOf()).toBe('dpop_nonce_required')
    expect(await codeOf('made up')).toBe('dpop_nonce_required')
    const nonce = fresh()
    expect(await codeOf(nonce)).toBe('verified')
    expect(await codeOf(nonce)).toBe('verified')
    own.advance({ seconds: 300 })
    expect(await codeOf(nonce)).toBe('verified')
    own.advance({ seconds: 300 })
    expect(await codeOf(nonce)).toBe('dpop_nonce_required')
    expect(await codeOf(fresh())).toBe('verified')
  })

  test('still refuses what is old, and what was used', async () => {
    const { codeOf, fresh, clock: own } = await createScene(true)
    expect(await codeOf(fresh(), { iat: own.now() / 1000 - 60 })).toBe('dpop_proof_expired')
    expect(await codeOf(fresh(), { jti: 'one' })).toBe('verified')
    for (let passed = 0; passed < 59; passed += 1) {
      own.advance({ seconds: 1 })
      const iat = own.now() / 1000 - passed - 1
      expect(await codeOf(fresh(), { jti: 'one', iat })).toBe('dpop_proof_replayed')
    }
  })

  test('agrees with all that share its secret, and with no other', () => {
    const now = clock.now()
    const nonce = createVerifier({ secret }).freshNonce(now)
    expect(nonce).toBeDefined()
    expect(createVerifier({ secret: Buffer.from(secret) }).freshNonce(now)).toBe(nonce)
    expect(createVerifier({ secret: 't'.repeat(32) }).freshNonce(now)).not.toBe(nonce)
    expect(createVerifier(true).freshNonce(now)).not.toBe(createVerifier(true).freshNonce(now))
  })

  test('uses a key of its own: not the secret, nor what the lifetime makes of it', () => {
    const nonce = createVerifier({ secret }).freshNonce(clock.now())
    expect(new NonceSource(Buffer.from(secret), 300).current(clock.now())).not.toBe(nonce)
  })

  test('gives out others as often as it is told', () => {
    const verifier = createVerifier({ secret, lifetimeSeconds: 10 })
    expect(verifier.freshNonce(start)).toBe(verifier.freshNonce(start + 9999))
    expect(verifier.freshNonce(start)).not.toBe(verifier.freshNonce(start + 10_000))
  })

  test('gives out none where it asks for none', async () => {
    for (const nonces of [undefined, false]) {
      const { verifier, codeOf, clock: own } = await createScene(nonces)
      expect(verifier.freshNonce(own.now())).toBeUndefined()
      expect(await codeOf()).toBe('verified')
    }
  })
})
