import { execFileSync } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { ConfigurationError } from '@countersign/core'
import { createTestClock } from '@countersign/testing'
import { describe, expect, test } from 'vitest'
import { checkedAtOnce } from '../../packages/core/src/identity/jws/signature-checks.ts'
import { parseDpop, type DpopOptions } from '../../packages/core/src/options/parse-dpop.ts'
import type { ProcessSurroundings } from '../../packages/core/src/options/several-processes.ts'
import { Refusal } from '../../packages/core/src/refusal.ts'
import { createProver } from './support/prover.ts'

const clock = createTestClock()
const alone: ProcessSurroundings = { isClusterWorker: false, isWorkerThread: false }

function parse(options: object, surroundings = alone, clockToleranceSeconds = 30) {
  const warnings: string[] = []
  const verifier = parseDpop(
    { externalUrl: 'https://api.example.com', ...options },
    {
      clock,
      checks: checkedAtOnce,
      clockToleranceSeconds,
      logger: { warn: (message) => warnings.push(message) },
      surroundings,
    },
  )
  return { verifier, warnings }
}

function mistake(options: object): ConfigurationError {
  try {
    parse(options)
  } catch (error) {
    if (error instanceof ConfigurationError) return error
    throw error
  }
  throw new Error('expected a ConfigurationError')
}

describe('a mistake in `dpop` is told with the option and what to write', () => {
  test.each([
    [
      { externalUrl: undefined },
      'dpop.externalUrl',
      /such as 'https:\/\/api.example.com\/orders-service', got a undefined/,
    ],
    [{ externalUrl: '' }, 'dpop.externalUrl', /such as 'https/],
    [{ externalUrl: 7 }, 'dpop.externalUrl', /got a number/],
    [{ externalUrl: [] }, 'dpop.externalUrl', /got an empty array/],
    [{ externalUrl: ['https://a.example', ''] }, 'dpop.externalUrl[1]', /such as 'https/],
    [{ externalUrl: 'api.example.com' }, 'dpop.externalUrl', /such as 'https/],
    [{ externalUrl: '/orders' }, 'dpop.externalUrl', /such as 'https/],
    [
      { externalUrl: 'https://api.example.com?a' },
      'dpop.externalUrl',
      /without query, fragment or user name/,
    ],
    [
      { externalUrl: 'https://api.example.com#a' },
      'dpop.externalUrl',
      /without query, fragment or user name/,
    ],
    [
      { externalUrl: 'https://me:secret@api.example.com' },
      'dpop.externalUrl',
      /without query, fragment or user name/,
    ],
    [
      { externalUrl: 'http://api.example.com' },
      'dpop.externalUrl',
      /expected https, got `http:\/\/api.example.com`/,
    ],
    [{ externalUrl: 'http://localhost.example.com' }, 'dpop.externalUrl', /expected https/],
    [{ externalUrl: 'http://127.0.0.1.example.com' }, 'dpop.externalUrl', /expected https/],
    [{ algorithms: [] }, 'dpop.algorithms', /expected some of RS256, /],
    [{ algorithms: 'ES256' }, 'dpop.algorithms', /expected an array of strings/],
    [{ algorithms: ['HS256'] }, 'dpop.algorithms', /expected some of RS256, /],
    [{ algorithms: ['ES256', 'none'] }, 'dpop.algorithms', /expected some of RS256, /],
    [{ algorithms: ['ML-DSA-65'] }, 'dpop.algorithms', /longer than the 8192 characters/],
    [{ algorithms: ['ES256', 'ML-DSA-87'] }, 'dpop.algorithms', /longer than the 8192 characters/],
    [{ windowSeconds: 0 }, 'dpop.windowSeconds', /from 1 to 300/],
    [{ windowSeconds: 301 }, 'dpop.windowSeconds', /from 1 to 300/],
    [{ windowSeconds: NaN }, 'dpop.windowSeconds', /from 1 to 300/],
    [{ windowSeconds: '60' }, 'dpop.windowSeconds', /from 1 to 300/],
    [{ nonces: 'yes' }, 'dpop.nonces', /expected an object/],
    [{ nonces: {} }, 'dpop.nonces.secret', /at least 32 random octets/],
    [{ nonces: { secret: 's'.repeat(31) } }, 'dpop.nonces.secret', /at least 32 random octets/],
    [{ nonces: { secret: Buffer.alloc(31) } }, 'dpop.nonces.secret', /at least 32 random octets/],
    [{ nonces: { secret: 32 } }, 'dpop.nonces.secret', /at least 32 random octets/],
    [
      { nonces: { secret: 's'.repeat(32), lifetimeSeconds: 9 } },
      'dpop.nonces.lifetimeSeconds',
      /from 10 to 3600/,
    ],
    [
      { nonces: { secret: 's'.repeat(32), lifetimeSeconds: 3601 } },
      'dpop.nonces.lifetimeSeconds',
      /from 10 to 3600/,
    ],
    [{ nonces: { secret: 's'.repeat(32), lifetime: 60 } }, 'dpop.nonces.lifetime', /there is no such option/],
    [{ replayStore: {} }, 'dpop.replayStore', /a method `add`, got an object/],
    [{ replayStore: null }, 'dpop.replayStore', /a method `add`, got null/],
    [{ replayStore: new Map() }, 'dpop.replayStore', /a method `add`/],
    [{ maxReplayEntries: 0 }, 'dpop.maxReplayEntries', /from 1 to/],
    [{ maxReplayEntries: Infinity }, 'dpop.maxReplayEntries', /from 1 to/],
    [{ maxReplayEntries: 9, replayStore: { add: () => true } }, 'dpop.maxReplayEntries', /or `replayStore`/],
    [{ required: 'yes' }, 'dpop.required', /expected true or false/],
    [{ window: 60 }, 'dpop.window', /there is no such option/],
  ])('%j', (options, option, message) => {
    const error = mistake(options)
    expect(error.option).toBe(option)
    expect(error.message).toMatch(message)
    expect(error.message).not.toMatch(/secret@|s{31}/)
  })

  test('options that are no object', () => {
    const context = { clock, checks: checkedAtOnce, clockToleranceSeconds: 30, logger: undefined }
    for (const options of [undefined, null, true, 'https://api.example.com', []]) {
      expect(() => parseDpop(options as unknown as DpopOptions, context)).toThrow(ConfigurationError)
    }
  })
})

describe('what is parsed', () => {
  const codeOf = async (
    options: object,
    claims: object = {},
    target = '/orders/7',
    tolerance = 30,
  ): Promise<string> => {
    const { verifier } = parse(options, alone, tolerance)
    const prover = await createProver({ now: clock.now, accessToken: 'token' })
    const proof = prover.proof({ ...claims })
    const verified = await verifier.verify(
      { proof, method: 'GET', target, connection: {} },
      'token',
      prover.jkt,
    )
    return verified instanceof Refusal ? verified.code : 'verified'
  }

  test.each([
    'http://localhost',
    'http://localhost:3000',
    'http://127.0.0.1:3000/shop',
    'http://127.1.2.3',
    'http://[::1]:3000',
    'https://api.example.com/',
    'HTTPS://API.EXAMPLE.COM:443/shop',
  ])('is the external URL %s', async (externalUrl) => {
    expect(await codeOf({ externalUrl }, { htu: `${externalUrl.replace(/\/$/, '')}/orders/7` })).toBe(
      'verified',
    )
    expect(await codeOf({ externalUrl }, { htu: 'https://another.example/orders/7' })).toBe(
      'dpop_proof_mismatch',
    )
  })

  test('are several external URLs', async () => {
    const externalUrl = ['https://a.example', 'https://b.example/shop']
    expect(await codeOf({ externalUrl }, { htu: 'https://a.example/orders/7' })).toBe('verified')
    expect(await codeOf({ externalUrl }, { htu: 'https://b.example/shop/orders/7' })).toBe('verified')
    expect(await codeOf({ externalUrl }, { htu: 'https://b.example/orders/7' })).toBe('dpop_proof_mismatch')
    expect(await codeOf({ externalUrl }, { htu: 'https://a.example/shop/orders/7' })).toBe(
      'dpop_proof_mismatch',
    )
  })

  test('T33 are no names that a caller chooses: a request line with a host in it is refused', async () => {
    for (const target of [
      'https://evil.example/orders/7',
      '//evil.example/orders/7',
      '/orders/7#',
      '@evil.example/',
    ]) {
      expect(await codeOf({}, { htu: 'https://evil.example/orders/7' }, target), target).toBe(
        'dpop_proof_mismatch',
      )
    }
  })

  test('are a window of 60 s and a tolerance of the guard’s, but at most 30 s', async () => {
    const now = clock.now() / 1000
    expect(await codeOf({}, { iat: now - 59 })).toBe('verified')
    expect(await codeOf({}, { iat: now - 60 })).toBe('dpop_proof_expired')
    expect(await codeOf({ windowSeconds: 300 }, { iat: now - 299 })).toBe('verified')
    expect(await codeOf({}, { iat: now + 31 }, undefined, 300)).toBe('dpop_proof_expired')
    expect(await codeOf({}, { iat: now + 30 }, undefined, 300)).toBe('verified')
    expect(await codeOf({}, { iat: now + 6 }, undefined, 5)).toBe('dpop_proof_expired')
    expect(await codeOf({}, { iat: now + 1 }, undefined, 0)).toBe('dpop_proof_expired')
  })

  test('are algorithms, for the verifier and for challenges', async () => {
    expect(parse({}).verifier.algorithms).toEqual(['ES256', 'ES384', 'Ed25519', 'EdDSA', 'PS256', 'RS256'])
    expect(parse({ algorithms: ['PS256', 'ES512'] }).verifier.algorithms).toEqual(['PS256', 'ES512'])
    expect(await codeOf({ algorithms: ['ES256'] })).toBe('verified')
    expect(await codeOf({ algorithms: ['ES384'] })).toBe('dpop_proof_malformed')
  })

  test('is whether tokens must be bound', () => {
    expect(parse({}).verifier.isRequired).toBe(false)
    expect(parse({ required: false }).verifier.isRequired).toBe(false)
    expect(parse({ required: true }).verifier.isRequired).toBe(true)
  })

  test('is how many proofs are remembered, beyond which nothing passes', async () => {
    const { verifier } = parse({ maxReplayEntries: 2 })
    const prover = await createProver({ now: clock.now, accessToken: 'token' })
    const codes: string[] = []
    for (let i = 0; i < 4; i += 1) {
      const verified = await verifier.verify(
        { proof: prover.proof(), method: 'GET', target: '/orders/7', connection: {} },
        'token',
        prover.jkt,
      )
      codes.push(verified instanceof Refusal ? verified.code : 'verified')
    }
    expect(codes).toEqual(['verified', 'verified', 'replay_store_unavailable', 'replay_store_unavailable'])
  })
})

describe('T34 a warning is written, once, where others answer for the same service', () => {
  const worker = { isClusterWorker: true, isWorkerThread: false }
  const thread = { isClusterWorker: false, isWorkerThread: true }
  const replayStore = { add: () => true }
  const secret = 's'.repeat(32)
  test.each([
    ['one process', {}, alone, undefined],
    ['one process with nonces', { nonces: true }, alone, undefined],
    ['a cluster worker', {}, worker, /^countersign: this is a cluster worker, .* write `dpop.replayStore`$/],
    ['a worker thread', {}, thread, /^countersign: this is a worker thread, .* write `dpop.replayStore`$/],
    ['a cluster worker with a shared secret', { nonces: { secret } }, worker, /`dpop.replayStore`$/],
    ['a cluster worker with a shared store', { replayStore }, worker, undefined],
    ['a cluster worker with its own nonces', { nonces: true }, worker, /write `dpop.nonces: { secret }`$/],
    [
      'a worker thread with its own nonces and a shared store',
      { nonces: true, replayStore },
      thread,
      /`dpop.nonces: /,
    ],
    ['a cluster worker that shares all', { nonces: { secret }, replayStore }, worker, undefined],
  ])('%s', (_, options, surroundings, warning) => {
    const { warnings } = parse(options, surroundings)
    expect(warnings).toEqual(warning === undefined ? [] : [expect.stringMatching(warning)])
  })

  test.each([
    ['alone', alone],
    ['cluster', worker],
    ['thread', thread],
  ])('which Node is asked for: %s', (wanted, surroundings) => {
    const program = fileURLToPath(new URL('support/tell-surroundings.ts', import.meta.url))
    const told = execFileSync(process.execPath, [program, wanted], { encoding: 'utf8' })
    expect(JSON.parse(told)).toEqual(surroundings)
  })
})
