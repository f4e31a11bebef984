// Which element of an XFCC field tells who calls, and what it tells.
import { hash } from 'node:crypto'
import { Refusal, quoted } from '../../refusal.ts'
import type { HeaderField } from '../../request/identity-headers.ts'
import type { ForwardedClient, ForwardedFormat } from './forwarded-client.ts'
import { readField } from './read-field.ts'
import { parseXfcc, type XfccElement } from './xfcc.ts'

/** The proxies between the caller and this service, by the URI names of their own certificates. */
export interface XfccHops {
  /** The one that talks to this service: `By` of the last element. Undefined: it alone writes the field, one element. */
  readonly self: string | undefined
  /** Those before it whose word on their own callers counts, the one that the caller talks to first. */
  readonly relays: readonly string[]
}

/** Envoy's `x-forwarded-client-cert`. */
export const xfccHeader = (hops: XfccHops): ForwardedFormat => ({
  headers: [header],
  read: (fields) => read(fields, hops),
})

function read(fields: readonly HeaderField[], hops: XfccHops): ForwardedClient | undefined | Refusal {
  const value = readField(fields, header)
  if (value === undefined || value instanceof Refusal) return value
  const elements = parseXfcc(value)
  if (elements instanceof Refusal) return elements
  const caller = chooseElement(elements, hops)
  return caller instanceof Refusal ? caller : toClient(caller)
}

/**
 * The element that the outermost trusted proxy wrote about its caller. What stands before it is the caller's own word.
 * INVARIANT: each trusted proxy wrote exactly one element. Envoy does not escape URI names, so one that holds `,By=…` makes a
 * second element of the client's choice; but it cannot take away the first, which began before the name did.
 */
function chooseElement(elements: readonly XfccElement[], { self, relays }: XfccHops): XfccElement | Refusal {
  const [first, second] = elements
  if (self === undefined) {
    return first === undefined || second !== undefined ? mismatch('one element', `${elements.length}`) : first
  }
  const proxies = [...relays, self]
  const written = elements.slice(-proxies.length)
  const [caller] = written
  if (caller === undefined || written.length < proxies.length) {
    return mismatch(`${proxies.length} elements`, `${elements.length}`)
  }
  for (const [i, element] of written.entries()) {
    const proxy = proxies[i] ?? self
    const times = elements.filter(({ by }) => by.includes(proxy)).length
    if (times > 1) return mismatch(`one element by ${quoted(proxy)}`, `${times}`)
    if (!isOnly(element.by, proxy)) return mismatch(`By=${quoted(proxy)}`, describe(element.by))
    // The next proxy says whom it talked to. Else a caller could reach it past the relay and bring the relay's element along.
    const called = written[i + 1]?.uris ?? [proxy]
    if (!isOnly(called, proxy)) return mismatch(`URI=${quoted(proxy)}`, describe(called))
  }
  return caller
}

function toClient({ hash: digest, leaf, chain, uris }: XfccElement): ForwardedClient | Refusal {
  const [uri, second] = uris
  if (second !== undefined || (leaf === undefined && (uri ?? '') === '')) {
    // Envoy writes `URI=` where the certificate has no URI name at all.
    const actual = second === undefined ? 'none' : `${uris.length}`
    return new Refusal('svid_id_malformed', { expected: 'exactly one URI name', actual })
  }
  if (digest === undefined) return mismatch('Hash of the certificate', 'none')
  // A name with `;Cert=` in it can add a certificate, but not change the digest of the one that was presented.
  if (leaf !== undefined && hash('sha256', leaf) !== digest) {
    return mismatch('Cert with the digest in Hash', 'another one')
  }
  return {
    certificate: leaf === undefined ? undefined : { leaf, chain, tlsError: undefined },
    uri: uri === '' ? undefined : uri,
    digest: Buffer.from(digest, 'hex').toString('base64url'),
  }
}

const isOnly = (names: readonly string[], name: string): boolean => names.length === 1 && names[0] === name

const describe = (names: readonly string[]): string =>
  names.length === 1 ? quoted(names[0]) : `${names.length} of it`

const mismatch = (expected: string, actual: string): Refusal =>
  new Refusal('forwarded_certificate_mismatch', {
    expected,
    actual,
    advice:
      'name the proxies that a request comes through in `certificates.forwarded`: `self` is the last one, `relays` those before it',
  })

const header = 'x-forwarded-client-cert'
