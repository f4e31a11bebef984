// An Introspector before a server that may answer anything, over real HTTPS.
import { createTestClock } from '@countersign/testing'
import { describe, expect, test } from 'vitest'
import { settled } from './support/asking.ts'
import { openId, oauth, type Page } from './support/issuer-site.ts'
import {
  activeAnswer,
  activeOf,
  codeOfResult,
  introspectorOf,
  openAuthorizationServer,
  refusalIn,
  scriptedFetch,
  secret,
  type Answer,
  type AuthorizationServer,
} from './support/introspecting.ts'

const token = 'opaque.token~with+every/kind-of_character=='
const ask = (server: AuthorizationServer, options = {}) => server.introspector(options).introspect(token)

describe('a token that the issuer calls active', () => {
  test('has the claims of the answer, and the issuer that was asked', async () => {
    await using server = await openAuthorizationServer({})
    const answer = activeAnswer(server.clock, {
      username: 'u',
      'https://shop/tenant': { id: 7 },
      nothing: null,
    })
    server.answers(answer)
    const { active, nothing, ...claims } = answer
    expect([active, nothing]).toEqual([true, null])
    expect(activeOf(await ask(server))).toEqual({
      claims: { ...claims, iss: server.issuer },
      boundBy: 'audience',
      cacheUntilMs: server.clock.now() + 30_000,
    })
  })

  test('was asked about by POST, as a form, with what this service is registered with', async () => {
    await using server = await openAuthorizationServer({ active: false })
    await ask(server)
    const [asked] = server.asked
    expect(asked).toMatchObject({
      method: 'POST',
      headers: {
        'content-type': 'application/x-www-form-urlencoded',
        accept: 'application/json',
        authorization: `Basic ${Buffer.from(`orders:${secret}`).toString('base64')}`,
      },
    })
    expect(Object.fromEntries(asked?.form ?? [])).toEqual({ token, token_type_hint: 'access_token' })
  })

  test('is relied on no longer than it lasts, and no longer than `cacheSeconds`', async () => {
    await using server = await openAuthorizationServer({})
    const { clock } = server
    const until = async (exp: number, cacheSeconds?: number) => {
      server.answers(activeAnswer(clock, { exp: clock.now() / 1000 + exp }))
      return (
        activeOf(await ask(server, cacheSeconds === undefined ? {} : { cacheSeconds })).cacheUntilMs -
        clock.now()
      )
    }
    expect(await until(300)).toBe(30_000)
    expect(await until(300, 0)).toBe(0)
    expect(await until(600, 300)).toBe(300_000)
    expect(await until(12)).toBe(12_000)
    expect(await until(-5)).toBe(-5000)
  })

  test('is relied on from the moment at which the issuer was asked, not from when it answered', async () => {
    await using server = await openAuthorizationServer({})
    const asked = server.clock.now()
    server.answers((response) => {
      server.clock.advance({ seconds: 4 })
      response.end(JSON.stringify(activeAnswer(server.clock)))
    })
    expect(activeOf(await ask(server)).cacheUntilMs).toBe(asked + 30_000)
  })

  test('is asked about again each time: what is remembered is for others to remember', async () => {
    await using server = await openAuthorizationServer({})
    server.answers(activeAnswer(server.clock))
    const introspector = server.introspector()
    await introspector.introspect(token)
    server.answers({ active: false })
    expect(codeOfResult(await introspector.introspect(token))).toBe('token_inactive')
    expect(server.asked).toHaveLength(2)
  })
})

describe('T26 an answer counts for the issuer that gave it alone', () => {
  test('and what one calls active, another does not', async () => {
    await using active = await openAuthorizationServer({})
    await using inactive = await openAuthorizationServer({ active: false })
    active.answers(activeAnswer(active.clock))
    const [one, other] = [active.introspector(), inactive.introspector()]
    expect(activeOf(await one.introspect(token)).claims['iss']).toBe(active.issuer)
    expect(codeOfResult(await other.introspect(token))).toBe('token_inactive')
    expect(activeOf(await one.introspect(token)).claims['iss']).toBe(active.issuer)
  })

  test('and it may not speak for another', async () => {
    await using server = await openAuthorizationServer({})
    server.answers(activeAnswer(server.clock, { iss: 'https://other.test' }))
    expect(codeOfResult(await ask(server))).toBe('introspection_malformed')
    server.answers(activeAnswer(server.clock, { iss: `${server.issuer}/` }))
    expect(codeOfResult(await ask(server))).toBe('introspection_malformed')
    server.answers(activeAnswer(server.clock, { iss: server.issuer }))
    expect(codeOfResult(await ask(server))).toBe('active')
  })

  test('and its answers for one set of clients are not those for another', async () => {
    await using server = await openAuthorizationServer({})
    server.answers(activeAnswer(server.clock, { aud: undefined }))
    expect(codeOfResult(await ask(server, { clients: ['checkout'] }))).toBe('active')
    expect(codeOfResult(await ask(server, { clients: ['billing'] }))).toBe('audience_mismatch')
  })
})

/** A clock whose alarms a test rings. */
function alarmClock() {
  const alarms: { readonly ms: number; readonly ring: () => void; isCancelled: boolean }[] = []
  const schedule = (ring: () => void, ms: number) => {
    const alarm = { ms, ring, isCancelled: false }
    alarms.push(alarm)
    return () => void (alarm.isCancelled = true)
  }
  return { clock: { ...createTestClock(), schedule }, alarms }
}

const status =
  (code: number, headers: Record<string, string> = {}, body = '{"active":true}'): Answer =>
  (response) =>
    response.writeHead(code, headers).end(body)

describe('T30 a server that does not answer', () => {
  const failing: readonly (readonly [string, Answer, string])[] = [
    ['sends elsewhere', status(302, { location: '/elsewhere' }), 'expected status 200, got 302'],
    [
      'sends elsewhere with the question',
      status(307, { location: '/elsewhere' }),
      'expected status 200, got 307',
    ],
    ['has made something', status(201), 'expected status 200, got 201'],
    ['has nothing new', status(304), 'expected status 200, got 304'],
    ['has no endpoint there', status(404), 'expected status 200, got 404'],
    ['fails', status(500), 'expected status 200, got 500'],
    ['is overloaded', status(503, { 'retry-after': '1' }), 'expected status 200, got 503'],
    ['sends too much', status(200, {}, `{"active":true,"x":"${'x'.repeat(600_000)}"}`), 'no whole answer'],
    [
      'breaks off',
      (response) => void response.write('{"active":', () => response.destroy()),
      'no whole answer',
    ],
    ['hangs up', (response) => response.destroy(), 'ECONNRESET'],
  ]

  test.each(failing)(
    'because it %s is unavailable, which is not remembered (T31)',
    async (_, answer, actual) => {
      await using server = await openAuthorizationServer(answer)
      const introspector = server.introspector()
      const refusal = refusalIn(await introspector.introspect(token))
      expect(refusal).toMatchObject({ code: 'introspection_unavailable', detail: { issuer: server.issuer } })
      expect(refusal.detail.actual).toContain(actual)
      expect(refusal.detail.advice).toContain('reaches the authorization server')
      expect(server.site.hits).toEqual(['/introspect'])
      server.answers(activeAnswer(server.clock))
      expect(codeOfResult(await introspector.introspect(token))).toBe('active')
    },
  )

  test.each([400, 401, 403])(
    'because it does not know this service (%i) says so to the operator',
    async (code) => {
      await using server = await openAuthorizationServer(status(code, {}, '{"error":"invalid_client"}'))
      expect(refusalIn(await ask(server))).toMatchObject({
        code: 'introspection_unavailable',
        detail: {
          actual: `expected status 200, got ${code}`,
          advice: expect.stringMatching(/could not authenticate.*client_secret_basic/),
        },
      })
    },
  )

  test('because nobody listens is unavailable', async () => {
    const server = await openAuthorizationServer({ active: true })
    await server[Symbol.asyncDispose]()
    expect(refusalIn(await ask(server)).detail.actual).toBe('ECONNREFUSED')
  })

  test('because another authority signed its certificate is told nothing', async () => {
    await using server = await openAuthorizationServer({ active: true })
    const refusal = refusalIn(await server.introspector({}, { ca: undefined }).introspect(token))
    expect(refusal.code).toBe('introspection_unavailable')
    expect(server.asked).toEqual([])
  })

  test('because it never finishes is given up after a deadline, and hung up on', async () => {
    const asked = Promise.withResolvers<void>()
    const hungUp = Promise.withResolvers<void>()
    await using server = await openAuthorizationServer((response) => {
      response.once('close', hungUp.resolve).write('{"active":')
      asked.resolve()
    })
    const { clock, alarms } = alarmClock()
    const result = server.introspector({}, { clock }).introspect(token)
    await asked.promise
    expect(alarms.map(({ ms }) => ms)).toEqual([6000])
    alarms[0]?.ring()
    expect(refusalIn(await result)).toMatchObject({
      code: 'introspection_unavailable',
      detail: { actual: 'no answer in time' },
    })
    await hungUp.promise
  })

  test('is given up even by a fetch that minds no signal', async () => {
    const { clock, alarms } = alarmClock()
    const { fetch } = scriptedFetch()
    const introspector = introspectorOf(
      'https://idp.test',
      createTestClock(),
      { endpoint: 'https://idp.test/i' },
      { fetch, clock },
    )
    const result = introspector.introspect(token)
    await settled()
    alarms[0]?.ring()
    expect(codeOfResult(await result)).toBe('introspection_unavailable')
  })

  test('leaves no alarm behind where it answered', async () => {
    await using server = await openAuthorizationServer({ active: false })
    const { clock, alarms } = alarmClock()
    await server.introspector({}, { clock }).introspect(token)
    expect(alarms).toMatchObject([{ isCancelled: true }])
  })

  test('is asked nothing more after `close`, and what was under way ends', async () => {
    const asked = Promise.withResolvers<void>()
    await using server = await openAuthorizationServer(() => asked.resolve())
    const introspector = server.introspector()
    const result = introspector.introspect(token)
    await asked.promise
    introspector.close()
    expect(codeOfResult(await result)).toBe('introspection_unavailable')
    expect(codeOfResult(await introspector.introspect('another'))).toBe('introspection_unavailable')
    expect(server.asked).toHaveLength(1)
  })
})

describe('T31 a token that is inactive', () => {
  test('is refused without asking again, for ten seconds', async () => {
    await using server = await openAuthorizationServer({ active: false })
    const introspector = server.introspector()
    const first = await introspector.introspect(token)
    expect(first).toMatchObject({ code: 'token_inactive', detail: { issuer: server.issuer } })
    server.answers(activeAnswer(server.clock))
    server.clock.advance(9999)
    expect(await introspector.introspect(token)).toEqual(first)
    expect(server.asked).toHaveLength(1)
    server.clock.advance(1)
    expect(codeOfResult(await introspector.introspect(token))).toBe('active')
  })

  test('is asked about again when the clock has stepped back', async () => {
    await using server = await openAuthorizationServer({ active: false })
    const introspector = server.introspector()
    await introspector.introspect(token)
    server.clock.advance(-1)
    await introspector.introspect(token)
    expect(server.asked).toHaveLength(2)
  })

  test.each([
    ['a malformed answer', { active: 'false' }],
    ['an answer without audience', { active: true, exp: 4e9, client_id: 'checkout' }],
    ['an answer without `exp`', { active: true, aud: 'orders' }],
  ])('is alone in being remembered: %s is not', async (_, answer) => {
    await using server = await openAuthorizationServer(answer)
    const introspector = server.introspector()
    expect(codeOfResult(await introspector.introspect(token))).not.toBe('active')
    server.answers(activeAnswer(server.clock))
    expect(codeOfResult(await introspector.introspect(token))).toBe('active')
  })

  test('is forgotten when a thousand others were inactive since', async () => {
    const { fetch, questions } = scriptedFetch()
    const introspector = introspectorOf(
      'https://idp.test',
      createTestClock(),
      { endpoint: 'https://idp.test/i' },
      { fetch },
    )
    const inactive = async (name: string) => {
      const result = introspector.introspect(name)
      await settled()
      questions.at(-1)?.answer({ active: false })
      return result
    }
    await inactive('first')
    for (let i = 0; i < 1000; i += 1) {
      expect(questions).toHaveLength(i + 1)
      await inactive(`token-${i}`)
    }
    await inactive('token-0')
    expect(questions).toHaveLength(1001)
    await inactive('first')
    expect(questions).toHaveLength(1002)
  })
})

describe('what is sent', () => {
  test.each([
    ['a space', 'a b'],
    ['a line break', 'a\r\nb'],
    ['a line break at the end', 'a\n'],
    ['a percent sign', 'a%20b'],
    ['an ampersand', 'a&token=b'],
    ['a letter beyond ASCII', 'tökèn'],
    ['nothing', ''],
    ['padding alone', '=='],
    ['padding within', 'a=b'],
  ])('is never what has %s', async (_, unfit) => {
    await using server = await openAuthorizationServer({ active: true })
    expect(refusalIn(await server.introspector().introspect(unfit))).toMatchObject({
      code: 'token_malformed',
      detail: { issuer: server.issuer },
    })
    expect(server.site.hits).toEqual([])
  })

  test('is never longer than 8192 characters', async () => {
    await using server = await openAuthorizationServer({ active: false })
    const introspector = server.introspector()
    expect(codeOfResult(await introspector.introspect('x'.repeat(8193)))).toBe('token_oversized')
    expect(server.site.hits).toEqual([])
    expect(codeOfResult(await introspector.introspect('x'.repeat(8192)))).toBe('token_inactive')
  })

  test('T56 is in no refusal, whatever a fetch of the application throws', async () => {
    const { fetch, questions } = scriptedFetch()
    const introspector = introspectorOf(
      'https://idp.test',
      createTestClock(),
      { endpoint: 'https://idp.test/i' },
      { fetch },
    )
    for (const error of [
      new Error(`POST token=${token} ${secret}`),
      Object.assign(new Error(secret), { code: token }),
    ]) {
      const result = introspector.introspect(token)
      await settled()
      questions.at(-1)?.fail(error)
      const told = JSON.stringify(await result)
      expect(told).toContain('introspection_unavailable')
      expect(told).not.toContain(token)
      expect(told).not.toContain(secret)
    }
  })

  test('T56 is in no refusal of a malformed answer that repeats it', async () => {
    await using server = await openAuthorizationServer({})
    for (const answer of [{ active: [token] }, { active: true, exp: token, aud: 'o' }, { error: token }]) {
      server.answers(answer)
      expect(JSON.stringify(await ask(server))).not.toContain(token)
    }
  })
})

describe('the endpoint', () => {
  const found = async (pages: (origin: string) => Record<string, Page>, options = {}, context = {}) => {
    const server = await openAuthorizationServer({ active: false }, pages)
    const introspector = server.introspector({ endpoint: undefined, ...options } as object, context)
    return { server, introspector, result: await introspector.introspect(token) }
  }
  const metadata = (o: string) => ({ issuer: o, introspection_endpoint: `${o}/introspect` })

  test.each([
    ['OpenID Connect says', (o: string) => ({ [openId]: metadata(o) }), [openId, '/introspect']],
    ['RFC 8414 says', (o: string) => ({ [oauth]: metadata(o) }), [openId, oauth, '/introspect']],
  ])('is where %s', async (_, pages, hits) => {
    const { server, result } = await found(pages)
    await using _closed = server
    expect(codeOfResult(result)).toBe('token_inactive')
    expect(server.site.hits).toEqual(hits)
  })

  test('of an issuer with a path is where its own metadata says', async () => {
    await using server = await openAuthorizationServer({ active: false }, (o) => ({
      [`${oauth}/realms/shop`]: { issuer: `${o}/realms/shop`, introspection_endpoint: `${o}/introspect` },
    }))
    const context = { issuer: `${server.issuer}/realms/shop` }
    const introspector = server.introspector({ endpoint: undefined } as object, context)
    expect(codeOfResult(await introspector.introspect(token))).toBe('token_inactive')
    expect(server.site.hits).toEqual([`/realms/shop${openId}`, `${oauth}/realms/shop`, '/introspect'])
  })

  test('is where the metadata at another place says, which names the issuer all the same', async () => {
    await using server = await openAuthorizationServer({ active: false }, (o) => ({
      '/inside': { issuer: 'https://idp.example', introspection_endpoint: `${o}/introspect` },
    }))
    const context = { issuer: 'https://idp.example', metadataUrl: new URL(`${server.issuer}/inside`) }
    const introspector = server.introspector({ endpoint: undefined } as object, context)
    expect(codeOfResult(await introspector.introspect(token))).toBe('token_inactive')
    expect(server.site.hits).toEqual(['/inside', '/introspect'])
  })

  const bad: readonly (readonly [string, (o: string) => object, string])[] = [
    ['names another issuer', (o) => ({ ...metadata(o), issuer: `${o}.evil` }), 'another `issuer`'],
    ['names its issuer with a slash', (o) => ({ ...metadata(o), issuer: `${o}/` }), 'another `issuer`'],
    ['has no endpoint', (o) => ({ issuer: o }), 'no `introspection_endpoint`'],
    [
      'has a relative endpoint',
      (o) => ({ issuer: o, introspection_endpoint: '/introspect' }),
      'no `introspection_endpoint`',
    ],
    [
      'has a list of endpoints',
      (o) => ({ issuer: o, introspection_endpoint: [`${o}/introspect`] }),
      'no `introspection_endpoint`',
    ],
    [
      'sends to plain http',
      (o) => ({ issuer: o, introspection_endpoint: `${o.replace('https', 'http')}/introspect` }),
      'not https',
    ],
    [
      'sends a password along',
      (o) => ({ issuer: o, introspection_endpoint: `${o.replace('//', '//a:b@')}/introspect` }),
      'not https',
    ],
    ['is a list', () => [], 'not a JSON object'],
  ]

  test.each(bad)('is unknown where the metadata %s', async (_, page, problem) => {
    const { server, result } = await found((o) => ({ [openId]: page(o) }))
    await using _closed = server
    expect(refusalIn(result)).toMatchObject({
      code: 'introspection_unavailable',
      detail: { actual: expect.stringContaining(problem) },
    })
    expect(server.asked).toEqual([])
  })

  test('T31 is looked for again by the next token, where it was not found', async () => {
    let isUp = false
    const page: (o: string) => Page = (o) => (response) =>
      isUp ? response.end(JSON.stringify(metadata(o))) : response.writeHead(500).end()
    const { server, introspector, result } = await found((o) => ({ [openId]: page(o) }))
    await using _closed = server
    expect(refusalIn(result).detail.actual).toContain('got 500')
    isUp = true
    expect(codeOfResult(await introspector.introspect(token))).toBe('token_inactive')
  })

  const counting = () => {
    const looked = { times: 0, again: Promise.withResolvers<void>() }
    const page: (o: string) => Page = (o) => (response) => {
      looked.times += 1
      if (looked.times > 1) looked.again.resolve()
      response.end(JSON.stringify(metadata(o)))
    }
    return { looked, pages: (o: string) => ({ [openId]: page(o) }) }
  }

  test('is looked for once by a hundred tokens that come first, and again in ten minutes', async () => {
    const { looked, pages } = counting()
    await using server = await openAuthorizationServer({ active: false }, pages)
    const introspector = server.introspector({ endpoint: undefined } as object)
    await Promise.all(Array.from({ length: 100 }, (_, i) => introspector.introspect(`token-${i}`)))
    server.clock.advance(10 * 60_000)
    await introspector.introspect('b')
    expect(looked.times).toBe(1)
    server.clock.advance(1)
    await Promise.all([introspector.introspect('c'), introspector.introspect('d')])
    await looked.again.promise
    await introspector.introspect('e')
    expect(looked.times).toBe(2)
  })

  test('is looked for again when the clock has stepped back', async () => {
    const { looked, pages } = counting()
    const { server, introspector } = await found(pages)
    await using _closed = server
    server.clock.advance(-1)
    await introspector.introspect('b')
    await looked.again.promise
    expect(looked.times).toBe(2)
  })

  test('goes on serving while the metadata is gone', async () => {
    let isGone = false
    const page: (o: string) => Page = (o) => (response) =>
      isGone ? response.writeHead(410).end() : response.end(JSON.stringify(metadata(o)))
    const { server, introspector } = await found((o) => ({ [openId]: page(o) }))
    await using _closed = server
    isGone = true
    server.clock.advance({ seconds: 601 })
    expect(codeOfResult(await introspector.introspect('b'))).toBe('token_inactive')
    expect(codeOfResult(await introspector.introspect('c'))).toBe('token_inactive')
  })

  test('is found by `prepared`, which does not mind where it is not', async () => {
    await using server = await openAuthorizationServer({ active: false }, (o) => ({ [openId]: metadata(o) }))
    const introspector = server.introspector({ endpoint: undefined } as object)
    await introspector.prepared()
    expect(server.site.hits).toEqual([openId])
    await introspector.introspect(token)
    expect(server.site.hits).toEqual([openId, '/introspect'])
    await server[Symbol.asyncDispose]()
    await expect(server.introspector({ endpoint: undefined } as object).prepared()).resolves.toBeUndefined()
  })
})
