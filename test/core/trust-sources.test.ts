// What sources of trust say of themselves, who is told when one is replaced, and which roots a server names.
import { subscribe, unsubscribe } from 'node:diagnostics_channel'
import { trustChannel } from '@countersign/core'
import { afterAll, beforeEach, expect, test } from 'vitest'
import {
  parseCertificate,
  type ParsedCertificate,
} from '../../packages/core/src/identity/certificate/parsed-certificate.ts'
import { pemForHandshake } from '../../packages/core/src/identity/peer/pem-for-handshake.ts'
import { TrustSources } from '../../packages/core/src/identity/peer/trust-sources.ts'
import { FixedValue } from '../../packages/core/src/identity/trust/live.ts'
import { Refusal } from '../../packages/core/src/refusal.ts'
import { settled } from './support/asking.ts'
import { authority } from './support/der-certificate.ts'
import { pemOf } from './support/pem.ts'

const events: unknown[] = []
const listen = (event: unknown): void => void events.push(event)
subscribe(trustChannel, listen)
afterAll(() => void unsubscribe(trustChannel, listen))
beforeEach(() => void events.splice(0))

const responder = 'http://ocsp.test/'
const source = "certificates.revocation.ocsp.responders['http://ocsp.test/']"

/** Sources of which one is a list, and a count of how often something was replaced. */
function followed() {
  const sources = new TrustSources()
  const seen = { replaced: 0 }
  const stop = sources.onReplaced(() => (seen.replaced += 1))
  return { sources, seen, stop }
}

test('a source says of itself what it is, and what follows it is told when it was replaced', async () => {
  const { sources, seen, stop } = followed()
  let land: (isReplaced: boolean) => void = () => {}
  const name = { source: 'certificates.revocation.crls[0]', isRequired: true }
  const live = sources.add(name, (landed) => {
    land = landed
    return new FixedValue('a list')
  })
  expect(live.current()).toBe('a list')
  expect(sources.states).toEqual([{ ...name, status: 'fresh', readAt: undefined, problem: undefined }])
  land(false)
  expect(seen.replaced).toBe(0)
  land(true)
  expect(seen.replaced).toBe(1)
  stop()
  land(true)
  expect(seen.replaced).toBe(1)
  await settled()
  const told = { source: name.source, status: 'fresh', problem: undefined }
  expect(events).toEqual([
    { ...told, outcome: 'unchanged' },
    { ...told, outcome: 'refreshed' },
    { ...told, outcome: 'refreshed' },
  ])
})

test('a responder is a source without which callers are accepted', () => {
  const { sources } = followed()
  let isClosed = false
  expect(sources.states).toEqual([])
  sources.addResponders({
    state: [
      { responder, status: 'failed', answeredAt: 5, problem: 'why' },
      { responder, status: 'fresh', answeredAt: 6, problem: undefined },
      { responder, status: 'waiting', answeredAt: undefined, problem: undefined },
    ],
    close: () => void (isClosed = true),
  })
  expect(sources.states).toEqual([
    { source, isRequired: false, status: 'stale', readAt: 5, problem: 'why' },
    { source, isRequired: false, status: 'fresh', readAt: 6, problem: undefined },
    { source, isRequired: false, status: 'waiting', readAt: undefined, problem: undefined },
  ])
  sources.close()
  expect(isClosed).toBe(true)
})

test('what a responder says is told, and counts at once where it revokes', () => {
  const { sources, seen } = followed()
  for (const outcome of ['good', 'unknown', 'revoked'] as const) {
    sources.tellAnswer({ responder, outcome, problem: undefined })
    expect(seen.replaced).toBe(outcome === 'revoked' ? 1 : 0)
  }
  sources.tellAnswer({ responder, outcome: 'failed', problem: 'why' })
  expect(seen.replaced).toBe(1)
  const well = { source, outcome: 'refreshed', status: 'fresh', problem: undefined }
  expect(events).toEqual([well, well, well, { source, outcome: 'failed', status: 'stale', problem: 'why' }])
})

test('roots are named to clients as long as their names fit into a handshake', () => {
  const rootOf = (length: number): ParsedCertificate => {
    const root = parseCertificate(authority({ commonName: 'a'.repeat(length) }).der)
    if (root instanceof Refusal) throw new Error(root.code)
    return root
  }
  const overhead = rootOf(1000).subjectDer.length - 1000
  const rootWith = (octets: number): ParsedCertificate => rootOf(octets - 2 - overhead)
  const roots = Array.from({ length: 10 }, () => rootWith(6000))
  expect(pemForHandshake(roots).join('\n')).toBe(roots.map(({ der }) => pemOf(der)).join('\n'))
  expect(pemForHandshake([...roots.slice(1), rootWith(6001)])).toEqual([])
})
