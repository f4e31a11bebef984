// Roots and revocation lists are replaced while callers call. Nobody good notices, and whoever is not good any more is refused on the
// next request of the connection that is open.
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:https'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { authenticated, createGuard, tlsOptions } from '@countersign/core'
import { createTestCa, createTestClock } from '@countersign/testing'
import { afterAll, expect, test } from 'vitest'
import { Callers, type Tally } from './support/callers.ts'
import { at, authority, createKeys, integer, leaf, names, type Authority } from './support/der-certificate.ts'
import { crl, type CrlOptions } from './support/der-crl.ts'
import { pemOf } from './support/pem.ts'
import { listening } from './support/serving.ts'

const folder = mkdtempSync(join(tmpdir(), 'rotation-'))
afterAll(() => rmSync(folder, { recursive: true }))

const [old, next] = [authority({ commonName: 'Old' }), authority({ commonName: 'Next' })]

interface Client {
  readonly name: string
  readonly cert: string
  readonly key: string
}

function clientOf(name: string, serialNumber: number, issuer: Authority): Client {
  const keys = createKeys()
  const der = leaf(issuer, {
    keys,
    names: [names.uri(`spiffe://prod.example/${name}`)],
    parts: { serialNumber: integer(serialNumber) },
  })
  const key = keys.privateKey.export({ type: 'pkcs8', format: 'pem' }).toString()
  return { name, cert: pemOf(der), key }
}

const [stays, leaves, revoked] = [
  clientOf('stays', 1, next),
  clientOf('leaves', 2, old),
  clientOf('revoked', 3, next),
]

test('roots and lists are replaced under load: no good call fails, and who is not good any more fails at once', async () => {
  const bundle = join(folder, 'bundle.pem')
  const list = join(folder, 'ca.crl')
  const writeBundle = (...roots: readonly Authority[]): void =>
    writeFileSync(bundle, roots.map(({ der }) => pemOf(der)).join(''))
  const writeLists = (options: CrlOptions): void =>
    writeFileSync(list, [old, next].map((issuer) => pemOf(crl(issuer, options), 'X509 CRL')).join(''))
  writeBundle(old)
  writeLists({ number: 1 })

  const clock = createTestClock(at)
  const certificates = {
    trustDomains: { 'prod.example': bundle },
    revocation: { crls: [list] },
  }
  const guard = createGuard({ certificates, log: false }, { clock })
  const serverCa = await createTestCa()
  const identity = await serverCa.serverCertificate()
  const tls = tlsOptions({ cert: identity.cert, key: identity.key, guard })
  const server = tls.applyTo(
    createServer(tls, async (request, response) => {
      const decision = await guard.decide(request, authenticated())
      response.end(decision.outcome === 'allow' ? decision.caller?.id : decision.refusal.code)
    }),
  )
  const port = await listening(server)

  /** Has the files read until the guard has what is in them. */
  const seen = async (isSeen: () => boolean | Promise<boolean>): Promise<void> => {
    for (let polls = 0; polls < 500; polls += 1) {
      if (await isSeen()) return
      clock.advance({ seconds: 2 })
      await callers.each(1)
    }
    throw new Error('expected the files to be read')
  }
  const callers = new Callers()
  const twice = ({ name, cert, key }: Client): readonly [Tally, Tally] => {
    const shared = { host: 'localhost', port, ca: serverCa.bundle, cert, key }
    const expected = `spiffe://prod.example/${name}`
    return [
      callers.add({ ...shared, expected, kind: `${name}, kept-alive`, keepAlive: true }),
      callers.add({ ...shared, expected, kind: `${name}, fresh`, keepAlive: false }),
    ]
  }

  const ofLeaving = twice(leaves)
  await callers.each(5)

  // A second root, ahead of the first of its callers.
  writeBundle(old, next)
  await seen(() => guard.clientAuthorities.length === 2)
  const ofStaying = twice(stays)
  const ofRevoked = twice(revoked)
  await callers.each(5)

  // Lists that revoke nobody, again and again.
  for (let number = 2; number < 6; number += 1) {
    writeLists({ number, from: `26050100000${number}Z` })
    clock.advance({ seconds: 2 })
    await callers.each(3)
    clock.advance({ seconds: 2 })
    await callers.each(3)
  }
  expect([...ofLeaving, ...ofStaying, ...ofRevoked].flatMap(({ failures }) => failures)).toEqual([])

  writeLists({ number: 9, revoked: [3] })
  await seen(() => ofRevoked.every(({ failures }) => failures.length > 0))
  await callers.each(5)
  for (const { failures } of ofRevoked) {
    expect(new Set(failures)).toEqual(new Set(['certificate_revoked']))
  }
  ofRevoked.forEach((tally) => callers.leave(tally))

  writeBundle(next)
  await seen(() => guard.clientAuthorities.length === 1)
  const before = ofLeaving.map(({ failures }) => failures.length)
  await callers.each(5)
  for (const [i, { failures }] of ofLeaving.entries()) {
    expect(failures.length).toBeGreaterThan((before[i] ?? 0) + 2)
    // A session that was resumed just before shows the leaf alone: then nobody knows whose it was.
    expect(['certificate_untrusted', 'certificate_chain_unknown']).toEqual(
      expect.arrayContaining([...new Set(failures)]),
    )
  }
  ofLeaving.forEach((tally) => callers.leave(tally))
  await callers.each(5)

  await callers.end()
  server.close()
  guard.close()
  process.stdout.write(`roots replaced twice, lists five times; ${callers.report}\n`)
  expect(ofStaying.flatMap(({ failures }) => failures)).toEqual([])
})
