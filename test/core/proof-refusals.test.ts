// What an operator is told of a proof that was refused, word by word: what was expected, what came, and what to do.
import { createHash } from 'node:crypto'
import { authenticated, type GuardOptions } from '@countersign/core'
import { createTestCa, createTestClock } from '@countersign/testing'
import { describe, expect, test } from 'vitest'
import { connectionOf, refusalOf, requestWith } from './support/asking.ts'
import { createHouse, issuer, type House } from './support/house.ts'
import { createProver, sha256 } from './support/prover.ts'

const clock = createTestClock()
const ca = await createTestCa({ now: new Date(clock.now()) })
const [own, other] = [await ca.svid('/own'), await ca.svid('/other')]
const prover = await createProver({ now: clock.now })
const { jkt } = prover
const seconds = Math.floor(clock.now() / 1000)
const x5t = { 'x5t#S256': createHash('sha256').update(own.der).digest('base64url') }

type Members = Readonly<Record<string, unknown>>
type DpopOptions = NonNullable<GuardOptions['dpop']>

interface Presented {
  readonly scheme?: string
  readonly cnf?: Members | 'none'
  /** Made of the token's text; undefined for no proof. */
  readonly proof?: (text: string) => string
  readonly dpop?: DpopOptions
  readonly socket?: object
}

const houseWith = (options: DpopOptions | undefined): House =>
  createHouse({ clock, guardOptions: options === undefined ? {} : { dpop: options } })

async function refused({ scheme = 'DPoP', cnf = { jkt }, proof, dpop: options, socket }: Presented) {
  const { guard, token } = houseWith(options)
  const text = token({ cnf: cnf === 'none' ? undefined : cnf })
  const request = requestWith(`${scheme} ${text}`, socket)
  const headers = { ...request.headers, ...(proof === undefined ? {} : { dpop: proof(text) }) }
  const { refusal } = await refusalOf(guard, { ...request, url: '/orders/7', headers })
  return { code: refusal.code, ...refusal.detail }
}

const dpop = { externalUrl: 'https://api.example.com' }
const proofWith =
  (claims: Members = {}, header: Members = {}) =>
  (accessToken: string): string =>
    prover.proof({ ath: sha256(accessToken), ...claims }, header)

describe('of a token that is bound to a key, or not,', () => {
  test.each<[string, Presented, Members]>([
    [
      'but sent as if it were',
      { cnf: 'none' },
      {
        code: 'token_not_bound',
        expected: 'a token with `cnf.jkt`',
        actual: 'a token that is not bound to a key',
        advice: 'have the caller send it as `Bearer`, or ask its issuer for a DPoP-bound token',
      },
    ],
    [
      'where all have to be',
      { scheme: 'Bearer', cnf: 'none', dpop: { ...dpop, required: true } },
      {
        code: 'token_not_bound',
        expected: 'a DPoP-bound token: `dpop.required` is set',
        actual: 'a token that is not bound by DPoP',
      },
    ],
    [
      'and sent as if it were not',
      { scheme: 'Bearer' },
      {
        code: 'bound_token_as_bearer',
        expected: '`Authorization: DPoP <token>` and a proof',
        actual: 'a DPoP-bound token sent as Bearer',
      },
    ],
    [
      'with a proof beside it all the same',
      { scheme: 'Bearer', cnf: 'none', proof: proofWith(), dpop },
      { code: 'dpop_proof_unexpected', expected: 'no `DPoP` field beside a bearer token', actual: 'one' },
    ],
    [
      'where nobody looks at proofs',
      { proof: proofWith() },
      {
        code: 'confirmation_unsupported',
        expected: 'a token that is not bound by DPoP',
        actual: '`cnf.jkt`',
        advice: "write `dpop: { externalUrl: 'https://…' }` with the URL that callers use for this service",
      },
    ],
    [
      'without its proof',
      { dpop },
      {
        code: 'dpop_proof_missing',
        expected: 'one DPoP field beside a token that is bound to a key',
        actual: 'none',
      },
    ],
    [
      'and to a certificate, on a connection without one',
      { cnf: x5t, scheme: 'Bearer' },
      {
        code: 'certificate_binding_missing',
        expected: 'the client certificate that the token is bound to',
        actual: 'a connection without one',
        advice: 'end TLS in this service and have it ask for client certificates: createTlsServer does',
      },
    ],
    [
      'and to a certificate, on a connection of another',
      { cnf: x5t, scheme: 'Bearer', socket: connectionOf(other) },
      {
        code: 'certificate_binding_mismatch',
        expected: 'the client certificate that the token is bound to',
        actual: 'another one',
        advice: 'have the caller ask for a new token after its certificate was renewed',
      },
    ],
  ])('%s', async (_, presented, told) => {
    expect(await refused(presented)).toEqual({ issuer, ...told })
  })
})

describe('of a proof', () => {
  const algorithms = 'ES256, ES384, Ed25519, EdDSA, PS256, RS256'

  test.each<[string, (text: string) => string, Members]>([
    [
      'that is no JWS',
      () => 'garbage',
      {
        code: 'dpop_proof_malformed',
        expected: expect.stringMatching(/./),
        actual: expect.stringMatching(/./),
      },
    ],
    [
      'without a type',
      proofWith({}, { typ: undefined }),
      { code: 'dpop_proof_malformed', expected: '`typ` "dpop+jwt"', actual: 'no `typ`' },
    ],
    [
      'of another type',
      proofWith({}, { typ: 'JWT' }),
      { code: 'dpop_proof_malformed', expected: '`typ` "dpop+jwt"', actual: '"JWT"' },
    ],
    [
      'by an algorithm that is not asked for',
      proofWith({}, { alg: 'HS256' }),
      { code: 'dpop_proof_malformed', expected: algorithms, actual: '"HS256"' },
    ],
    [
      'with a private key',
      proofWith({}, { jwk: { ...prover.signer.jwk, d: 'AAAA' } }),
      { code: 'dpop_proof_malformed', expected: '`jwk`: a public key', actual: 'a private or symmetric one' },
    ],
    [
      'without a key',
      proofWith({}, { jwk: undefined }),
      { code: 'dpop_proof_malformed', expected: '`jwk`: a public key of a kind in use', actual: 'none' },
    ],
    [
      'with a key for another algorithm',
      proofWith({}, { alg: 'ES384' }),
      { code: 'dpop_proof_malformed', expected: '`jwk`: a key for checking ES384', actual: 'another' },
    ],
    [
      'with a key that takes long to check with',
      proofWith(
        {},
        { alg: 'RS256', jwk: { kty: 'RSA', n: Buffer.alloc(520, 0xc1).toString('base64url'), e: 'AQAB' } },
      ),
      {
        code: 'dpop_proof_malformed',
        expected: '`jwk`: a modulus of at most 4096 bits',
        actual: 'a longer one',
      },
    ],
    [
      'whose claims are a list',
      () => prover.jws(prover.header, '[]'),
      { code: 'dpop_proof_malformed', expected: 'claims that are a JSON object', actual: 'something else' },
    ],
    [
      'without an id',
      proofWith({ jti: undefined }),
      { code: 'dpop_proof_malformed', expected: '`jti`', actual: 'no `jti`' },
    ],
    [
      'with an empty id',
      proofWith({ jti: '' }),
      { code: 'dpop_proof_malformed', expected: '`jti`: a string', actual: 'an empty one' },
    ],
    [
      'with a method that is no text',
      proofWith({ htm: 5 }),
      { code: 'dpop_proof_malformed', expected: '`htm`: a string', actual: 'number' },
    ],
    [
      'of a time that is no number',
      proofWith({ iat: 'now' }),
      { code: 'dpop_proof_malformed', expected: '`iat`: a number of seconds', actual: '"now"' },
    ],
    [
      'with an id that is hard to remember',
      proofWith({ jti: 'x'.repeat(257) }),
      { code: 'dpop_proof_malformed', expected: '`jti`: at most 256 characters', actual: '257' },
    ],
    [
      'for another method',
      proofWith({ htm: 'POST' }),
      {
        code: 'dpop_proof_mismatch',
        expected: '`htm` "GET"',
        actual: '"POST"',
        advice: 'have the proof made for this very request',
      },
    ],
    [
      'for another URL',
      proofWith({ htu: 'https://api.example.com/orders/8' }),
      {
        code: 'dpop_proof_mismatch',
        expected: '`htu` "https://api.example.com/orders/7"',
        actual: '"https://api.example.com/orders/8"',
        advice: 'set `dpop.externalUrl` to the URL that callers use',
      },
    ],
    [
      'for no URL',
      proofWith({ htu: 'orders' }),
      {
        code: 'dpop_proof_mismatch',
        expected: '`htu` "https://api.example.com/orders/7"',
        actual: 'no http(s) URL',
        advice: 'set `dpop.externalUrl` to the URL that callers use',
      },
    ],
    [
      'that is old',
      proofWith({ iat: seconds - 100 }),
      {
        code: 'dpop_proof_expired',
        expected: 'a proof made in the last 60 s',
        actual: 'one made 100 s ago',
        advice: "compare the caller's clock with this one",
      },
    ],
    [
      'that is not beside its token',
      proofWith({ ath: sha256('another') }),
      { code: 'dpop_proof_mismatch', expected: '`ath` of the access token beside it', actual: 'another' },
    ],
    [
      'that is beside no token',
      proofWith({ ath: undefined }),
      { code: 'dpop_proof_mismatch', expected: '`ath` of the access token beside it', actual: 'no `ath`' },
    ],
  ])('%s', async (_, proof, told) => {
    expect(await refused({ proof, dpop })).toEqual({ issuer, ...told })
  })

  test('by another key than the token’s', async () => {
    const thief = await createProver({ now: clock.now })
    expect(await refused({ dpop, proof: (text) => thief.proof({ ath: sha256(text) }) })).toEqual({
      issuer,
      code: 'dpop_key_mismatch',
      expected: 'a proof signed with the key that the token is bound to',
      actual: 'another key',
    })
  })

  test.each([
    ['without a nonce', {}, 'no `nonce`'],
    ['with a nonce of its own', { nonce: 'mine' }, 'another'],
  ])('%s', async (_, claims, actual) => {
    expect(await refused({ dpop: { ...dpop, nonces: true }, proof: proofWith(claims) })).toEqual({
      issuer,
      code: 'dpop_nonce_required',
      expected: 'a nonce that this service gave out lately',
      actual,
      advice: 'callers repeat the request with the nonce of the answer (RFC 9449 §9)',
    })
  })

  test('that was used', async () => {
    const { guard, token } = houseWith(dpop)
    const text = token({ cnf: { jkt } })
    const base = requestWith(`DPoP ${text}`)
    const request = { ...base, url: '/orders/7', headers: { ...base.headers, dpop: proofWith()(text) } }
    expect((await guard.decide(request, authenticated())).outcome).toBe('allow')
    expect((await refusalOf(guard, request)).refusal).toEqual({
      code: 'dpop_proof_replayed',
      detail: {
        issuer,
        expected: 'a proof that was not used before',
        actual: 'a `jti` that its key has used',
        advice: 'callers make a new proof for every request, a repeated one included',
      },
    })
  })

  test('that nobody knows to be new', async () => {
    const replayStore = { add: () => 'OK' as unknown as boolean }
    expect(await refused({ dpop: { ...dpop, replayStore }, proof: proofWith() })).toEqual({
      issuer,
      code: 'replay_store_unavailable',
      expected: 'true or false from the replay store',
      actual: 'another value',
    })
  })
})

describe('none is told', () => {
  const outcomeOf = async (options: DpopOptions | undefined, scheme: string, cnf: Members | undefined) => {
    const { guard, token } = houseWith(options)
    const text = token({ cnf })
    const request = requestWith(`${scheme} ${text}`)
    const headers = { ...request.headers, dpop: proofWith()(text) }
    const decision = await guard.decide({ ...request, url: '/orders/7', headers }, authenticated())
    return decision.outcome
  }

  test('of a bound token where all have to be', async () => {
    expect(await outcomeOf({ ...dpop, required: true }, 'DPoP', { jkt })).toBe('allow')
  })

  test('of a proof beside a bearer token where nobody looks at proofs', async () => {
    expect(await outcomeOf(undefined, 'Bearer', undefined)).toBe('allow')
  })
})
