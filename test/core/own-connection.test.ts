// What is remembered of a connection and of its certificate, and for how long. Without TLS, as Node shows a connection.
import { X509Certificate, hash } from 'node:crypto'
import type { FetchDocument } from '@countersign/core'
import { createTestCa, createTestClock } from '@countersign/testing'
import { describe, expect, test, vi } from 'vitest'
import { parseCertificate } from '../../packages/core/src/identity/certificate/parsed-certificate.ts'
import type { VerifiedPath } from '../../packages/core/src/identity/certificate/validate-path.ts'
import { CertificateVerification } from '../../packages/core/src/identity/peer/certificate-verification.ts'
import { ChainMemory } from '../../packages/core/src/identity/peer/chain-memory.ts'
import { OwnConnection } from '../../packages/core/src/identity/peer/own-connection.ts'
import { Patience } from '../../packages/core/src/identity/peer/patience.ts'
import { Refusal } from '../../packages/core/src/refusal.ts'
import { present, refusalOf, requestWith, settled } from './support/asking.ts'
import { trustIn } from './support/certificate-trust.ts'
import { openTrustHouse } from './support/trust-house.ts'

const start = createTestClock().now()
const ca = await createTestCa({ trustDomain: 'prod.example', now: new Date(start) })
const checkout = await ca.svid('/checkout')
const trustDomains = { 'prod.example': ca.bundle }

/** A connection that counts how often its certificate is read. */
function countingConnection(read: () => object | null = () => ({ raw: Buffer.from(checkout.der) })) {
  const connection = {
    reads: 0,
    authorized: true,
    getPeerCertificate() {
      connection.reads += 1
      return read()
    },
  }
  return connection
}

describe('a connection', () => {
  test('is read once while its certificate holds, or where it has none', async () => {
    const { ask } = openTrustHouse({ trustDomains })
    const [good, none] = [countingConnection(), countingConnection(() => ({}))]
    for (let i = 0; i < 3; i += 1) {
      expect(await ask(good)).toBe('allow')
      expect(await ask(none)).toBe('credential_missing')
    }
    expect([good.reads, none.reads]).toEqual([1, 1])
  })

  test('is asked for its chain where its leaf was never seen, and not again', async () => {
    const { ask } = openTrustHouse({ trustDomains })
    const described = vi.fn(() => ({ raw: Buffer.from(checkout.der) }))
    const open = (): object => ({
      authorized: true,
      getPeerX509Certificate: () => ({ raw: Buffer.from(checkout.der) }),
      getPeerCertificate: described,
    })
    for (let i = 0; i < 3; i += 1) expect(await ask(open())).toBe('allow')
    expect(described).toHaveBeenCalledTimes(1)
  })

  test('is asked for its chain only where there is no path without it', async () => {
    const [configured, shown] = [await ca.intermediate(), await ca.intermediate()]
    const { ask } = openTrustHouse({ trustDomains, intermediates: configured.chain })
    const issuer = new X509Certificate(shown.chain)
    const open = ({ der }: { readonly der: Uint8Array }) => {
      const described = vi.fn(() => ({ raw: Buffer.from(der), issuerCertificate: issuer }))
      const getPeerX509Certificate = (): object => ({ raw: Buffer.from(der) })
      return { authorized: true, getPeerX509Certificate, getPeerCertificate: described }
    }
    const [below, beside] = [open(await configured.svid('/checkout')), open(await shown.svid('/checkout'))]
    expect([await ask(below), await ask(beside)]).toEqual(['allow', 'allow'])
    expect(below.getPeerCertificate).not.toHaveBeenCalled()
    expect(beside.getPeerCertificate).toHaveBeenCalledTimes(1)
  })

  test('is read once where its root is one of several', async () => {
    const other = await createTestCa({ trustDomain: 'prod.example', now: new Date(start) })
    const { ask } = openTrustHouse({ trustDomains: { 'prod.example': `${other.bundle}${ca.bundle}` } })
    const connection = countingConnection()
    for (let i = 0; i < 3; i += 1) expect(await ask(connection)).toBe('allow')
    expect(connection.reads).toBe(1)
  })

  test('that was refused is not looked at for each request once roots were replaced', async () => {
    let replace: (document: string) => void = () => {}
    const follow = (listener: { replace(document: string): void }) => {
      replace = (document) => listener.replace(document)
      replace(ca.bundle)
      return () => {}
    }
    const { ask } = openTrustHouse({ trustDomains: { 'prod.example': { follow } } })
    const strangers = await createTestCa({ trustDomain: 'prod.example', now: new Date(start) })
    const { der } = await strangers.svid('/checkout')
    const connection = countingConnection(() => ({ raw: Buffer.from(der) }))
    const readsOf = async (requests: number): Promise<number> => {
      for (let i = 0; i < requests; i += 1) expect(await ask(connection)).toBe('certificate_untrusted')
      return connection.reads
    }
    expect(await readsOf(2)).toBe(1)
    replace(`${ca.bundle}\n`)
    expect(await readsOf(3)).toBe(2)
  })

  test('that had ended for a moment is read again', async () => {
    const { ask } = openTrustHouse({ trustDomains })
    const answers = [null, { raw: Buffer.from(checkout.der) }]
    const connection = countingConnection(() => answers.shift() ?? null)
    expect(await ask(connection)).toBe('certificate_malformed')
    expect(await ask(connection)).toBe('allow')
  })

  test('that was refused is looked at again after ten seconds, and not before', async () => {
    const { ask, clock } = openTrustHouse({ trustDomains })
    const early = await ca.svid('/early', { notBefore: new Date(start + 5000) })
    const connection = countingConnection(() => ({ raw: Buffer.from(early.der) }))
    expect(await ask(connection)).toBe('certificate_not_yet_valid')
    clock.advance(9999)
    expect(await ask(connection)).toBe('certificate_not_yet_valid')
    expect(connection.reads).toBe(1)
    clock.advance(1)
    expect(await ask(connection)).toBe('allow')
  })

  test('that was refused is looked at again where the clock was set back', async () => {
    const { ask, clock } = openTrustHouse({ trustDomains })
    const expired = await ca.svid('/late', { notAfter: new Date(start - 1000) })
    const connection = countingConnection(() => ({ raw: Buffer.from(expired.der) }))
    expect(await ask(connection)).toBe('certificate_expired')
    expect(await ask(connection)).toBe('certificate_expired')
    expect(connection.reads).toBe(1)
    clock.set(new Date(start - 1000))
    expect(await ask(connection)).toBe('allow')
  })

  test('that an outage keeps out is looked at again after a second', async () => {
    const fetch: FetchDocument = async () => {
      throw new Error('connection refused')
    }
    const house = openTrustHouse({ trustDomains: { 'prod.example': 'https://bundles.test/' } }, { fetch })
    await house.guard.ready()
    const connection = countingConnection()
    const readsAfter = async (ms: number): Promise<number> => {
      house.clock.advance(ms)
      expect(await house.ask(connection)).toBe('bundle_unavailable')
      return connection.reads
    }
    expect(await readsAfter(0)).toBe(1)
    expect(await readsAfter(999)).toBe(1)
    expect(await readsAfter(1)).toBe(2)
  })

  test('is read once for all requests that wait for the same, and again for those that come after', async () => {
    const answers = [Promise.withResolvers<void>(), Promise.withResolvers<void>()]
    let asked = 0
    const fetch: FetchDocument = async () => {
      await answers[asked++]?.promise
      return { status: 200, headers: {}, octets: Buffer.from(ca.bundle) }
    }
    const { ask } = openTrustHouse({ trustDomains: { 'prod.example': 'https://bundles.test/' } }, { fetch })
    const connection = countingConnection()
    const waiting = [ask(connection), ask(connection), ask(connection)]
    await settled()
    expect(connection.reads).toBe(1)
    answers[0]?.resolve()
    expect(await Promise.all(waiting)).toEqual(['allow', 'allow', 'allow'])
    expect(await ask(connection)).toBe('allow')
    expect(connection.reads).toBe(1)
  })

  test('has a thumbprint, read once, whoever trusts the certificate', () => {
    const connection = countingConnection()
    const own = new OwnConnection(connection, undefined, undefined)
    for (let i = 0; i < 2; i += 1) expect(own.thumbprint()).toBe(hash('sha256', checkout.der, 'base64url'))
    expect(own.certificate(start)).toBeUndefined()
    expect(connection.reads).toBe(1)
  })
})

test('a verification holds from its first millisecond to its last, while it is founded', () => {
  let isFounded = true
  const named = { id: checkout.spiffeId, spiffeId: undefined, notBefore: 100, notAfter: 200 }
  const verification = new CertificateVerification(named, () => isFounded)
  const alive = () => [99, 100, 200, 201].map((now) => verification.isAlive(now))
  expect(alive()).toEqual([false, true, true, false])
  isFounded = false
  expect(alive()).toEqual([false, false, false, false])
})

describe('what is told', () => {
  test('of a resumed session whose path nobody has seen', async () => {
    const issuing = await ca.intermediate()
    const { der } = await issuing.svid('/orders')
    const { guard } = openTrustHouse({ trustDomains })
    const socket = (isResumed: boolean) => ({
      ...countingConnection(() => ({ raw: Buffer.from(der) })),
      isSessionReused: () => isResumed,
    })
    const { refusal } = await refusalOf(guard, requestWith(undefined, socket(true)))
    expect({ code: refusal.code, ...refusal.detail }).toEqual({
      code: 'certificate_chain_unknown',
      expected: 'a certificate whose path was found in a full handshake, or leads to a root without others',
      actual: 'a resumed TLS session, which shows the leaf alone',
      advice:
        'name the issuing certificates in `certificates.intermediates` if the caller is one of yours: sessions that this process has not seen begin, behind a balancer or in a cluster, need them',
    })
    const full = await refusalOf(guard, requestWith(undefined, socket(false)))
    expect(full.refusal.code).toBe('certificate_untrusted')
  })

  test('of roots that are not there', async () => {
    let isDown = false
    const fetch: FetchDocument = () => {
      if (isDown) throw new Error('connection refused')
      return Promise.withResolvers<never>().promise
    }
    const roots = { trustDomains: { 'prod.example': 'https://bundles.test/' } }
    const told = async ({ guard }: ReturnType<typeof openTrustHouse>) => {
      const { refusal } = await refusalOf(guard, requestWith(undefined, countingConnection()))
      return { code: refusal.code, ...refusal.detail }
    }
    const unavailable = {
      code: 'bundle_unavailable',
      expected: 'the roots that could vouch for the certificate',
      advice: 'see `guard.ready()` for the source and its problem',
    }
    const slow = openTrustHouse(roots, { fetch })
    const answer = told(slow)
    await settled()
    slow.clock.advance({ seconds: 2 })
    expect(await answer).toEqual({ ...unavailable, actual: 'none yet' })
    isDown = true
    const failed = openTrustHouse(roots, { fetch })
    await failed.guard.ready()
    expect(await told(failed)).toEqual({ ...unavailable, actual: 'connection refused' })
  })
})

describe('the memory of chains', async () => {
  const issuing = await ca.intermediate()
  const { chain } = await issuing.svid('/orders')
  const parsed = [...chain, ...pemBlocks(ca.bundle)].map((der) => {
    const certificate = parseCertificate(der)
    if (certificate instanceof Refusal) throw new Error(certificate.code)
    return certificate
  })
  const path = parsed as unknown as VerifiedPath // the leaf, its issuer and the root, as they were issued
  const [leaf, intermediate] = parsed

  test('has the intermediates of a leaf that was verified by them', () => {
    const memory = new ChainMemory(10)
    expect(memory.find('leaf', start)).toEqual([])
    memory.remember('leaf', path)
    expect(memory.find('leaf', start)).toEqual([intermediate])
    expect(memory.find('other', start)).toEqual([])
  })

  test('keeps them where the leaf was verified by a root alone', () => {
    const memory = new ChainMemory(10)
    memory.remember('leaf', path)
    memory.remember('leaf', [leaf, intermediate] as unknown as VerifiedPath) // as if the issuer were a root
    expect(memory.find('leaf', start)).toEqual([intermediate])
  })

  test('keeps 8 KiB of a leaf, and none where there are more', () => {
    for (const [octets, count] of [
      [8192, 1],
      [8193, 0],
    ] as const) {
      const memory = new ChainMemory(10)
      const long = { ...present(intermediate), der: new Uint8Array(octets) }
      memory.remember('leaf', [leaf, long, parsed[2]] as unknown as VerifiedPath) // only its octets are looked at
      expect(memory.find('leaf', start)).toHaveLength(count)
    }
  })

  test('has each intermediate once', () => {
    const memory = new ChainMemory(10)
    const der = chain[1] ?? new Uint8Array()
    expect(memory.parse(der, start)).not.toBe(intermediate)
    memory.remember('leaf', path)
    expect(memory.parse(der, start)).toBe(intermediate)
    expect(memory.parse(chain[0] ?? der, start)).not.toBe(leaf)
    expect(memory.parse(Buffer.from('none'), start)).toMatchObject({ code: 'certificate_malformed' })
  })
})

describe('patience', () => {
  const scheduled: { readonly delayMs: number; isTakenBack: boolean; readonly run: () => void }[] = []
  const clock = {
    now: () => start,
    schedule(run: () => void, delayMs: number) {
      const task = { run, delayMs, isTakenBack: false }
      scheduled.push(task)
      return () => void (task.isTakenBack = true)
    },
  }

  test('ends when the help is there, and leaves no timer behind', async () => {
    const help = Promise.withResolvers<void>()
    const waiting = new Patience(clock).wait(help.promise)
    expect(await Promise.race([waiting, settled().then(() => 'waiting')])).toBe('waiting')
    help.resolve()
    await waiting
    expect(scheduled.at(-1)).toMatchObject({ delayMs: 2000, isTakenBack: true })
  })

  test('ends after two seconds', async () => {
    const waiting = new Patience(clock).wait(Promise.withResolvers<never>().promise)
    scheduled.at(-1)?.run()
    await waiting
    expect(scheduled.at(-1)).toMatchObject({ isTakenBack: true })
  })

  test('has room for 2048, and again when one of them has gone', async () => {
    const patience = new Patience(clock)
    const never = Promise.withResolvers<never>().promise
    const first = patience.wait(never)
    const task = scheduled.at(-1)
    for (let i = 1; i < 2048; i += 1) expect(patience.wait(never)).toBeDefined()
    expect(patience.wait(never)).toBeUndefined()
    task?.run()
    await first
    expect(patience.wait(never)).toBeDefined()
    expect(patience.wait(never)).toBeUndefined()
  })

  test('is not to be had without timers: nobody could end it', () => {
    expect(new Patience({ now: () => start }).wait(Promise.resolve())).toBeUndefined()
  })
})

test('what OpenSSL alone knows is not answered by what was found before', () => {
  const trust = trustIn({ trustDomains })
  const peer = (tlsError: string | undefined) => ({ leaf: checkout.der, chain: [], tlsError })
  expect(trust.verify(peer(undefined), start)).toMatchObject({ id: checkout.spiffeId })
  expect(trust.verify(peer('CERT_REVOKED'), start)).toMatchObject({ code: 'certificate_rejected_by_tls' })
  expect(trust.verify(peer(undefined), start)).toBe(trust.verify(peer('CERT_HAS_EXPIRED'), start))
})

function pemBlocks(pem: string): readonly Uint8Array[] {
  return [...pem.matchAll(/-----BEGIN CERTIFICATE-----([^-]+)-----END/g)].map(([, text = '']) =>
    Buffer.from(text, 'base64'),
  )
}
