import { authenticated, createGuard } from '@countersign/core'
import { countersign, requires } from '@countersign/express'
import { describe, expect, test } from 'vitest'
import { codeOf, requestWith } from '../core/support/asking.ts'
import { createHouse, issuer } from '../core/support/house.ts'
import { bearer, expressVersions, serve } from './support/served.ts'

const first = createHouse()
const second = createHouse({ issuer: 'https://tenant-b.test', clock: first.clock })
const guard = createGuard(
  {
    audience: 'orders',
    issuers: [
      { issuer, jwks: { keys: [first.signer.jwk] } },
      { issuer: 'https://tenant-b.test', audience: 'orders-b', jwks: { keys: [second.signer.jwk] } },
    ],
    log: false,
  },
  { clock: first.clock },
)

const plain = { alg: 'ES256', typ: 'at+jwt' }
/** Tokens of the two tenants, and what each is worth whatever a request says of hosts: nobody's key is another's. */
const tokens: readonly (readonly [string, string])[] = [
  [first.jws(plain, first.claims()), 'allow'],
  [second.jws(plain, second.claims({ aud: 'orders-b' })), 'allow'],
  [second.jws(plain, second.claims({ aud: 'orders' })), 'audience_mismatch'],
  [second.jws(plain, second.claims({ iss: issuer })), 'signature_invalid'],
]
const values = ['issuer.test', 'tenant-b.test', 'https://tenant-b.test', 'orders', 'orders-b', '']

test.each(['host', ':authority', 'x-forwarded-host', 'forwarded', 'x-tenant-id', 'origin', 'referer'])(
  'T53 no issuer, key or audience is chosen by `%s`',
  async (name) => {
    for (const [token, code] of tokens) {
      for (const value of values) {
        const request = requestWith(`Bearer ${token}`)
        const named = { ...request, headers: { ...request.headers, [name]: value } }
        expect(codeOf(await guard.decide(named, authenticated()))).toBe(code)
      }
    }
  },
)

describe.each(expressVersions)('%s', (_version, express) => {
  test('T53 nor over the wire, by what proxies write or by the request line', async () => {
    const app = express()
    app.set('trust proxy', true)
    app.use(countersign(guard))
    app.get('/orders', requires(authenticated()), (_request, response) => void response.send('SECRET'))
    await using served = await serve(app)
    for (const [token, code] of tokens) {
      const status = code === 'allow' ? 200 : 401
      for (const host of ['issuer.test', 'tenant-b.test']) {
        const forwarded = [`X-Forwarded-Host: ${host}`, `Forwarded: host=${host}`, 'X-Forwarded-Proto: https']
        expect((await served.get('/orders', ...forwarded, bearer(token))).status).toBe(status)
        expect((await served.get(`https://${host}/orders`, bearer(token))).status).toBe(status)
      }
    }
  })
})
