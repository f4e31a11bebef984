// Roots that change while a service runs: files, URLs, sources of one's own.
import { mkdirSync, mkdtempSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import {
  createGuard,
  type CertificateOptions,
  type FetchDocument,
  type Source,
  type SourceListener,
} from '@countersign/core'
import { createTestCa, createTestClock, type TestCa } from '@countersign/testing'
import { afterAll, describe, expect, test } from 'vitest'
import {
  parseCertificate,
  type ParsedCertificate,
} from '../../packages/core/src/identity/certificate/parsed-certificate.ts'
import { TrustedRoots, type Bundle } from '../../packages/core/src/identity/peer/trusted-roots.ts'
import type { Live } from '../../packages/core/src/identity/trust/live.ts'
import { LiveValue } from '../../packages/core/src/identity/trust/live-value.ts'
import { SuppliedValue } from '../../packages/core/src/identity/trust/supplied-value.ts'
import { Refusal } from '../../packages/core/src/refusal.ts'
import { connectionOf, present, settled } from './support/asking.ts'
import { at, authority, extension, leaf } from './support/der-certificate.ts'
import { pemOf } from './support/pem.ts'
import { bundleOf } from './support/spiffe-bundle.ts'
import { openTrustHouse } from './support/trust-house.ts'

const folder = mkdtempSync(join(tmpdir(), 'roots-'))
afterAll(() => rmSync(folder, { recursive: true }))

const start = new Date('2030-01-01T00:00:00Z')
const caOf = (name: string): Promise<TestCa> =>
  createTestCa({ name, trustDomain: 'prod.example', now: start, notAfter: new Date('2031-01-01T00:00:00Z') })
const [old, next] = [await caOf('old'), await caOf('next')]
const forYears = { notAfter: new Date('2030-12-01T00:00:00Z') }
const checkout = await old.svid('/checkout', forYears)
const orders = await next.svid('/orders', forYears)

const trustDomains = (source: unknown): CertificateOptions =>
  ({ trustDomains: { 'prod.example': source } }) as CertificateOptions // tests write more than the type allows

let files = 0
function fileWith(content: string): string {
  files += 1
  const path = join(folder, `${files}.pem`)
  writeFileSync(path, content)
  return path
}

describe('roots in a file', () => {
  test('are replaced as a whole: who rests on an old one is refused on the open connection', async () => {
    const path = fileWith(old.bundle)
    const { ask, look } = openTrustHouse(trustDomains(path))
    const [first, second] = [connectionOf(checkout), connectionOf(orders)]
    expect(await ask(first)).toBe('allow')
    expect(await ask(second)).toBe('certificate_untrusted')
    writeFileSync(path, next.bundle)
    await look()
    const [event] = await look()
    expect(event?.outcome).toBe('refreshed')
    expect(await ask(first)).toBe('certificate_untrusted')
    // Neither has to wait until a refusal is looked at again.
    expect(await ask(second)).toBe('allow')
  })

  test('may be added, and then nobody is refused', async () => {
    const path = fileWith(old.bundle)
    const { ask, look } = openTrustHouse(trustDomains(path))
    const first = connectionOf(checkout)
    await ask(first)
    writeFileSync(path, `${old.bundle}\n${next.bundle}`)
    await look()
    await look()
    expect(await ask(first)).toBe('allow')
    expect(await ask(connectionOf(orders))).toBe('allow')
  })

  test('count when they were read the same way twice: a file may be in the midst of being written', async () => {
    const path = fileWith(`${old.bundle}\n${next.bundle}`)
    const { ask, look } = openTrustHouse(trustDomains(path))
    expect(await ask(connectionOf(orders))).toBe('allow')
    // The first block of two, which is a valid file.
    writeFileSync(path, old.bundle)
    const [seen] = await look()
    expect(seen).toMatchObject({ outcome: 'unchanged', status: 'fresh' })
    expect(await ask(connectionOf(orders))).toBe('allow')
    writeFileSync(path, `${old.bundle}\n${next.bundle}`)
    await look()
    expect(await ask(connectionOf(orders))).toBe('allow')
    writeFileSync(path, old.bundle)
    await look()
    await look()
    expect(await ask(connectionOf(orders))).toBe('certificate_untrusted')
  })

  test.each([
    ['without a certificate', 'nothing here', /expected at least one PEM block/],
    ['with half a certificate', old.bundle.slice(0, -60), /expected at least one PEM block/],
    [
      'with something else in a block',
      old.bundle.replace('CERTIFICATE-----\nMII', 'CERTIFICATE-----\nMIA'),
      /certificate 1 cannot be read/,
    ],
    ['with a bundle that is none', '{"keys":3}', /keys/],
  ])('%s leave those before in place, and are told', async (_, content, problem) => {
    const path = fileWith(old.bundle)
    const { ask, look, state } = openTrustHouse(trustDomains(path))
    await ask(connectionOf(checkout))
    writeFileSync(path, content)
    await look()
    const [event] = await look()
    expect(event).toMatchObject({
      source: "certificates.trustDomains['prod.example']",
      outcome: 'failed',
      status: 'stale',
      problem: expect.stringMatching(problem),
    })
    expect(await state()).toMatch(problem)
    // And so it stays, until there is something else.
    await look()
    expect(await state()).toMatch(problem)
    expect(await ask(connectionOf(checkout))).toBe('allow')
  })

  test('may vanish and come back, replaced by a rename', async () => {
    const path = fileWith(old.bundle)
    const { ask, look, state } = openTrustHouse(trustDomains(path))
    await ask(connectionOf(checkout))
    renameSync(path, `${path}.away`)
    const [event] = await look()
    expect(event).toMatchObject({ outcome: 'failed', problem: expect.stringContaining('ENOENT') })
    expect(await ask(connectionOf(checkout))).toBe('allow')
    const fresh = fileWith(next.bundle)
    renameSync(fresh, path)
    await look()
    await look()
    expect(await state()).toBe('fresh')
    expect(await ask(connectionOf(orders))).toBe('allow')
  })

  test('that nobody could read for a day serve no more: that is an outage, not a denial', async () => {
    const path = fileWith(old.bundle)
    const { ask, look, clock, guard } = openTrustHouse(trustDomains(path))
    const open = connectionOf(checkout)
    expect(await ask(open)).toBe('allow')
    rmSync(path)
    await look()
    clock.advance({ seconds: 24 * 3600 })
    expect(await ask(open)).toBe('allow')
    clock.advance(1)
    expect(await ask(open)).toBe('bundle_unavailable')
    expect(await ask(connectionOf(checkout))).toBe('bundle_unavailable')
    expect(await guard.ready()).toMatchObject({ ready: false, certificates: [{ status: 'expired' }] })
    expect(guard.clientAuthorities).toEqual([])
  })

  test('are read once while the process starts, and have to be there', () => {
    expect(() => createGuard({ certificates: trustDomains(join(folder, 'none.pem')) })).toThrow(
      /trustDomains\['prod.example'\]`: the file `.*none.pem` cannot be read/,
    )
    expect(() => createGuard({ certificates: trustDomains(fileWith('')) })).toThrow(/at least one PEM block/)
    const huge = fileWith(`${old.bundle}${' '.repeat(1024 * 1024)}`)
    expect(() => createGuard({ certificates: trustDomains(huge) })).toThrow(/more than 1048576 bytes/)
    const directory = join(folder, 'a.pem')
    mkdirSync(directory)
    expect(() => createGuard({ certificates: trustDomains(directory) })).toThrow(/a.pem` cannot be read/)
  })

  test('of an authority of another kind are followed, too', async () => {
    const path = fileWith(old.bundle)
    const named = await old.serverCertificate(['checkout.internal'], {
      ...forYears,
      purposes: ['clientAuth'],
    })
    const { ask, look } = openTrustHouse({ authorities: { partners: { roots: path, identity: 'dns' } } })
    const open = connectionOf(named)
    expect(await ask(open)).toBe('allow')
    writeFileSync(path, next.bundle)
    await look()
    await look()
    expect(await ask(open)).toBe('certificate_untrusted')
  })
})

describe('a chain that a connection does not show any more', () => {
  test('is known from when it was verified, also after roots were replaced', async () => {
    const issuing = await old.intermediate(forYears)
    const svid = await issuing.svid('/carts', forYears)
    const path = fileWith(old.bundle)
    const { ask, look } = openTrustHouse(trustDomains(path))
    expect(await ask(connectionOf(svid))).toBe('certificate_untrusted')
    const [, intermediate] = svid.chain
    expect(await ask(connectionOf(svid, present(intermediate)))).toBe('allow')
    writeFileSync(path, `${old.bundle}\n${next.bundle}`)
    await look()
    await look()
    expect(await ask(connectionOf(svid))).toBe('allow')
  })
})

describe('a chain that is remembered', () => {
  // Of a mean authority, whose every certificate is as large as one may be.
  test.each([
    ['of ordinary size', 100, 'allow'],
    ['of more than 8 KiB', 8 * 1024, 'certificate_untrusted'],
  ])('%s: %s octets', async (_, size, later) => {
    const root = authority()
    const large = extension('1.2.3.4', false, Buffer.alloc(size))
    const issuing = authority({ commonName: 'Issuing', also: [large] }, root)
    const svid = { der: leaf(issuing) }
    const { ask } = openTrustHouse(trustDomains(pemOf(root.der)), { clock: createTestClock(at) })
    expect(await ask(connectionOf(svid, issuing.der))).toBe('allow')
    // Whose verification was remembered is not asked for its chain: OpenSSL has something against this one.
    const changed = { ...connectionOf(svid), authorized: false, authorizationError: 'CERT_REVOKED' }
    expect(await ask(changed)).toBe(later === 'allow' ? 'certificate_rejected_by_tls' : later)
  })
})

describe('roots behind a URL', () => {
  const url = 'https://bundles.test/prod.json'
  const [before, after] = [bundleOf([old], { spiffe_sequence: 5 }), bundleOf([next], { spiffe_sequence: 6 })]

  function openSite(document: string, headers: Record<string, string> = {}) {
    const site = { document, headers, isDown: false, asked: 0 }
    const fetch: FetchDocument = async () => {
      site.asked += 1
      if (site.isDown) throw new Error('connection refused')
      return { status: 200, headers: site.headers, octets: Buffer.from(site.document) }
    }
    return { site, fetch }
  }

  test('are waited for by the first who need them', async () => {
    const { site, fetch } = openSite(before)
    const { ask, state } = openTrustHouse(trustDomains(url), { fetch })
    expect(await Promise.all([ask(connectionOf(checkout)), ask(connectionOf(checkout))])).toEqual([
      'allow',
      'allow',
    ])
    expect(site.asked).toBe(1)
    expect(await state()).toBe('fresh')
  })

  test('that do not come are an outage, after two seconds at most', async () => {
    const fetch: FetchDocument = () => Promise.withResolvers<never>().promise
    const { ask, clock } = openTrustHouse(trustDomains(url), { fetch })
    const answer = ask(connectionOf(checkout))
    await settled()
    clock.advance(1999)
    expect(await Promise.race([answer, settled().then(() => 'waiting')])).toBe('waiting')
    clock.advance(1)
    expect(await answer).toBe('bundle_unavailable')
  })

  test('may be out of reach when the process starts: it answers 503, and recovers by itself', async () => {
    const { site, fetch } = openSite(before)
    site.isDown = true
    const { ask, clock, guard, after: whenRead } = openTrustHouse(trustDomains(url), { fetch })
    expect(await guard.ready()).toMatchObject({
      ready: false,
      certificates: [{ status: 'waiting', problem: 'connection refused' }],
    })
    expect(await ask(connectionOf(checkout))).toBe('bundle_unavailable')
    site.isDown = false
    await whenRead(() => clock.advance(1500))
    expect(await ask(connectionOf(checkout))).toBe('allow')
    expect(await guard.ready()).toMatchObject({ ready: true })
  })

  test('are read again when the publisher says so', async () => {
    const { site, fetch } = openSite(bundleOf([old], { spiffe_refresh_hint: 60 }))
    const { ask, clock, after: whenRead } = openTrustHouse(trustDomains(url), { fetch })
    const open = connectionOf(checkout)
    await ask(open)
    site.document = after
    clock.advance({ seconds: 59 })
    expect(site.asked).toBe(1)
    await whenRead(() => clock.advance({ seconds: 1 }))
    expect(await ask(open)).toBe('certificate_untrusted')
    expect(await ask(connectionOf(orders))).toBe('allow')
  })

  test('never go back to an older bundle, which could bring a withdrawn root back', async () => {
    const { site, fetch } = openSite(after)
    const { ask, clock, after: whenRead } = openTrustHouse(trustDomains(url), { fetch })
    expect(await ask(connectionOf(orders))).toBe('allow')
    site.document = before
    const [event] = await whenRead(() => clock.advance({ seconds: 300 }))
    expect(event?.problem).toBe('`spiffe_sequence` went back from 6 to 5')
    expect(await ask(connectionOf(checkout))).toBe('certificate_untrusted')
  })

  test('may all be withdrawn by their publisher', async () => {
    const { site, fetch } = openSite(before)
    const { ask, clock, after: whenRead } = openTrustHouse(trustDomains(url), { fetch })
    const open = connectionOf(checkout)
    await ask(open)
    site.document = '{"keys":[]}'
    await whenRead(() => clock.advance({ seconds: 300 }))
    expect(await ask(open)).toBe('certificate_untrusted')
  })

  test.each([
    ['without TLS', 'http://bundles.test/prod.json', /expected an https URL/],
    ['with a password', 'https://a:b@bundles.test/', /expected an https URL/],
    ['beside something unknown', { url, caFile: 'x' }, /caFile/],
    ['that is none', { url: 'bundles' }, /expected an https URL/],
    ['with a file of authorities that is none', { url, ca: './none.pem' }, /ca.*cannot be read/],
    ['in place of nothing', undefined, /expected PEM text, the path/],
    ['in place of a number', 3, /got a number/],
  ])('%s are a mistake', (_, source, message) => {
    expect(() => createGuard({ certificates: trustDomains(source) })).toThrow(message)
  })
})

describe('a source of one’s own', () => {
  function openSource() {
    let listener: SourceListener | undefined
    let ended = 0
    const source: Source = {
      follow(given) {
        listener = given
        return () => {
          ended += 1
        }
      },
    }
    return {
      source,
      replace: (document: string | Uint8Array) => present(listener).replace(document),
      fail: (problem: string) => present(listener).fail(problem),
      ended: () => ended,
    }
  }

  test('may have something at once', async () => {
    const source: Source = {
      follow(listener) {
        listener.replace(old.bundle)
        return () => {}
      },
    }
    const { ask, state } = openTrustHouse(trustDomains(source))
    expect(await ask(connectionOf(checkout))).toBe('allow')
    expect(await state()).toBe('fresh')
  })

  test('is waited for, and replaces what it had', async () => {
    const { source, replace } = openSource()
    const { ask } = openTrustHouse(trustDomains(source))
    const open = connectionOf(checkout)
    const answer = ask(open)
    await settled()
    replace(Buffer.from(old.bundle))
    expect(await answer).toBe('allow')
    replace(next.bundle)
    expect(await ask(open)).toBe('certificate_untrusted')
    expect(await ask(connectionOf(orders))).toBe('allow')
  })

  test('that has nothing new says so: what it had serves for a day, from its first failure on', async () => {
    const { source, replace, fail } = openSource()
    const { ask, clock, state } = openTrustHouse(trustDomains(source))
    replace(old.bundle)
    const open = connectionOf(checkout)
    fail('the agent is gone')
    clock.advance({ seconds: 43_200 })
    fail('it is still gone')
    expect(await state()).toBe('stale: it is still gone')
    clock.advance({ seconds: 43_200 })
    expect(await ask(open)).toBe('allow')
    clock.advance(1)
    expect(await ask(open)).toBe('bundle_unavailable')
    replace(old.bundle)
    expect(await ask(open)).toBe('allow')
    expect(await state()).toBe('fresh')
  })

  test('that sends what cannot be used changes nothing', async () => {
    const { source, replace } = openSource()
    const { ask, state } = openTrustHouse(trustDomains(source))
    replace(old.bundle)
    replace('nonsense')
    expect(await ask(connectionOf(checkout))).toBe('allow')
    expect(await state()).toMatch(/^stale: expected at least one PEM block/)
  })

  test('that never has anything leaves the guard unready, and does not keep it waiting', async () => {
    const { source } = openSource()
    const { guard, clock } = openTrustHouse(trustDomains(source))
    const ready = guard.ready()
    await settled()
    clock.advance({ seconds: 12 })
    expect(await ready).toMatchObject({ ready: false, certificates: [{ status: 'waiting' }] })
  })

  test('is ended once, with the guard, and is not heard after that', async () => {
    const { source, replace, ended } = openSource()
    const { guard, ask } = openTrustHouse(trustDomains(source))
    replace(old.bundle)
    guard.close()
    guard.close()
    expect(ended()).toBe(1)
    replace(next.bundle)
    expect(await ask(connectionOf(orders))).toBe('guard_closed')
  })
})

test('a guard without timers reads anew what requests ask for', async () => {
  const clock = createTestClock()
  const path = fileWith(old.bundle)
  const timeless = { now: () => clock.now() }
  const { ask, after } = openTrustHouse(trustDomains(path), { clock: timeless as typeof clock })
  const open = connectionOf(checkout)
  await ask(open)
  writeFileSync(path, next.bundle)
  for (let look = 0; look < 2; look += 1) {
    clock.advance({ seconds: 2 })
    await after(() => ask(open))
  }
  expect(await ask(open)).toBe('certificate_untrusted')
})

test('a bundle without a sequence in between brings no older one back', async () => {
  let listener: SourceListener | undefined
  const source: Source = {
    follow(given) {
      listener = given
      return () => {}
    },
  }
  const { state } = openTrustHouse({ trustDomains: { 'prod.example': source } })
  const replace = (more: object): void => present(listener).replace(bundleOf([old], more))
  replace({ spiffe_sequence: 5 })
  replace({})
  expect(await state()).toBe('fresh')
  replace({ spiffe_sequence: 4 })
  expect(await state()).toBe('stale: `spiffe_sequence` went back from 5 to 4')
})

test.each([undefined, Promise.resolve()])(
  'a source whose `follow` returns %s is a mistake: nobody could end it',
  (end) => {
    const source = { follow: () => end } as unknown as Source // a mistake
    expect(() =>
      createGuard({ certificates: { trustDomains: { 'prod.example': source } }, log: false }),
    ).toThrow(/`certificates.trustDomains\['prod.example'\]`: `follow` has to return a function/)
  },
)

describe('several sources of roots', () => {
  const [one, two] = [authority(), authority()].map((each) => parseCertificate(each.der))
  if (one === undefined || one instanceof Refusal || two === undefined || two instanceof Refusal) {
    throw new Error('two roots')
  }
  const sourceOf = (
    roots: readonly ParsedCertificate[] | undefined,
    underWay?: Promise<void>,
  ): Live<Bundle> => ({
    current: () => roots && { roots, sequence: undefined, refreshHintSeconds: undefined },
    prepared: async () => {},
    underWay,
    state: { status: 'fresh', readAt: undefined, problem: undefined },
    close: () => {},
  })
  const rootsOf = (...sources: readonly Live<Bundle>[]) =>
    new TrustedRoots(new Map(sources.map((source, i) => [`${i}.example`, source])), [])

  test('are told apart by the root: what rests on it rests on its own source', () => {
    const sources = [sourceOf(undefined), sourceOf([one]), sourceOf([two])]
    const roots = rootsOf(...sources)
    expect([one, two, undefined].map((root) => roots.sourceOf(root, 0))).toEqual([
      sources[1],
      sources[2],
      undefined,
    ])
    expect(roots.all(0)).toEqual([one, two])
  })

  test('are waited for where they have nothing, and something is under way', () => {
    const attempts = [Promise.resolve(), Promise.resolve()]
    const sources = [sourceOf(undefined, attempts[0]), sourceOf(undefined), sourceOf([one], attempts[1])]
    expect(rootsOf(...sources).underWay(0)).toEqual([attempts[0]])
    expect(rootsOf(...sources.slice(1)).underWay(0)).toEqual([])
  })
})

describe('a value that a source puts here', () => {
  function followed() {
    let listener: SourceListener | undefined
    const clock = createTestClock(start)
    const landed: boolean[] = []
    let ends = 0
    const value = new SuppliedValue({
      clock,
      source: {
        follow: (one) => {
          listener = one
          return () => (ends += 1)
        },
      },
      parse: (document) => {
        if (document.length === 0) throw new Error('nothing in it')
        return Buffer.from(document).toString()
      },
      maxStaleMs: 1000,
      landed: (isReplaced) => landed.push(isReplaced),
    })
    return { value, clock, landed, source: present(listener), ends: () => ends }
  }
  const isPrepared = async ({ value }: ReturnType<typeof followed>): Promise<boolean> => {
    let is = false
    void value.prepared().then(() => (is = true))
    await settled()
    return is
  }

  test('is waited for until there is one, or none can be had, or time is up', async () => {
    const [replaced, failed, late, closed] = [followed(), followed(), followed(), followed()]
    expect(await isPrepared(replaced)).toBe(false)
    expect(replaced.value.underWay).toBe(replaced.value.prepared())
    replaced.source.replace('a')
    failed.source.fail('down')
    late.clock.advance({ seconds: 60 })
    closed.value.close()
    for (const house of [replaced, failed, late, closed]) expect(await isPrepared(house)).toBe(true)
    expect(replaced.value.underWay).toBeUndefined()
  })

  test('says whether it is another one now', () => {
    const { value, clock, landed, source } = followed()
    source.replace('a')
    source.replace(Buffer.from('b'))
    source.replace('')
    source.fail('down')
    expect(landed).toEqual([true, true, false, false])
    expect(value.current(clock.now())).toBe('b')
    expect(value.state).toMatchObject({ status: 'stale', problem: 'down' })
  })

  test('is none any more once it is closed, whatever the source does then', () => {
    const { value, clock, landed, source, ends } = followed()
    source.replace('a')
    value.close()
    value.close()
    source.replace('b')
    source.fail('down')
    expect([value.current(clock.now()), value.state.problem, ends()]).toEqual([undefined, undefined, 1])
    expect(landed).toEqual([true])
  })
})

test('a value that is confirmed is asked for by what was last said of it', async () => {
  const clock = createTestClock(start)
  const before: unknown[] = []
  const replaced: boolean[] = []
  const value = new LiveValue<{ text: string; etag: number }, string>({
    clock,
    read: async (last) => {
      before.push(last?.etag)
      return { text: 'same', etag: before.length }
    },
    areSame: (one, other) => one.text === other.text,
    parse: ({ text }) => text,
    intervalOf: () => 60_000,
    maxStaleMs: 60_000,
    landed: (isReplaced) => replaced.push(isReplaced),
  })
  await value.prepared()
  for (let i = 0; i < 2; i += 1) {
    clock.advance({ seconds: 120 })
    await settled()
  }
  expect(before.slice(0, 3)).toEqual([undefined, 1, 2])
  expect(replaced.slice(0, 3)).toEqual([true, false, false])
  value.close()
})

test('a value that is read is read no more once it is closed', async () => {
  const clock = createTestClock(start)
  const signals: AbortSignal[] = []
  const value = new LiveValue<string, string>({
    clock,
    read: (_, signal) => {
      signals.push(signal)
      return Promise.withResolvers<string>().promise
    },
    areSame: (one, other) => one === other,
    parse: (reading) => reading,
    intervalOf: () => 1000,
    maxStaleMs: 1000,
    landed: () => {},
  })
  void value.prepared()
  expect(signals.map(({ aborted }) => aborted)).toEqual([false])
  value.close()
  expect(signals.map(({ aborted }) => aborted)).toEqual([true])
  clock.advance({ seconds: 3600 })
  await settled()
  expect(value.current(clock.now())).toBeUndefined()
  expect(signals).toHaveLength(1)
})
