// A guard that asks whether certificates were revoked: lists, responders, and what happens where nobody can say.
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import {
  authenticated,
  createGuard,
  type CertificateOptions,
  type FetchDocument,
  type RevocationOptions,
  type Source,
  type SourceListener,
} from '@countersign/core'
import { createTestClock, createTestIssuer } from '@countersign/testing'
import { afterAll, describe, expect, test } from 'vitest'
import { codeOf, connectionOf, present, requestWith, settled } from './support/asking.ts'
import { parseCrl } from '../../packages/core/src/identity/revocation/crl.ts'
import { Revocation } from '../../packages/core/src/identity/revocation/revocation.ts'
import { parsed } from './support/crl-verdict.ts'
import { crl, type CrlOptions } from './support/der-crl.ts'
import { at, authority, createKeys, integer, leaf, names } from './support/der-certificate.ts'
import { answerAbout, askedOf, says, type Asked } from './support/ocsp-answers.ts'
import { someAsked, statusHouse } from './support/ocsp-statuses.ts'
import { pemOf } from './support/pem.ts'
import { forwardedRequest, written } from './support/proxies.ts'
import { openTrustHouse, type TrustHouse } from './support/trust-house.ts'

const folder = mkdtempSync(join(tmpdir(), 'revocation-'))
afterAll(() => rmSync(folder, { recursive: true }))

const root = authority()
const issuing = authority({ commonName: 'Issuing', parts: { serialNumber: integer(77) } }, root)
const [checkout, orders] = [leafOf(5), leafOf(6)]
const lists = { none: crl(root), checkout: crl(root, { revoked: [5], number: 2 }) }

function leafOf(serialNumber: number, issuer = root): Buffer {
  return leaf(issuer, {
    names: [names.uri(`spiffe://prod.example/${serialNumber}`)],
    parts: { serialNumber: integer(serialNumber) },
  })
}

const on = (der: Uint8Array, ...chain: readonly Uint8Array[]): object => connectionOf({ der }, ...chain)

function open(revocation: RevocationOptions, fetch?: FetchDocument, roots = pemOf(root.der)): TrustHouse {
  const certificates = { trustDomains: { 'prod.example': roots }, revocation }
  return openTrustHouse(certificates, {
    clock: createTestClock(at),
    ...(fetch === undefined ? {} : { fetch }),
  })
}

let files = 0
function fileWith(content: string | Uint8Array): string {
  files += 1
  const path = join(folder, `${files}.crl`)
  writeFileSync(path, content)
  return path
}

/** A source that says what it is told to. */
function pushed() {
  let listener: SourceListener | undefined
  const source: Source = {
    follow(given) {
      listener = given
      return () => {}
    },
  }
  return { source, replace: (document: Uint8Array) => present(listener).replace(document) }
}

const pemList = (options: CrlOptions = {}): string => pemOf(crl(root, options), 'X509 CRL')

describe('lists', () => {
  test('in PEM or DER say who is revoked', async () => {
    for (const source of [
      pemList({ revoked: [5] }),
      fileWith(lists.checkout),
      fileWith(pemList({ revoked: [5] })),
    ]) {
      const { ask } = open({ crls: [source] })
      expect(await ask(on(checkout))).toBe('certificate_revoked')
      expect(await ask(on(orders))).toBe('allow')
    }
  })

  test('are followed: whoever is revoked is refused on the next request of the open connection', async () => {
    const path = fileWith(lists.none)
    const { ask, look } = open({ crls: [path] })
    const [first, second] = [on(checkout), on(orders)]
    expect(await ask(first)).toBe('allow')
    expect(await ask(second)).toBe('allow')
    writeFileSync(path, lists.checkout)
    await look()
    await look()
    expect(await ask(first)).toBe('certificate_revoked')
    expect(await ask(second)).toBe('allow')
  })

  test('speak of every certificate of a path but its root', async () => {
    const below = leafOf(8, issuing)
    const own = pemOf(crl(issuing), 'X509 CRL')
    const asked = (crls: string[]) => open({ crls }).ask(on(below, issuing.der))
    expect(await asked([own, pemList()])).toBe('allow')
    expect(await asked([own])).toBe('revocation_unavailable')
    expect(await asked([pemList()])).toBe('revocation_unavailable')
    expect(await asked([own, pemList({ revoked: [77] })])).toBe('certificate_revoked')
  })

  test('of somebody else, or of another time, say nothing: that is an outage, not a denial', async () => {
    const stranger = authority()
    const asked = (list: string) => open({ crls: [list] }).ask(on(checkout))
    expect(await asked(pemOf(crl(stranger), 'X509 CRL'))).toBe('revocation_unavailable')
    expect(await asked(pemOf(crl(stranger, { revoked: [5] }), 'X509 CRL'))).toBe('revocation_unavailable')
    expect(await asked(pemList({ until: '260531000000Z' }))).toBe('revocation_unavailable')
    expect(await asked(pemList({ from: '260602000000Z' }))).toBe('revocation_unavailable')
  })

  test('end on open connections too', async () => {
    const { ask, clock } = open({ crls: [pemList({ until: '260601000100Z' })] })
    const connection = on(checkout)
    expect(await ask(connection)).toBe('allow')
    clock.advance({ seconds: 60 })
    expect(await ask(connection)).toBe('allow')
    clock.advance({ seconds: 1 })
    expect(await ask(connection)).toBe('revocation_unavailable')
  })

  test('that are older than the one before take no revocation back', async () => {
    const path = fileWith(lists.checkout)
    const { ask, look } = open({ crls: [path] })
    writeFileSync(path, lists.none)
    await look()
    await look()
    expect(await ask(on(checkout))).toBe('certificate_revoked')
    // Once more, and it is still known.
    writeFileSync(path, Buffer.concat([crl(root, { number: 0 })]))
    await look()
    await look()
    expect(await ask(on(checkout))).toBe('certificate_revoked')
  })

  test.each<[string, Uint8Array]>([
    ['that somebody forged', crl(root, { number: 9_999, keys: createKeys() })],
    ['of somebody else', crl(authority({ commonName: 'Nobody' }))],
  ])('%s, served in between, let no older one take a revocation back', async (_, between) => {
    for (const mode of ['hard-fail', 'soft-fail'] as const) {
      const { source, replace } = pushed()
      const { ask } = open({ crls: [source], mode })
      replace(lists.checkout)
      expect(await ask(on(checkout))).toBe('certificate_revoked')
      replace(between)
      expect(await ask(on(checkout))).toBe('certificate_revoked')
      replace(lists.none)
      expect(await ask(on(checkout))).toBe('certificate_revoked')
      expect(await ask(on(orders))).toBe('allow')
      // Its authority takes it back, and nobody keeps that out.
      replace(crl(root, { number: 3 }))
      expect(await ask(on(checkout))).toBe('allow')
    }
  })

  test('that are newer do: a certificate was on hold', async () => {
    const path = fileWith(lists.checkout)
    const { ask, look } = open({ crls: [path] })
    writeFileSync(path, crl(root, { number: 3 }))
    await look()
    await look()
    expect(await ask(on(checkout))).toBe('allow')
  })

  test('that somebody forged keep none out that comes after', async () => {
    const forger = authority()
    const path = fileWith(crl(forger, { number: 9_999, until: '270101000000Z' }))
    const { ask, look } = open({ crls: [path] })
    expect(await ask(on(checkout))).toBe('revocation_unavailable')
    writeFileSync(path, lists.checkout)
    await look()
    await look()
    expect(await ask(on(checkout))).toBe('certificate_revoked')
    expect(await ask(on(orders))).toBe('allow')
  })

  test('that cannot be used leave the one before in place, and are told', async () => {
    const path = fileWith(lists.checkout)
    const { ask, look, state } = open({ crls: [path] })
    await ask(on(checkout))
    for (const [content, problem] of [
      [lists.none.subarray(0, 40), /list 1 cannot be read/],
      [crl(root, { extensions: [] }), /list 1 says nothing that counts/],
      ['-----BEGIN CERTIFICATE-----', /expected at least one PEM block `-----BEGIN X509 CRL-----`/],
    ] as const) {
      writeFileSync(path, content)
      await look()
      await look()
      expect(await state()).toMatch(problem)
      expect(await ask(on(checkout))).toBe('certificate_revoked')
      expect(await ask(on(orders))).toBe('allow')
    }
  })

  test('are so many in one document and no more: each is compared with each', async () => {
    const { source, replace } = pushed()
    const { state } = open({ crls: [source] })
    replace(Buffer.from(pemList().repeat(256)))
    expect(await state()).toBe('fresh')
    replace(Buffer.from(pemList().repeat(257)))
    expect(await state()).toBe('stale: expected at most 256 lists, got 257')
  })

  test('come from a source of one’s own, too', async () => {
    let listener: SourceListener | undefined
    const source: Source = {
      follow(given) {
        listener = given
        return () => {}
      },
    }
    const { ask } = open({ crls: [source] })
    const answer = ask(on(orders))
    await settled()
    present(listener).replace(lists.none)
    expect(await answer).toBe('allow')
    expect(await ask(on(checkout))).toBe('allow')
    present(listener).replace(lists.checkout)
    expect(await ask(on(checkout))).toBe('certificate_revoked')
  })

  describe('behind a URL', () => {
    const url = 'http://pki.test/root.crl'

    test('may come without TLS, and are waited for by the first who need them', async () => {
      const asked: string[] = []
      const fetch: FetchDocument = async ({ href }, { maxBytes, headers }) => {
        asked.push(`${href} ${maxBytes} ${headers?.['accept']}`)
        return { status: 200, headers: { 'cache-control': 'max-age=600' }, octets: lists.checkout }
      }
      const { ask, clock, after } = open({ crls: [url] }, fetch)
      expect(await Promise.all([ask(on(checkout)), ask(on(orders))])).toEqual([
        'certificate_revoked',
        'allow',
      ])
      expect(asked).toEqual([`${url} 8388608 application/pkix-crl, application/x-pem-file, */*;q=0.1`])
      await after(() => clock.advance({ seconds: 480 }))
      expect(asked).toHaveLength(2)
    })

    test('are read again within the hour, however long HTTP would keep them and however long they last', async () => {
      let asked = 0
      const fetch: FetchDocument = async () => {
        asked += 1
        const octets = crl(root, { until: '261201000000Z' })
        return { status: 200, headers: { 'cache-control': 'max-age=86400' }, octets }
      }
      const { ask, clock, after } = open({ crls: [url] }, fetch)
      await ask(on(orders))
      clock.advance({ seconds: 3599 })
      expect(asked).toBe(1)
      await after(() => clock.advance({ seconds: 1 }))
      expect(asked).toBe(2)
    })

    test('are read again before they end, however long HTTP would keep them', async () => {
      const ends = ['260601010000Z', '260601030000Z', '260601030000Z']
      const asked: number[] = []
      const fetch: FetchDocument = async () => {
        asked.push(clock.now() - at.getTime())
        const octets = crl(root, { number: asked.length, until: ends[asked.length - 1] ?? '270101000000Z' })
        return { status: 200, headers: { 'cache-control': 'max-age=86400' }, octets }
      }
      const { ask, clock, after } = open({ crls: [url] }, fetch)
      expect(await ask(on(orders))).toBe('allow')
      await after(() => clock.advance({ seconds: 48 * 60 }))
      expect(asked).toEqual([0, 48 * 60_000])
      clock.advance({ seconds: 13 * 60 })
      expect(await ask(on(orders))).toBe('allow')
    })

    test('are asked for by what HTTP said of them last, where that is no longer than anybody takes', async () => {
      const sent: unknown[] = []
      const etags = ['"1"', `"${'x'.repeat(1023)}"`, '"3"']
      const fetch: FetchDocument = async (_url, { headers }) => {
        sent.push(headers?.['if-none-match'])
        return { status: 200, headers: { etag: etags[sent.length - 1] }, octets: lists.none }
      }
      const { clock, after, guard } = open({ crls: [url] }, fetch)
      await guard.ready()
      await after(() => clock.advance({ seconds: 240 }))
      await after(() => clock.advance({ seconds: 240 }))
      await after(() => clock.advance({ seconds: 240 }))
      expect(sent).toEqual([undefined, '"1"', undefined, '"3"'])
    })

    test('are followed though a listener of the application throws, and the others are told', async () => {
      const fetch: FetchDocument = async () => ({ status: 200, headers: {}, octets: lists.none })
      const { guard, state } = open({ crls: [url] }, fetch)
      let told = 0
      guard.onTrustChange(() => {
        throw new Error('of the application')
      })
      guard.onTrustChange(() => (told += 1))
      expect(await state()).toBe('fresh')
      expect(told).toBe(1)
    })

    test('that have ended are looked for once a minute', async () => {
      let asked = 0
      const fetch: FetchDocument = async () => {
        asked += 1
        return {
          status: 200,
          headers: { 'cache-control': 'max-age=86400' },
          octets: crl(root, { until: '260531000000Z' }),
        }
      }
      const { ask, clock, after } = open({ crls: [url] }, fetch)
      expect(await ask(on(orders))).toBe('revocation_unavailable')
      await after(() => clock.advance({ seconds: 60 }))
      expect(asked).toBe(2)
    })

    test('that do not come are an outage after two seconds, and the service recovers by itself', async () => {
      let isDown = true
      const fetch: FetchDocument = async () => {
        if (isDown) return Promise.withResolvers<never>().promise
        return { status: 200, headers: {}, octets: lists.none }
      }
      const { ask, clock, guard } = open({ crls: [url] }, fetch)
      const answer = ask(on(checkout))
      await settled()
      clock.advance({ seconds: 2 })
      expect(await answer).toBe('revocation_unavailable')
      isDown = false
      const ready = guard.ready()
      expect(await Promise.race([ready, settled().then(() => 'waiting')])).toBe('waiting')
    })

    test('that do not come are waited for by so many requests at once, and no more', async () => {
      const fetch: FetchDocument = () => Promise.withResolvers<never>().promise
      const { ask, clock } = open({ crls: [url] }, fetch)
      const waiting = Array.from({ length: 2048 }, () => ask(on(orders)))
      await settled()
      expect(await ask(on(orders))).toBe('revocation_unavailable')
      clock.advance({ seconds: 2 })
      expect(new Set(await Promise.all(waiting))).toEqual(new Set(['revocation_unavailable']))
    })
  })
})

describe('soft-fail', () => {
  test('accepts where nobody can say, and refuses where somebody does', async () => {
    const own = pemOf(crl(issuing), 'X509 CRL')
    const { ask } = open({ crls: [own], mode: 'soft-fail' })
    expect(await ask(on(checkout))).toBe('allow')
    const strict = open({ crls: [pemList({ revoked: [5] })], mode: 'soft-fail' })
    expect(await strict.ask(on(checkout))).toBe('certificate_revoked')
  })

  test('waits for nobody, is ready without lists, and counts them once they come', async () => {
    const { promise, resolve } = Promise.withResolvers<Awaited<ReturnType<FetchDocument>>>()
    const { ask, after, guard } = open({ crls: ['http://pki.test/'], mode: 'soft-fail' }, () => promise)
    const connection = on(checkout)
    expect(await ask(connection)).toBe('allow')
    await after(() => resolve({ status: 200, headers: {}, octets: lists.checkout }))
    expect(await ask(connection)).toBe('certificate_revoked')
    expect(await guard.ready()).toMatchObject({
      ready: true,
      certificates: [{ isRequired: false }, {}].slice(0, 1),
    })
  })

  test('is ready while its lists are out of reach', async () => {
    const fetch: FetchDocument = async () => {
      throw new Error('connection refused')
    }
    const [soft, hard] = (['soft-fail', 'hard-fail'] as const).map((mode) =>
      open({ crls: ['http://pki.test/'], mode }, fetch),
    )
    expect((await soft?.guard.ready())?.ready).toBe(true)
    expect((await hard?.guard.ready())?.ready).toBe(false)
  })
})

describe('a responder', () => {
  const responders = ['http://ocsp.test/'] as const
  const serials = { checkout: askedFor(5), orders: askedFor(6) }

  function askedFor(serialNumber: number): Asked {
    return askedOf(root, { serialNumber: integer(serialNumber) })
  }

  /** A responder that knows of these, and answers at once. */
  function responder(revoked: ReadonlySet<Asked> = new Set()) {
    const site = { revoked, asked: 0, isDown: false, nowMs: at.getTime() }
    const fetch: FetchDocument = async (_url, { body }) => {
      site.asked += 1
      if (site.isDown) throw new Error('connection refused')
      const asked = present(
        Object.values(serials).find(({ certId }) =>
          Buffer.from(body as Uint8Array).includes(Buffer.from(certId)),
        ),
      )
      const status = site.revoked.has(asked) ? { says: says.revoked(at.getTime()) } : {}
      return { status: 200, headers: {}, octets: answerAbout(asked, { ...status, thisUpdate: site.nowMs }) }
    }
    return { site, fetch }
  }

  test('is asked once for a certificate, by the first request', async () => {
    const { site, fetch } = responder(new Set([serials.checkout]))
    const { ask } = open({ ocsp: { responders } }, fetch)
    const connection = on(orders)
    expect(await ask(connection)).toBe('allow')
    expect(await ask(connection)).toBe('allow')
    expect(await ask(on(orders))).toBe('allow')
    expect(site.asked).toBe(1)
    expect(await ask(on(checkout))).toBe('certificate_revoked')
  })

  test('is sent a nonce where that is asked for, and is believed with it alone', async () => {
    for (const nonce of [false, true]) {
      const sizes: number[] = []
      const { fetch } = responder()
      const counting: FetchDocument = (url, options) => {
        sizes.push(Buffer.from(options.body as Uint8Array).length)
        return fetch(url, options)
      }
      const { ask } = open({ ocsp: { responders, nonce } }, counting)
      expect(await ask(on(orders))).toBe('allow')
      expect((sizes[0] ?? 0) > 100).toBe(nonce)
    }
  })

  test('that is down is an outage', async () => {
    const { site, fetch } = responder()
    site.isDown = true
    const { ask, guard } = open({ ocsp: { responders } }, fetch)
    expect((await guard.ready()).certificates).toMatchObject([{ status: 'waiting', isRequired: false }])
    expect(await ask(on(orders))).toBe('revocation_unavailable')
    expect(await guard.ready()).toMatchObject({
      ready: true,
      certificates: [
        {
          source: "certificates.revocation.ocsp.responders['http://ocsp.test/']",
          status: 'stale',
          problem: expect.stringContaining('no whole answer'),
        },
      ],
    })
  })

  test('is not asked where a list has an answer', async () => {
    const { site, fetch } = responder()
    const { ask } = open({ crls: [pemList({ revoked: [5] })], ocsp: { responders } }, fetch)
    expect(await ask(on(checkout))).toBe('certificate_revoked')
    expect(await ask(on(orders))).toBe('allow')
    expect(site.asked).toBe(0)
  })

  test('is asked where a list leaves it open', async () => {
    const { site, fetch } = responder()
    const { ask } = open({ crls: [pemList({ until: '260531000000Z' })], ocsp: { responders } }, fetch)
    expect(await ask(on(orders))).toBe('allow')
    expect(site.asked).toBe(1)
  })

  test('that called a certificate revoked is believed though a list comes that leaves it out', async () => {
    const { fetch } = responder(new Set([serials.checkout]))
    const { source, replace } = pushed()
    const { ask, clock } = open({ crls: [source], ocsp: { responders } }, fetch)
    replace(crl(authority({ commonName: 'Nobody' })))
    expect(await ask(on(checkout))).toBe('certificate_revoked')
    replace(lists.none)
    expect(await ask(on(checkout))).toBe('certificate_revoked')
    expect(await ask(on(orders))).toBe('allow')
    // As long as it said.
    clock.advance({ seconds: 3600 })
    expect(await ask(on(checkout))).toBe('certificate_revoked')
    clock.advance(1)
    expect(await ask(on(checkout))).toBe('allow')
  })

  test('is asked again before its answer ends, and nobody waits for that', async () => {
    const { site, fetch } = responder()
    const { ask, clock } = open({ ocsp: { responders } }, fetch)
    const connection = on(orders)
    await ask(connection)
    clock.advance({ seconds: 50 * 60 })
    site.nowMs = clock.now()
    expect(await ask(on(orders))).toBe('allow')
    await settled()
    clock.advance({ seconds: 20 * 60 })
    site.isDown = true
    expect(await ask(connection)).toBe('allow')
    expect(await ask(on(orders))).toBe('allow')
  })

  test('that calls a certificate revoked ends what rests on it, on open connections too', async () => {
    const { site, fetch } = responder()
    const { ask, clock } = open({ ocsp: { responders } }, fetch)
    const connection = on(checkout)
    expect(await ask(connection)).toBe('allow')
    clock.advance({ seconds: 50 * 60 })
    site.nowMs = clock.now()
    site.revoked = new Set([serials.checkout])
    // Somebody else's connection has it asked about anew.
    expect(await ask(on(checkout))).toBe('allow')
    await settled()
    expect(await ask(connection)).toBe('certificate_revoked')
  })

  test('is asked beside under soft-fail, and its word counts from then on', async () => {
    const { fetch } = responder(new Set([serials.checkout]))
    const { ask } = open({ ocsp: { responders }, mode: 'soft-fail' }, fetch)
    const connection = on(checkout)
    expect(await ask(connection)).toBe('allow')
    await settled()
    expect(await ask(connection)).toBe('certificate_revoked')
  })

  test('that could not be asked under soft-fail is asked again after a minute', async () => {
    const { site, fetch } = responder(new Set([serials.checkout]))
    site.isDown = true
    const { ask, clock } = open({ ocsp: { responders }, mode: 'soft-fail' }, fetch)
    const connection = on(checkout)
    await ask(connection)
    await settled()
    site.isDown = false
    clock.advance({ seconds: 60 })
    expect(await ask(connection)).toBe('allow')
    clock.advance(1)
    await ask(connection)
    await settled()
    expect(await ask(connection)).toBe('certificate_revoked')
  })

  test('is asked no more once the guard is closed', async () => {
    const { site, fetch } = responder()
    const { ask, guard } = open({ ocsp: { responders } }, fetch)
    guard.close()
    expect(await ask(on(orders))).toBe('guard_closed')
    expect(site.asked).toBe(0)
  })

  test('that is being asked is let go when the guard is closed, and lets nobody in any more', async () => {
    const answer = Promise.withResolvers<Awaited<ReturnType<FetchDocument>>>()
    let isLetGo = false
    const { ask, guard } = open({ ocsp: { responders } }, (_url, { signal }) => {
      signal.addEventListener('abort', () => (isLetGo = true))
      return answer.promise
    })
    const waiting = ask(on(orders))
    await settled()
    guard.close()
    expect(isLetGo).toBe(true)
    answer.resolve({ status: 200, headers: {}, octets: answerAbout(serials.orders) })
    expect(await waiting).not.toBe('allow')
  })
})

test('a certificate that is revoked while keys are fetched for the token beside it does not count any more', async () => {
  const { source, replace } = pushed()
  const clock = createTestClock(at)
  const issuer = await createTestIssuer({ clock })
  const keys = Promise.withResolvers<Awaited<ReturnType<FetchDocument>>>()
  const guard = createGuard(
    {
      audience: 'orders',
      issuers: [{ issuer: issuer.issuer, jwksUri: 'https://issuer.test/keys', represents: 'user' }],
      certificates: {
        trustDomains: { 'prod.example': pemOf(root.der) },
        revocation: { crls: [source] },
      },
      log: false,
    },
    { clock, fetch: () => keys.promise },
  )
  replace(lists.none)
  const bearer = `Bearer ${await issuer.token('alice')}`
  const ask = async (der: Uint8Array) =>
    codeOf(await guard.decide(requestWith(bearer, on(der)), authenticated()))
  const [first, second] = [ask(checkout), ask(orders)]
  await settled()
  replace(lists.checkout)
  keys.resolve({ status: 200, headers: {}, octets: Buffer.from(JSON.stringify(issuer.jwks)) })
  expect(await first).toBe('certificate_revoked')
  expect(await second).toBe('allow')
})

test('strangers who wait for the roots of one domain keep nobody of another one from waiting', async () => {
  const answer = Promise.withResolvers<Awaited<ReturnType<FetchDocument>>>()
  const fetch: FetchDocument = ({ href }) =>
    href === 'http://ocsp.test/' ? answer.promise : Promise.withResolvers<never>().promise
  const { ask, clock } = openTrustHouse(
    {
      trustDomains: { 'prod.example': pemOf(root.der), 'partner.example': 'https://partner.test/bundle' },
      revocation: { ocsp: { responders: ['http://ocsp.test/'] } },
    },
    { clock: createTestClock(at), fetch },
  )
  const stranger = leaf(authority(), { names: [names.uri('spiffe://partner.example/x')] })
  const strangers = Array.from({ length: 2048 }, () => ask(on(stranger)))
  await settled()
  const waiting = ask(on(orders))
  await settled()
  answer.resolve({
    status: 200,
    headers: {},
    octets: answerAbout(askedOf(root, { serialNumber: integer(6) })),
  })
  expect(await waiting).toBe('allow')
  clock.advance({ seconds: 2 })
  expect(new Set(await Promise.all(strangers))).toEqual(new Set(['bundle_unavailable']))
})

test('a proxy of which nobody can say whether it was revoked is an outage, and no stranger', async () => {
  const certificates: CertificateOptions = {
    trustDomains: { 'prod.example': pemOf(root.der) },
    revocation: { crls: [pemOf(crl(authority()), 'X509 CRL')] },
    forwarded: {
      format: 'rfc9440',
      header: 'client-cert',
      from: { spiffeId: 'spiffe://prod.example/5' },
      untrusted: 'refuse',
    },
  }
  const guard = createGuard({ certificates, log: false }, { clock: createTestClock(at) })
  const request = forwardedRequest(written.rfc9440([orders]), on(checkout))
  expect(codeOf(await guard.decide(request, authenticated()))).toBe('revocation_unavailable')
})

test('a guard that is closed as soon as lists come lets nobody in who waited for them', async () => {
  const { promise, resolve } = Promise.withResolvers<Awaited<ReturnType<FetchDocument>>>()
  const { ask, guard } = open({ crls: ['http://pki.test/'] }, () => promise)
  const waiting = ask(on(orders))
  guard.onTrustChange(() => guard.close())
  resolve({ status: 200, headers: {}, octets: lists.none })
  expect(await waiting).toBe('guard_closed')
})

test.each<[string, unknown, RegExp]>([
  ['null, as of an empty line in YAML,', null, /certificates.revocation`: expected an object, got null/],
  ['false', false, /certificates.revocation`: expected an object/],
  ['an empty text', '', /certificates.revocation`: expected an object/],
  ['a variable that nobody has set', undefined, /certificates.revocation/],
  ['nobody to ask', {}, /name who knows of revocations/],
  ['no lists', { crls: [] }, /name who knows of revocations/],
  ['one list in place of several', { crls: './ca.crl' }, /crls`: expected a list such as/],
  ['a file that is not there', { crls: ['./none.crl'] }, /crls\[0\]`: the file `.\/none.crl` cannot be read/],
  ['a URL of another kind', { crls: [{ url: 'ftp://pki.test/' }] }, /crls\[0\]/],
  ['no responder', { ocsp: { responders: [] } }, /responders`: expected at least one URL/],
  ['a responder that is no URL', { ocsp: { responders: ['ocsp.test'] } }, /responders\[0\]/],
  ['something unknown beside responders', { ocsp: { responders: ['http://a/'], url: 1 } }, /url/],
  ['a nonce that is a number', { ocsp: { responders: ['http://a/'], nonce: 1 } }, /nonce`: expected true or/],
  ['authorities that are none', { ocsp: { responders: ['http://a/'], ca: './none.pem' } }, /ocsp.ca/],
  ['a responder with a password', { ocsp: { responders: ['http://a:b@c/'] } }, /responders\[0\]/],
  ['another mode', { crls: [pemList()], mode: 'hard' }, /mode`: expected 'hard-fail' or 'soft-fail', got/],
  ['something unknown', { crl: [] }, /crl/],
])('%s is a mistake', (_, revocation, message) => {
  const certificates = { trustDomains: { 'prod.example': pemOf(root.der) }, revocation } as CertificateOptions // a mistake
  expect(() => createGuard({ certificates })).toThrow(message)
})

describe('the questions about one certificate', () => {
  const path = [parsed(checkout), parsed(root.der)]
  const until = Date.parse('2026-07-01T00:00:00Z')
  const now = at.getTime()
  const listOf = (...octets: readonly Buffer[]) => octets.map((each) => parseCrl(each))
  const live = (crls: ReturnType<typeof listOf> | undefined, underWay?: Promise<void>) => ({
    now: crls,
    current(this: { now: typeof crls }) {
      return this.now
    },
    prepared: async () => {},
    underWay,
    state: { status: 'fresh' as const, readAt: undefined, problem: undefined },
    close: () => {},
  })
  const parts = { intermediates: [], ocsp: undefined, mode: 'hard' as const }

  test('are answered by the lists of now, also where one source of several has new ones', () => {
    const other = authority({ commonName: 'Other' })
    const sources = [live(listOf(lists.none)), live(listOf(crl(other)))]
    const revocation = new Revocation({ ...parts, crls: sources })
    const codeNow = (): string | undefined => revocation.inquire(now).flawOf(path)?.code
    expect(codeNow()).toBeUndefined()
    present(sources[0]).now = listOf(lists.checkout)
    expect(codeNow()).toBe('certificate_revoked')
    present(sources[0]).now = undefined
    expect(codeNow()).toBe('revocation_unavailable')
    present(sources[1]).now = listOf(lists.none)
    expect(codeNow()).toBeUndefined()
  })

  test('count as long as their answers, and are asked again where they were left open', () => {
    const asked = (crls: ReturnType<typeof listOf>) => {
      const inquiry = new Revocation({ ...parts, crls: [live(crls)], mode: 'soft' }).inquire(now)
      expect(inquiry.flawOf(path)).toBeUndefined()
      return { until: inquiry.until, askAgainAt: inquiry.askAgainAt }
    }
    expect(asked(listOf(lists.none))).toEqual({ until, askAgainAt: Infinity })
    expect(asked([])).toEqual({ until: Infinity, askAgainAt: now + 60_000 })
  })

  test('need help where one was left open, of lists under way, and of nobody else', async () => {
    const underWay = Promise.resolve()
    const helpOf = (crls: ReturnType<typeof listOf> | undefined) => {
      const inquiry = new Revocation({ ...parts, crls: [live(crls, underWay), live([])] }).inquire(now)
      inquiry.flawOf(path)
      return inquiry.help()
    }
    expect(helpOf(listOf(lists.none))).toEqual([])
    const [first, ...others] = helpOf(undefined)
    expect(first).toBe(underWay)
    expect(others).toEqual([])
  })

  test('are so many and no more, and are only those that were left open', async () => {
    const { statuses, learn, answerLast, sent } = statusHouse()
    const known = askedOf(root, { serialNumber: integer(5) })
    const learning = learn(known)
    await answerLast(known)
    await learning
    const inquiry = new Revocation({ ...parts, crls: [], ocsp: statuses }).inquire(now)
    expect(inquiry.flawOf([known.certificate, known.issuer])).toBeUndefined()
    expect(inquiry.help()).toEqual([])
    for (const one of someAsked(20)) inquiry.flawOf([one.certificate, one.issuer])
    expect(inquiry.help()).toHaveLength(1)
    expect(sent).toHaveLength(1 + 16)
    statuses.close()
  })
})
