// What is asked of a responder, how often, and what is remembered of its answers.
import { once } from 'node:events'
import { createServer, type RequestListener } from 'node:http'
import type { AddressInfo } from 'node:net'
import { createTestClock } from '@countersign/testing'
import { describe, expect, test } from 'vitest'
import { OcspStatuses } from '../../packages/core/src/identity/revocation/ocsp-statuses.ts'
import { OcspMemory } from '../../packages/core/src/identity/revocation/ocsp-memory.ts'
import { certIdOf, ocspRequestOf } from '../../packages/core/src/identity/revocation/ocsp-request.ts'
import { fetchDocument } from '../../packages/core/src/identity/trust/fetch-document.ts'
import {
  at,
  authority,
  der,
  extension,
  integer,
  leaf,
  oid,
  sequence,
  spkiOf,
} from './support/der-certificate.ts'
import {
  answerAbout,
  askedOf,
  day,
  hour,
  minute,
  now,
  parsed,
  root,
  says,
  type Asked,
} from './support/ocsp-answers.ts'
import { someAsked, statusHouse, turns } from './support/ocsp-statuses.ts'

const asked = askedOf(root, { serialNumber: integer(0x42) })
const other = askedOf(root, { serialNumber: integer(0x43) })
const cooldown = 10_000

async function learnt(status: Parameters<ReturnType<typeof statusHouse>['answerLast']>[1] = {}) {
  const house = statusHouse()
  const learning = house.learn(asked)
  await house.answerLast(asked, status)
  expect(await learning).toBe(true)
  return house
}

describe('a status', () => {
  test('T32 is asked for where it is not known, and serves until it ends', async () => {
    const house = statusHouse()
    expect(house.kindOf(asked)).toBe('none')
    expect(house.sent).toHaveLength(0)
    const learning = house.learn(asked)
    expect(house.sent).toHaveLength(1)
    await house.answerLast(asked)
    expect(await learning).toBe(true)
    expect(house.kindOf(asked)).toBe('good')
    house.clock.advance(hour)
    expect(house.kindOf(asked)).toBe('good')
    house.clock.advance(1)
    expect(house.kindOf(asked)).toBe('none')
  })

  test('that is known is not asked for', async () => {
    const house = await learnt()
    house.clock.advance(cooldown)
    expect(await house.learn(asked)).toBe(true)
    expect(house.sent).toHaveLength(1)
  })

  test('that is revoked says since when', async () => {
    const { statuses } = await learnt({ says: says.revoked(now - day) })
    expect(statuses.statusOf(asked.certificate, asked.issuer, now)).toEqual({
      kind: 'revoked',
      at: now - day,
      until: now + hour,
      askAgainAt: now + 0.8 * hour,
    })
  })

  test('that is being refreshed is looked at again soon', async () => {
    const { clock, statuses } = await learnt()
    clock.advance(50 * minute)
    expect(statuses.statusOf(asked.certificate, asked.issuer, clock.now())).toMatchObject({
      kind: 'good',
      askAgainAt: clock.now() + 5000,
    })
  })

  test('is of one number of one authority: a name with a key', async () => {
    const house = await learnt()
    expect(house.kindOf(other)).toBe('none')
    const sameName = parsed(authority({ commonName: 'Root' }).der)
    expect(house.kindOf({ ...asked, issuer: sameName })).toBe('none')
    const sameKey = parsed(authority({ commonName: 'Other', keys: root.keys }).der)
    expect(Buffer.from(sameKey.spki)).toEqual(spkiOf(root.keys))
    expect(house.kindOf({ ...asked, issuer: sameKey })).toBe('none')
    expect(house.kindOf({ ...asked, issuer: parsed(root.der) })).toBe('good')
  })

  test('of several certificates is asked for at once', async () => {
    const house = statusHouse()
    const learning = house.learn(asked, other, asked)
    expect(house.sent).toHaveLength(2)
    house.sent[0]?.answer(answerAbout(asked))
    house.sent[1]?.answer(answerAbout(other, { says: says.revoked(now) }))
    expect(await learning).toBe(true)
    expect([house.kindOf(asked), house.kindOf(other)]).toEqual(['good', 'revoked'])
  })

  test('that is unknown is none', async () => {
    const house = await learnt({ says: says.unknown })
    expect(house.kindOf(asked)).toBe('none')
    expect(house.statuses.statusOf(asked.certificate, asked.issuer, now)).toBeUndefined()
    expect(house.statuses.recall(asked, now)).toBeUndefined()
    expect(house.landings).toEqual([
      { responder: 'http://ocsp.test/', outcome: 'unknown', problem: undefined },
    ])
    expect(house.statuses.state).toMatchObject([{ status: 'fresh', problem: undefined }])
  })

  test('is bounded in number', async () => {
    const house = statusHouse({ maxEntries: 2 })
    for (const one of [asked, other, askedOf(root, { serialNumber: integer(3) })]) {
      const learning = house.learn(one)
      await house.answerLast(one)
      await learning
    }
    expect([house.kindOf(asked), house.kindOf(other)]).toEqual(['none', 'good'])
  })
})

describe('an answer that comes later', () => {
  async function refreshed(
    first: Parameters<typeof learnt>[0],
    then: Parameters<typeof learnt>[0],
    afterMs = 50 * minute,
  ) {
    const house = await learnt(first)
    house.clock.advance(afterMs)
    house.kindOf(asked)
    const learning = house.learn(asked)
    expect(house.sent).toHaveLength(2)
    await house.answerLast(asked, then)
    await learning
    return house
  }

  test('takes the place of the one before', async () => {
    const house = await refreshed({}, { says: says.revoked(now + minute) })
    expect(house.kindOf(asked)).toBe('revoked')
  })

  test('T32 is a replay where it is older, however long it is good for', async () => {
    const house = await refreshed({}, { thisUpdate: now - 1000, nextUpdate: now + day })
    expect(house.landings.at(-1)).toMatchObject({
      outcome: 'failed',
      problem: 'it is older than the answer before',
    })
    house.clock.advance(11 * minute)
    expect(house.kindOf(asked)).toBe('none')
  })

  test('may revoke at the very time of which it was good', async () => {
    const house = await refreshed({}, { thisUpdate: now, says: says.revoked(now) })
    expect(house.kindOf(asked)).toBe('revoked')
  })

  test('may be the same once more', async () => {
    const house = await refreshed({}, { thisUpdate: now })
    expect(house.landings.at(-1)?.outcome).toBe('good')
  })

  test.each([
    ['older', now - 1000, /older than/],
    ['of the same time', now, /no newer/],
  ])(
    'does not take back a revocation, also one that is out of time, where it is %s',
    async (_, thisUpdate, problem) => {
      const revoked = { says: says.revoked(now - day), nextUpdate: now + minute }
      const house = await refreshed(revoked, { thisUpdate, nextUpdate: now + day }, 2 * minute)
      expect(house.landings.at(-1)?.problem).toMatch(problem)
      expect(house.kindOf(asked)).toBe('none')
    },
  )

  test.each([
    ['good', says.good],
    ['unknown', says.unknown],
  ])('does not take back a revocation that is in time, where it is newer: %s', async (_, word) => {
    const house = await refreshed({ says: says.revoked(now - day) }, { says: word })
    expect(house.landings.at(-1)?.problem).toMatch(/still in time/)
    expect(house.kindOf(asked)).toBe('revoked')
  })

  test('says something where nobody knew anything', async () => {
    const house = await refreshed({ says: says.unknown }, {})
    expect(house.kindOf(asked)).toBe('good')
  })

  test('does not take back a revocation in its last millisecond', () => {
    const memory = new OcspMemory(10)
    const status = { kind: 'revoked', at: now - day, until: now + minute } as const
    expect(memory.accept('one', { status, thisUpdate: now }, now)).toBeUndefined()
    const next = { status: { kind: 'good', until: now + hour }, thisUpdate: now + 1 } as const
    expect(memory.accept('one', next, now + minute)).toMatch(/still in time/)
    expect(memory.find('one', now + minute)?.kind).toBe('revoked')
    expect(memory.accept('one', next, now + minute + 1)).toBeUndefined()
    expect(memory.find('one', now + minute + 1)?.kind).toBe('good')
  })

  test('may end a hold, once the revocation is out of time', async () => {
    const revoked = { says: says.revoked(now - day), nextUpdate: now + minute }
    const house = await refreshed(revoked, {}, 2 * minute)
    expect(house.kindOf(asked)).toBe('good')
  })

  test('may go on with a revocation', async () => {
    const house = await refreshed({ says: says.revoked(now - day) }, { says: says.revoked(now - day) })
    house.clock.advance(50 * minute)
    expect(house.kindOf(asked)).toBe('revoked')
  })

  test('ends what was good where it knows of no such certificate', async () => {
    const house = await refreshed({}, { says: says.unknown })
    expect(house.kindOf(asked)).toBe('none')
    house.clock.advance(cooldown)
    const learning = house.learn(asked)
    await house.answerLast(asked, { thisUpdate: now, nextUpdate: now + day })
    await learning
    expect(house.kindOf(asked)).toBe('none')
  })

  test('never makes a revocation forgotten, however many others are good', async () => {
    const house = statusHouse({ maxEntries: 4 })
    const learn = async (one: Asked, status = {}) => {
      const learning = house.learn(one)
      await house.answerLast(one, status)
      await learning
    }
    await learn(asked, { says: says.revoked(now - day) })
    for (let serial = 1; serial < 12; serial += 1) {
      await learn(askedOf(root, { serialNumber: integer(serial) }))
    }
    expect(house.kindOf(asked)).toBe('revoked')
  })
})

describe('a status in the last fifth of its time', () => {
  test('is asked for beside, and serves until it ends', async () => {
    const house = await learnt()
    house.clock.advance(48 * minute - 1)
    house.kindOf(asked)
    expect(house.sent).toHaveLength(1)
    house.clock.advance(1)
    expect(house.kindOf(asked)).toBe('good')
    expect(house.sent).toHaveLength(2)
    expect(house.kindOf(asked)).toBe('good')
    expect(house.sent).toHaveLength(2)
    await house.answerLast(asked)
    house.clock.advance(hour)
    expect(house.kindOf(asked)).toBe('good')
  })

  test('is asked for once per cool-down while there is no answer, and ends all the same', async () => {
    const house = await learnt()
    house.clock.advance(48 * minute)
    house.kindOf(asked)
    house.sent[1]?.fail(new Error('down'))
    await turns()
    expect(house.kindOf(asked)).toBe('good')
    house.clock.advance(cooldown - 1)
    expect(house.kindOf(asked)).toBe('good')
    expect(house.sent).toHaveLength(2)
    house.clock.advance(1)
    expect(house.kindOf(asked)).toBe('good')
    expect(house.sent).toHaveLength(3)
    house.clock.advance(12 * minute)
    expect(house.kindOf(asked)).toBe('none')
  })

  test('counts from when it was heard: old answers that are good for long are not asked for at each request', async () => {
    const house = await learnt({ thisUpdate: now - 6 * day, nextUpdate: now + day })
    house.clock.advance(12 * hour)
    expect(house.kindOf(asked)).toBe('good')
    expect(house.sent).toHaveLength(1)
  })

  test('waits for no place: where there is none it is asked for later', async () => {
    const house = await learnt()
    house.clock.advance(48 * minute)
    const crowd = someAsked(64).map((one) => house.learn(one))
    expect(house.sent).toHaveLength(65)
    expect(house.kindOf(asked)).toBe('good')
    for (const { fail } of house.sent) fail(new Error('down'))
    await Promise.all(crowd)
    expect(house.sent).toHaveLength(65)
    house.kindOf(asked)
    expect(house.sent).toHaveLength(66)
  })
})

describe('T31 a responder that gives no answer', () => {
  test('is asked once per certificate and cool-down, and nobody waits for it twice', async () => {
    const house = statusHouse()
    const learning = house.learn(asked)
    house.sent[0]?.fail(Object.assign(new Error('secret'), { code: 'ECONNREFUSED' }))
    expect(await learning).toBe(true)
    for (let i = 0; i < 100; i += 1) expect(await house.learn(asked)).toBe(true)
    house.clock.advance(cooldown - 1)
    expect(await house.learn(asked)).toBe(true)
    expect(house.sent).toHaveLength(1)
    house.clock.advance(1)
    void house.learn(asked)
    expect(house.sent).toHaveLength(2)
    expect(house.landings).toEqual([
      { responder: 'http://ocsp.test/', outcome: 'failed', problem: 'ECONNREFUSED' },
    ])
  })

  test('is asked again where the clock was set back', async () => {
    const house = statusHouse()
    void house.learn(asked)
    house.sent[0]?.fail(new Error('down'))
    await turns()
    house.clock.advance(-1)
    void house.learn(asked)
    expect(house.sent).toHaveLength(2)
  })

  test('is waited for for two seconds and no longer; what it says then counts', async () => {
    const house = statusHouse()
    let isOver = false
    const learning = house.learn(asked).then((result) => {
      isOver = true
      return result
    })
    house.clock.advance(1999)
    await turns()
    expect(isOver).toBe(false)
    house.clock.advance(1)
    expect(await learning).toBe(true)
    expect(house.kindOf(asked)).toBe('none')
    await house.answerLast(asked)
    expect(house.kindOf(asked)).toBe('good')
  })

  test('is given up after three seconds, and what it says then is not heard', async () => {
    const house = statusHouse()
    void house.learn(asked)
    house.clock.advance(3000)
    await turns()
    expect(house.sent[0]?.options.signal.aborted).toBe(true)
    expect(house.landings).toMatchObject([{ outcome: 'failed', problem: 'no answer in time' }])
    await house.answerLast(asked)
    expect(house.kindOf(asked)).toBe('none')
  })

  test.each([201, 304])('has none with the status %i', async (status) => {
    const house = statusHouse()
    const learning = house.learn(asked)
    house.sent[0]?.answer(answerAbout(asked), status)
    await learning
    expect(house.kindOf(asked)).toBe('none')
    expect(house.landings[0]?.problem).toBe(`expected status 200, got ${status}`)
  })

  test('is told of, in words that nobody sent, until it answers', async () => {
    const house = statusHouse()
    const before = {
      responder: 'http://ocsp.test/',
      status: 'waiting',
      answeredAt: undefined,
      problem: undefined,
    }
    expect(house.statuses.state).toEqual([before])
    void house.learn(asked)
    house.sent[0]?.answer(Buffer.from('<html>secret</html>'))
    await turns()
    const [state] = house.statuses.state
    expect(state).toMatchObject({ status: 'failed', answeredAt: now })
    expect(state?.problem).toMatch(/^it cannot be read/)
    expect(state?.problem).not.toContain('secret')
    house.clock.advance(cooldown)
    void house.learn(asked)
    await house.answerLast(asked)
    expect(house.statuses.state).toMatchObject([
      { status: 'fresh', answeredAt: now + cooldown, problem: undefined },
    ])
  })

  test('does not make a mistake of the application one of the house', async () => {
    const house = statusHouse({
      fetch: () => {
        throw new TypeError('no such function')
      },
    })
    expect(await house.learn(asked)).toBe(true)
    expect(house.landings).toMatchObject([{ outcome: 'failed' }])
  })
})

describe('T28 questions', () => {
  test('about one certificate are one, however many requests wait for it', async () => {
    const house = statusHouse()
    const learning = Array.from({ length: 500 }, () => house.learn(asked))
    expect(house.sent).toHaveLength(1)
    await house.answerLast(asked)
    expect(new Set(await Promise.all(learning))).toEqual(new Set([true]))
  })

  test('are no more than 64 at a time, and the others wait in turn', async () => {
    const house = statusHouse()
    const all = someAsked(70)
    const learning = all.map((one) => house.learn(one))
    expect(house.sent).toHaveLength(64)
    house.sent[0]?.fail(new Error('down'))
    await turns()
    expect(house.sent).toHaveLength(65)
    // Who is in line joins those who are in line.
    const same = house.learn(...all.slice(-1))
    for (let i = 1; i < 70; i += 1) {
      house.sent[i]?.fail(new Error('down'))
      await turns()
    }
    expect(await Promise.all([...learning, same])).not.toContain(false)
    expect(house.sent).toHaveLength(70)
  })

  test('that waited for more than two seconds are not asked any more, and may be asked anew', async () => {
    const house = statusHouse()
    const all = someAsked(66)
    const learning = all.map((one) => house.learn(one))
    house.clock.advance(2001)
    expect(new Set(await Promise.all(learning))).toEqual(new Set([true]))
    house.sent[0]?.fail(new Error('down'))
    await turns()
    expect(house.sent).toHaveLength(64)
    void house.learn(...all.slice(-1))
    expect(house.sent).toHaveLength(65)
  })

  test('wait 2048 at a time, and whoever comes then is told so at once', async () => {
    const house = statusHouse()
    const learning = Array.from({ length: 2048 }, () => house.learn(asked))
    expect(await house.learn(asked)).toBe(false)
    expect(await house.learn(other)).toBe(false)
    expect(house.sent).toHaveLength(1)
    await house.answerLast(asked)
    expect(new Set(await Promise.all(learning))).toEqual(new Set([true]))
    // What is known is nobody's to wait for.
    expect(await house.learn(asked)).toBe(true)
    void house.learn(other)
    expect(house.sent).toHaveLength(2)
  })

  test('are 2048 in line, however many certificates a path has', async () => {
    const house = statusHouse()
    const all = someAsked(64 + 2048)
    for (let i = 0; i < all.length; i += 8) void house.learn(...all.slice(i, i + 8))
    expect(await house.learn(other)).toBe(false)
    expect(house.sent).toHaveLength(64)
  })

  test('wait as long as an answer takes where the clock has no timers', async () => {
    const house = statusHouse({ clock: { now: () => now } })
    const learning = house.learn(asked)
    await house.answerLast(asked)
    expect(await learning).toBe(true)
    expect(house.kindOf(asked)).toBe('good')
  })
})

describe('what is closed', () => {
  test('lets nobody wait, says nothing more and asks no more', async () => {
    const house = statusHouse()
    const learning = house.learn(...someAsked(80))
    house.statuses.close()
    expect(await learning).toBe(true)
    expect(house.sent[0]?.options.signal.aborted).toBe(true)
    expect(house.sent).toHaveLength(64)
    expect(house.landings).toEqual([])
    expect(await house.learn(asked)).toBe(true)
    expect(house.sent).toHaveLength(64)
  })
})

describe('a question', () => {
  const options = { responders: [new URL('https://ocsp.test/a?b')], ca: 'PEM' }

  test('goes to the responder by POST, with what it is and what is expected', () => {
    const house = statusHouse(options)
    void house.learn(asked)
    const [sent] = house.sent
    expect(sent?.url.href).toBe('https://ocsp.test/a?b')
    expect(sent?.options).toMatchObject({
      ca: 'PEM',
      headers: { 'content-type': 'application/ocsp-request', accept: 'application/ocsp-response' },
    })
    expect(sent?.options.body).toEqual(ocspRequestOf(certIdOf(asked), undefined))
  })

  test('has a nonce of 32 octets where one is wanted, and none that is not its own is accepted', async () => {
    const sizes: number[] = []
    const nonceOctets = (size: number) => {
      sizes.push(size)
      return Buffer.alloc(size, sizes.length)
    }
    const house = statusHouse({ nonceOctets })
    const learning = house.learn(asked)
    expect(sizes).toEqual([32])
    expect(house.sent[0]?.options.body).toEqual(ocspRequestOf(certIdOf(asked), Buffer.alloc(32, 1)))
    await house.answerLast(asked)
    await learning
    expect(house.kindOf(asked)).toBe('good')
  })
})

async function openServer(listener: RequestListener) {
  const server = createServer(listener).listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo // it listens on a port
  return { url: new URL(`http://127.0.0.1:${port}/ocsp`), close: () => server.close() }
}

describe('T30 over HTTP', () => {
  const overHttp = async (listener: RequestListener) => {
    const server = await openServer(listener)
    const clock = createTestClock(at)
    const problems: (string | undefined)[] = []
    const statuses = new OcspStatuses({
      responders: [server.url],
      ca: undefined,
      clock,
      fetch: fetchDocument,
      maxEntries: 10,
      landed: ({ problem }) => problems.push(problem),
    })
    await statuses.learn([asked])
    server.close()
    return { kind: statuses.statusOf(asked.certificate, asked.issuer, now)?.kind, problems }
  }

  test('a responder gets the octets of the request, and their number', async () => {
    const seen: unknown[] = []
    const result = await overHttp((request, response) => {
      const { method, url, headers } = request
      const chunks: Buffer[] = []
      request.on('data', (chunk: Buffer) => chunks.push(chunk))
      request.once('end', () => {
        const body = Buffer.concat(chunks)
        seen.push(
          method,
          url,
          headers['content-type'],
          Number(headers['content-length']) === body.length,
          body,
        )
        // Its type says nothing.
        response.setHeader('content-type', 'text/html').end(answerAbout(asked))
      })
    })
    expect(result).toEqual({ kind: 'good', problems: [undefined] })
    const body = Buffer.from(ocspRequestOf(certIdOf(asked), undefined))
    expect(seen).toEqual(['POST', '/ocsp', 'application/ocsp-request', true, body])
  })

  test('a redirect is not followed, and an answer without end is not read', async () => {
    expect(
      await overHttp((_, response) => response.writeHead(302, { location: 'http://169.254.169.254/' }).end()),
    ).toEqual({ kind: undefined, problems: ['expected status 200, got 302'] })
    const endless: RequestListener = (_, response) => {
      const chunk = Buffer.alloc(64 * 1024)
      const more = () => {
        while (response.write(chunk));
      }
      response.on('drain', more)
      more()
    }
    expect(await overHttp(endless)).toEqual({
      kind: undefined,
      problems: [expect.stringContaining('no whole answer')],
    })
  })
})

test('a responder that is down keeps nobody from asking another one', async () => {
  const [up, down] = ['http://up.test/', 'http://down.test/'].map((url) => new URL(url))
  if (up === undefined || down === undefined) throw new Error('two')
  const namedBy = (number: number, url: URL): Asked => {
    const location = der(0x86, Buffer.from(url.href))
    const access = extension(
      '1.3.6.1.5.5.7.1.1',
      false,
      sequence(sequence(oid('1.3.6.1.5.5.7.48.1'), location)),
    )
    const certificate = parsed(leaf(root, { extensions: [access], parts: { serialNumber: integer(number) } }))
    const issuer = parsed(root.der)
    return { authority: root, issuer, certificate, certId: certIdOf({ certificate, issuer }) }
  }
  const { statuses, kindOf, answerLast, learn } = statusHouse({ responders: [down, up] })
  void learn(...Array.from({ length: 70 }, (_, i) => namedBy(i + 1, down)))
  const wanted = namedBy(100, up)
  const known = learn(wanted)
  let hasJoined = true
  void learn(wanted).then(() => (hasJoined = false))
  await turns()
  expect(hasJoined).toBe(true)
  await answerLast(wanted)
  expect(await known).toBe(true)
  expect(kindOf(wanted)).toBe('good')
  statuses.close()
})
