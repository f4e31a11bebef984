// What a token costs before its signature is known to be right is what a stranger can have done: sizes first, then the signature, and only
// then whatever it says.
import { createHook } from 'node:async_hooks'
import { setImmediate as nextTurn } from 'node:timers/promises'
import { authenticated, createGuard, type Decision, type Guard, type GuardOptions } from '@countersign/core'
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import { KnownHeaders } from '../../packages/core/src/identity/jws/known-headers.ts'
import { verifyToken } from '../../packages/core/src/identity/token/verify-token.ts'
import { parseOptions } from '../../packages/core/src/options/parse-options.ts'
import { Refusal } from '../../packages/core/src/refusal.ts'
import { codeFor, codeOf, requestWith } from './support/asking.ts'
import { createHouse, issuer } from './support/house.ts'
import { createRawSigner, segment } from './support/raw-signer.ts'

beforeEach(() => nextTurn())
afterEach(() => {
  vi.restoreAllMocks()
})

const { clock, signer, header, claims, token } = createHouse()
const stranger = createRawSigner()

/** One for which the key is ready. */
async function readyGuard(signatures: GuardOptions['signatures']): Promise<Guard> {
  const jwks = { keys: [{ ...signer.jwk, kid: 'key-1' }] }
  const guard = createGuard(
    { audience: 'orders', issuers: [{ issuer, jwks }], log: false, ...(signatures && { signatures }) },
    { clock },
  )
  expect(await codeFor(guard, token())).toBe('allow')
  await nextTurn()
  return guard
}

/** What is handed to `JSON.parse` from here on, as far as it stands in one of these texts. */
function parsedOf(...texts: readonly string[]): readonly string[] {
  const parsed: string[] = []
  const parse = JSON.parse.bind(JSON)
  vi.spyOn(JSON, 'parse').mockImplementation((json: string, reviver) => {
    if (texts.some((one) => one.includes(json))) parsed.push(json)
    return parse(json, reviver)
  })
  return parsed
}

/** How often base64url is decoded from here on. */
function decodingsFromHere(): () => number {
  const { calls } = vi.spyOn(Buffer, 'from').mock
  return () => calls.filter((given: readonly unknown[]) => given[1] === 'base64url').length
}

const text = JSON.stringify(claims())
const nested = (depth: number): string => `${'['.repeat(depth)}${']'.repeat(depth)}`

describe.each(['native', 'webcrypto'] as const)('by %s', (signatures) => {
  test.each([
    ['claims', text],
    ['claims nested as far as is read', text.replace('{', `{"x":${nested(60)},`)],
    ['claims nested deeper', text.replace('{', `{"x":${nested(1000)},`)],
    ['as many values as are read', text.replace('{', `{"x":[${'0,'.repeat(480)}0],`)],
    ['more values', text.replace('{', `{"x":[${'0,'.repeat(2000)}0],`)],
    ['a long text', text.replace('{', `{"x":"${'x'.repeat(5000)}",`)],
    ['no JSON', `{"iss":"${issuer}",${'x'.repeat(2000)}`],
  ])('%s under a wrong signature are never parsed', async (_, payload) => {
    const guard = await readyGuard(signatures)
    const forged = stranger.jws(header, payload)
    const parsed = parsedOf(payload, JSON.stringify(header))
    expect(['signature_invalid', 'token_malformed']).toContain(await codeFor(guard, forged))
    // Not even the header is, which is known.
    expect(parsed).toEqual([])
  })

  test('of a header that is not known, the header alone is parsed', async () => {
    const guard = await readyGuard(signatures)
    const other = { ...header, note: 'another' }
    const forged = stranger.jws(other, text)
    const parsed = parsedOf(text, JSON.stringify(other))
    expect(await codeFor(guard, forged)).toBe('signature_invalid')
    expect(parsed).toEqual([JSON.stringify(other)])
  })

  test('claims under the right signature are parsed once, when it is known to be right', async () => {
    const guard = await readyGuard(signatures)
    const good = signer.jws(header, text)
    const parsed = parsedOf(text, JSON.stringify(header))
    const decision = guard.decide(requestWith(`Bearer ${good}`), authenticated())
    expect(parsed).toEqual(signatures === 'native' ? [text] : [])
    expect(codeOf(await decision)).toBe('allow')
    expect(parsed).toEqual([text])
  })

  test('T55 what is too long is refused before anything is decoded', async () => {
    const guard = await readyGuard(signatures)
    const tooLong = [
      token({ note: 'x'.repeat(9000) }),
      `${segment(header)}.${'A'.repeat(8192)}`,
      'a.'.repeat(5000),
      'x'.repeat(1_000_000),
    ]
    const decodings = decodingsFromHere()
    for (const long of tooLong) expect(await codeFor(guard, long)).toBe('token_oversized')
    expect(decodings()).toBe(0)
    // So it would have been seen.
    await codeFor(guard, token())
    expect(decodings()).toBeGreaterThan(0)
  })
})

describe('a token that was never seen before', () => {
  test.each(['RS256', 'PS256', 'ES256', 'Ed25519'] as const)(
    'is decided about without a promise: %s',
    async (alg) => {
      const house = createHouse({ alg })
      expect(await codeFor(house.guard, house.token())).toBe('allow')
      await nextTurn()
      const requests = [house.token(), `${house.token().slice(0, -8)}AAAAAAAA`].map((each) =>
        requestWith(`Bearer ${each}`),
      )
      const decisions: (Decision | Promise<Decision>)[] = []
      const made: string[] = []
      const hook = createHook({ init: (_id, type) => void made.push(type) }).enable()
      for (const request of requests) decisions.push(house.guard.decide(request, authenticated()))
      hook.disable()
      expect(made).not.toContain('PROMISE')
      expect(decisions).toMatchObject([{ outcome: 'allow' }, { refusal: { code: 'signature_invalid' } }])
    },
  )
})

test('a key that is withdrawn while its signature waits to be checked verifies nothing', async () => {
  const jwks = { keys: [{ ...signer.jwk, kid: 'key-1' }] }
  const options: GuardOptions = { audience: 'orders', issuers: [{ issuer, jwks }], log: false }
  const { issuers } = parseOptions(options, {
    clock,
    fetch: () => Promise.reject(new Error('nothing to fetch')),
    newId: () => 'an id',
  })
  const key = await issuers.keySources()[0]?.find('ES256', 'key-1')
  if (key === undefined || key instanceof Refusal) throw new Error('expected a key')
  const { promise, resolve } = Promise.withResolvers<boolean>()
  const checks = { isSigned: () => promise }
  const verified = verifyToken(token(), {}, { issuers, checks, headers: new KnownHeaders(), clock })
  key.isWithdrawn = true
  resolve(true)
  expect(await verified).toMatchObject({ code: 'key_unknown' })
})
