// Issuers that do not follow RFC 9068, and shared secrets, as the page of all migration guides has them.
import { createTestIssuer, type TestIssuer } from '@countersign/testing'
import { SignJWT, type JWTPayload } from 'jose'
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest'
import { codeBlocksOf, replaceOnce } from './documents.ts'
import { callers, mayRead } from './migration-callers.ts'
import { ask, guides, programsOf, serve } from './migration-services.ts'

// Each test starts programs, which takes its time on a machine that does other things as well.
vi.setConfig({ testTimeout: 60_000 })

let trusted: TestIssuer, stranger: TestIssuer
beforeAll(async () => {
  trusted = await createTestIssuer({ listen: true, alg: 'RS256' })
  stranger = await createTestIssuer({ listen: true, alg: 'RS256' })
})
afterAll(async () => {
  await trusted.close()
  await stranger.close()
})

const service = programsOf(guides[0]).after
const pages = codeBlocksOf('docs/migrate/index.md').map(({ code }) => code)

describe("`profile: 'oauth'`", () => {
  const issuers = /issuers: (\[\{.*'oauth' \}\])/.exec(pages.join('\n'))?.[1] ?? ''
  const program = replaceOnce(service, "['https://idp.internal']", issuers)

  test('takes tokens that lack what RFC 9068 wants, and no others', async () => {
    await using running = await serve(program, trusted)
    const answers = await Promise.all(
      Object.entries(callers).map(async ([caller, call]) => {
        const { status = 0 } = await ask(running, await call({ trusted, stranger }))
        return { caller, isAccepted: status < 400 }
      }),
    )
    const accepted = answers.flatMap(({ caller, isAccepted }) => (isAccepted ? [caller] : []))
    expect(accepted).toEqual([
      'a good token',
      'a token that expired 20 seconds ago',
      'no `client_id`',
      'no `jti`',
      '`typ: JWT`',
      'optional: no token',
      'optional: a good token',
    ])
  })
})

describe('a shared secret', () => {
  const issuers = /issuers: (\[\{.*'HS256'.*\}\])/.exec(pages.join('\n'))?.[1] ?? ''
  const secret = 'a secret of thirty-two octets, or more'
  const program = (value: string): string =>
    `const secret = ${JSON.stringify(value)}\n${replaceOnce(service, "['https://idp.internal']", issuers)}`
  const sign = (claims: JWTPayload, key: string): Promise<string> =>
    new SignJWT({ iss: trusted.issuer, aud: 'https://orders.internal', sub: 'ada', ...claims })
      .setProtectedHeader({ alg: 'HS256', typ: 'JWT' })
      .setIssuedAt()
      .setExpirationTime('5m')
      .sign(Buffer.from(key))

  test('verifies what was signed with it, and nothing else', async () => {
    await using running = await serve(program(secret), trusted)
    const statusOf = async (token: string): Promise<number | undefined> =>
      (await ask(running, { headers: { authorization: `Bearer ${token}` } })).status
    expect(await statusOf(await sign({ scope: 'orders:read' }, secret))).toBe(200)
    expect(await statusOf(await sign({ scope: 'orders:read' }, `${secret}!`))).toBe(401)
    expect(await statusOf(await sign({}, secret))).toBe(401)
    expect(await statusOf(await sign({ scope: 'orders:read', aud: 'billing' }, secret))).toBe(401)
    expect(await statusOf(await trusted.token('checkout', mayRead))).toBe(401)
  })

  test.each(['', 'shhhhhhared-secret'])('ends the program at start if it is %o', async (short) => {
    await expect(serve(program(short), trusted)).rejects.toThrow('secret')
  })
})
