import { once } from 'node:events'
import { mkdir, mkdtemp, rename, rm, symlink, writeFile } from 'node:fs/promises'
import { Agent, createServer, request } from 'node:https'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Server } from 'node:tls'
import { createGuard, tlsOptions, type Guard, type TlsServerOptions } from '@countersign/core'
import { createTlsServer } from '@countersign/core/adapter'
import { createTestCa, createTestClock, type TestCertificate, type TestClock } from '@countersign/testing'
import { describe, expect, test } from 'vitest'
import {
  createPollingClock,
  fingerprintOf,
  listening,
  PairFiles,
  pollSeveralTimes,
  servedAt,
  ServedEvents,
  turn,
  type PollingClock,
} from './support/serving.ts'

const ca = await createTestCa()
const [first, second, third] = await Promise.all([pair(), pair(), pair()])
const names = [undefined, 'localhost']

async function pair(): Promise<TestCertificate> {
  return ca.serverCertificate()
}

interface House extends AsyncDisposable {
  readonly port: number
  readonly server: Server
  readonly files: PairFiles
  readonly events: ServedEvents
  readonly clock: PollingClock
  readonly told: readonly string[]
  /** What clients without and with a server name are served with. */
  served(): Promise<readonly (string | undefined)[]>
}

async function open(
  make: (options: TlsServerOptions, clock: TestClock) => Server = followed,
): Promise<House> {
  const clock = createPollingClock()
  const files = await PairFiles.create(first)
  const events = new ServedEvents()
  const told: string[] = []
  const guard = guardOf(told)
  const server = make({ cert: files.cert, key: files.key, guard }, clock)
  const port = await listening(server)
  // What is put in place from here on is read as a whole, since the clock stands still meanwhile.
  await clock.settled()
  return {
    port,
    server,
    files,
    events,
    clock,
    told,
    served: () => Promise.all(names.map((name) => servedAt(port, ca, name))),
    async [Symbol.asyncDispose]() {
      events[Symbol.dispose]()
      server.close()
      guard.close()
      await files[Symbol.asyncDispose]()
    },
  }
}

const guardOf = (told: string[]): Guard =>
  createGuard({
    certificates: { trustDomains: { 'test.example': ca.bundle } },
    log: { warn: (message) => void told.push(message) },
  })

const followed = (options: TlsServerOptions, clock: TestClock): Server =>
  createTlsServer((_request, response) => void response.end('here'), options, { clock })

const bothAre = (certificate: TestCertificate): readonly string[] =>
  names.map(() => fingerprintOf(certificate))

describe('a certificate that is replaced', () => {
  test('serves the next handshake, with and without a server name', async () => {
    await using house = await open()
    expect(await house.served()).toEqual(bothAre(first))
    for (const [i, next] of [second, third].entries()) {
      await house.files.put(next)
      await house.events.reach(i + 1, house.clock)
      expect(await house.served()).toEqual(bothAre(next))
    }
    expect(house.events.all.map(({ outcome, part, fingerprint }) => [outcome, part, fingerprint])).toEqual([
      ['replaced', 'certificate', fingerprintOf(second)],
      ['replaced', 'certificate', fingerprintOf(third)],
    ])
    expect(house.told).toEqual([])
  })

  test('is seen behind the symlinks that Kubernetes swaps', async () => {
    const directory = await mkdtemp(join(tmpdir(), 'countersign-'))
    const path = (...parts: string[]): string => join(directory, ...parts)
    for (const [name, { cert, key }] of Object.entries({ '..1': first, '..2': second })) {
      await mkdir(path(name))
      await writeFile(path(name, 'tls.crt'), cert)
      await writeFile(path(name, 'tls.key'), key)
    }
    await symlink('..1', path('..data'))
    for (const name of ['tls.crt', 'tls.key']) await symlink(join('..data', name), path(name))
    const clock = createPollingClock()
    using events = new ServedEvents()
    const server = createTlsServer(
      () => undefined,
      { cert: path('tls.crt'), key: path('tls.key'), guard: guardOf([]) },
      { clock },
    )
    const port = await listening(server)
    await clock.settled()
    await symlink('..2', path('..data_tmp'))
    await rename(path('..data_tmp'), path('..data'))
    await events.reach(1, clock)
    expect(await servedAt(port, ca)).toBe(fingerprintOf(second))
    server.close()
    await rm(directory, { recursive: true })
  })

  test('leaves open connections as they are', async () => {
    await using house = await open()
    const agent = new Agent({ keepAlive: true, maxSockets: 1, ca: ca.bundle })
    const ask = async () => {
      const sent = request({ host: '127.0.0.1', port: house.port, agent }).end()
      const [response] = await once(sent, 'response')
      const { fingerprint256 } = response.socket.getPeerCertificate()
      await response.toArray()
      return [sent.reusedSocket, fingerprint256]
    }
    expect(await ask()).toEqual([false, fingerprintOf(first)])
    await house.files.put(second)
    await house.events.reach(1, house.clock)
    expect(await ask()).toEqual([true, fingerprintOf(first)])
    agent.destroy()
    expect(await house.served()).toEqual(bothAre(second))
  })

  test('reaches clients with a server name also where nothing was applied, and the operator hears of the others once', async () => {
    await using house = await open((options, clock) => createServer(tlsOptions(options, { clock })))
    await house.files.put(second)
    await house.events.reach(1, house.clock)
    expect(await house.served()).toEqual([fingerprintOf(first), fingerprintOf(second)])
    await house.files.put(third)
    await house.events.reach(2, house.clock)
    expect(house.told).toEqual([expect.stringContaining('call `applyTo(server)`')])
  })

  test('serves a server that is made later', async () => {
    const clock = createPollingClock()
    await using files = await PairFiles.create(first)
    using events = new ServedEvents()
    const options = tlsOptions({ cert: files.cert, key: files.key, guard: guardOf([]) }, { clock })
    await clock.settled()
    await files.put(second)
    await events.reach(1, clock)
    expect(options.cert).toBe(second.cert)
    const server = createServer(options)
    const port = await listening(server)
    expect(await servedAt(port, ca)).toBe(fingerprintOf(second))
    server.close()
  })

  test('is looked for by handshakes where the clock has no timers', async () => {
    const clock = createTestClock(new Date())
    await using files = await PairFiles.create(first)
    using events = new ServedEvents()
    const { now } = clock
    const server = createTlsServer(
      () => undefined,
      { cert: files.cert, key: files.key, guard: guardOf([]) },
      { clock: { now } },
    )
    const port = await listening(server)
    await files.put(second)
    const isReplaced = (): boolean => events.all.some(({ outcome }) => outcome === 'replaced')
    for (let i = 0; i < 200 && !isReplaced(); i += 1) {
      clock.advance(2000)
      await servedAt(port, ca, 'localhost')
    }
    expect(await servedAt(port, ca)).toBe(fingerprintOf(second))
    server.close()
  })
})

describe('what cannot be served leaves the old certificate in place', () => {
  const half = (pem: string): string => pem.slice(0, pem.length / 2)

  test.each<[string, (files: PairFiles) => Promise<unknown>, RegExp]>([
    [
      'a new certificate beside the old key',
      (files) => files.put({ cert: second.cert }),
      /cannot be used together/,
    ],
    [
      'a new key beside the old certificate',
      (files) => files.put({ key: second.key }),
      /cannot be used together/,
    ],
    [
      'a certificate that is cut off',
      (files) => files.put({ ...second, cert: half(second.cert) }),
      /does not end/,
    ],
    ['a key that is cut off', (files) => files.put({ ...second, key: half(second.key) }), /does not end/],
    ['an empty certificate', (files) => files.put({ ...second, cert: '' }), /`CERTIFICATE`, found none/],
    ['an empty key', (files) => files.put({ ...second, key: '' }), /`PRIVATE KEY`, found none/],
    [
      'a chain whose second certificate is none',
      (files) => files.put({ ...second, cert: `${second.cert}${pemOf('AAAA')}` }),
      /certificate 2 cannot be read/,
    ],
    [
      'a chain whose second certificate is only begun',
      (files) => files.put({ ...second, cert: `${second.cert}-----BEGIN CERTIFICATE-----\nMIIB` }),
      /does not end/,
    ],
    [
      'a key in place of the certificate',
      (files) => files.put({ cert: second.key, key: second.key }),
      /`CERTIFICATE`/,
    ],
    ['a certificate that vanishes', (files) => rm(files.cert), /ENOENT/],
    ['a key that vanishes', (files) => rm(files.key), /ENOENT/],
    [
      'a certificate that has expired',
      async (files) =>
        files.put(await ca.serverCertificate(undefined, { notAfter: new Date(Date.now() - 2000) })),
      /is not now/,
    ],
    [
      'a certificate that is not yet valid',
      async (files) =>
        files.put(await ca.serverCertificate(undefined, { notBefore: new Date(Date.now() + 1_800_000) })),
      /is not now/,
    ],
    [
      'a file that is far too long',
      (files) => files.put({ ...second, cert: `${second.cert}${' '.repeat(600 * 1024)}` }),
      /is longer than/,
    ],
  ])('%s: told once, and mended by the next good pair', async (_, spoil, problem) => {
    await using house = await open()
    await spoil(house.files)
    await house.events.reach(1, house.clock)
    const toldAt = house.clock.now()
    await pollSeveralTimes(house.clock)
    expect(house.clock.now() - toldAt).toBe(4 * 2000)
    expect(house.events.all).toEqual([
      expect.objectContaining({
        outcome: 'failed',
        fingerprint: fingerprintOf(first),
        problem: expect.stringMatching(problem),
      }),
    ])
    expect(house.told).toEqual([expect.stringMatching(problem)])
    expect(house.told.join()).not.toContain('BEGIN')
    expect(await house.served()).toEqual(bothAre(first))
    await house.files.put(third)
    await house.events.reach(2, house.clock)
    expect(await house.served()).toEqual(bothAre(third))
  })

  test('another flaw is told anew, and so is the same one of other files', async () => {
    await using house = await open()
    await house.files.put({ cert: second.cert })
    await house.events.reach(1, house.clock)
    await house.files.put({ cert: third.cert })
    await house.events.reach(2, house.clock)
    await house.files.put({ cert: '' })
    await house.events.reach(3, house.clock)
    expect(house.told).toHaveLength(3)
    await house.files.put(first)
    await pollSeveralTimes(house.clock)
    await house.files.put({ cert: '' })
    await house.events.reach(4, house.clock)
    await house.files.put(second)
    await house.events.reach(5, house.clock)
    await house.files.put({ cert: '', key: first.key })
    await house.events.reach(6, house.clock)
    await house.files.put(third)
    await house.events.reach(7, house.clock)
    await house.files.put({ cert: '', key: first.key })
    await house.events.reach(8, house.clock)
    const outcomes = house.events.all.map(({ outcome }) => outcome)
    expect(outcomes).toEqual([...Array(4).fill('failed'), 'replaced', 'failed', 'replaced', 'failed'])
  })

  test('and a certificate whose time has not come serves when it has', async () => {
    await using house = await open()
    const notBefore = new Date(Date.now() - 1000)
    const early = await ca.serverCertificate(undefined, { notBefore })
    house.clock.set(new Date(notBefore.getTime() - 86_400_000))
    await house.files.put(early)
    await house.events.reach(1, house.clock)
    house.clock.set(new Date(notBefore.getTime() + 1000))
    await house.events.reach(2, house.clock)
    expect(await house.served()).toEqual(bothAre(early))
  })
})

const pemOf = (base64: string): string =>
  `-----BEGIN CERTIFICATE-----\n${base64}\n-----END CERTIFICATE-----\n`

describe('the authorities of the guard', () => {
  test('are named anew to clients when they change, with the certificate as it is, and old sessions end', async () => {
    const listeners = new Set<() => void>()
    let authorities: readonly string[] = [ca.bundle]
    const other = await createTestCa({ name: 'Other' })
    await using house = await open((options, clock) => {
      const { guard } = options
      Object.defineProperty(guard, 'clientAuthorities', { get: () => authorities })
      Object.defineProperty(guard, 'onTrustChange', {
        value: (listener: () => void) => {
          listeners.add(listener)
          return () => listeners.delete(listener)
        },
      })
      return followed(options, clock)
    })
    const keys = house.server.getTicketKeys()
    for (const listener of listeners) listener()
    expect(house.events.all).toEqual([])
    authorities = [ca.bundle, other.bundle]
    for (const listener of listeners) listener()
    expect(house.events.all).toEqual([expect.objectContaining({ outcome: 'replaced', part: 'authorities' })])
    expect(house.server.getTicketKeys()).not.toEqual(keys)
    expect(await house.served()).toEqual(bothAre(first))
    authorities = [42 as never] // what no guard has, so that OpenSSL is not even asked
    for (const listener of listeners) listener()
    for (const listener of listeners) listener()
    expect(house.events.all.slice(1)).toEqual([
      expect.objectContaining({ outcome: 'failed', part: 'authorities' }),
    ])
    expect(await house.served()).toEqual(bothAre(first))
    house.server.close()
    await once(house.server, 'close')
    expect(listeners.size).toBe(0)
  })
})

test('nothing is read any more when the server is closed', async () => {
  const house = await open()
  house.server.close()
  await once(house.server, 'close')
  await house.files.put({ cert: '' })
  const planned = house.clock.polls
  for (let i = 0; i < 500; i += 1) {
    house.clock.advance(1000)
    await turn()
  }
  expect(house.clock.polls).toBe(planned)
  expect(house.events.all).toEqual([])
  await house[Symbol.asyncDispose]()
})

test('files are followed again by a server that is made after the last one was closed', async () => {
  let tls: ReturnType<typeof tlsOptions> | undefined
  await using house = await open((options, clock) => {
    tls = tlsOptions(options, { clock })
    return tls.applyTo(createServer(tls))
  })
  const { server, files, events, clock } = house
  server.close()
  await once(server, 'close')
  if (tls === undefined) throw new Error('expected options')
  const next = tls.applyTo(createServer(tls))
  const port = await listening(next)
  await files.put(second)
  await events.reach(1, clock)
  expect(await servedAt(port, ca)).toBe(fingerprintOf(second))
  next.close()
})

test('PEM text is served as it is, and nothing is read', async () => {
  const { now } = createTestClock(new Date())
  const schedule = (): never => {
    throw new Error('expected nothing to be planned')
  }
  const guard = guardOf([])
  const { cert, key } = first
  const server = createTlsServer(() => undefined, { cert, key, guard }, { clock: { now, schedule } })
  const port = await listening(server)
  expect(await servedAt(port, ca)).toBe(fingerprintOf(first))
  server.close()
})
