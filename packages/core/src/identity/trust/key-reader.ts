import { readFile, stat } from 'node:fs/promises'
import type { Clock } from '../../clock/clock.ts'
import { discover } from './discover.ts'
import { maxBytes, type FetchDocument, type FetchedDocument } from './fetch-document.ts'
import type { KeyAccess, KeyLocation } from './key-location.ts'

/** Published keys as they were read. */
export interface KeyReading {
  readonly octets: Uint8Array
  /** What HTTP said beside them; nothing for a file. */
  readonly headers: FetchedDocument['headers']
  /** Where from, as an operator knows it. */
  readonly from: string
  /** The URL that was asked; undefined for a file. */
  readonly url?: URL
}

interface KeyReaderOptions extends KeyAccess {
  readonly location: KeyLocation
  readonly clock: Clock
  readonly fetch: FetchDocument
}

/** Reads what is published at a location. */
export class KeyReader {
  readonly #options: KeyReaderOptions
  /** The origin that the operator named: the only one that is shown the bearer token. */
  readonly #origin: string | undefined
  /** Where discovery led, and when. */
  #found: { readonly url: URL; readonly at: number } | undefined

  constructor(options: KeyReaderOptions) {
    this.#options = options
    const { location } = options
    if (location.kind === 'url') this.#origin = location.url.origin
    if (location.kind === 'discovery') this.#origin = (location.url ?? new URL(location.issuer)).origin
  }

  /**
   * Reads once, bounded in time by the signal. `last` is the reading that was taken into use: where it is still good,
   * its own octets are returned. Rejects with a sentence for the operator.
   */
  async read(last: KeyReading | undefined, signal: AbortSignal): Promise<KeyReading> {
    const { location } = this.#options
    if (location.kind === 'file') return readKeyFile(location.path, signal)
    if (location.kind === 'url') return this.#fetchKeys(location.url, last, signal)
    const now = this.#options.clock.now()
    const known = this.#found
    // Forgotten before it is used again, so that a place that fails is looked for anew.
    this.#found = undefined
    const isRecent = known !== undefined && now - known.at < rediscoverAfterMs && now >= known.at
    const found = isRecent
      ? known
      : {
          url: await discover({ ...location, member: 'jwks_uri' }, (url) => this.#get(url, {}, signal)),
          at: now,
        }
    const reading = await this.#fetchKeys(found.url, last, signal)
    this.#found = found
    return reading
  }

  async #fetchKeys(url: URL, last: KeyReading | undefined, signal: AbortSignal): Promise<KeyReading> {
    const known = last?.url?.href === url.href ? last : undefined
    const { status, headers, octets } = await this.#get(url, conditionsOf(known), signal)
    if (status !== 304) return { octets, headers, from: 'the answer', url }
    if (known === undefined) throw new Error('expected status 200, got 304')
    // RFC 9111 §4.3.4: what the server says anew replaces what it said.
    return { ...known, headers: { ...known.headers, ...present(headers) } }
  }

  #get(
    url: URL,
    conditions: Readonly<Record<string, string>>,
    signal: AbortSignal,
  ): Promise<FetchedDocument> {
    const { fetch, ca, bearer } = this.#options
    const isShown = bearer !== undefined && url.origin === this.#origin
    const headers = { ...conditions, ...(isShown ? { authorization: `Bearer ${checked(bearer)}` } : {}) }
    return fetch(url, { ca, signal, headers })
  }
}

// A pipe or a device would never end. A file that is just being written does not parse, and is read again.
async function readKeyFile(path: string, signal: AbortSignal): Promise<KeyReading> {
  const file = await stat(path)
  if (!file.isFile()) throw new Error(`\`${path}\` is not a file`)
  if (file.size > maxBytes) throw new Error(`the file \`${path}\` is longer than ${maxBytes} bytes`)
  return { octets: await readFile(path, { signal }), headers: {}, from: `the file \`${path}\`` }
}

// RFC 9110 §13.1.2, §13.1.3.
function conditionsOf(known: KeyReading | undefined): Record<string, string> {
  const { etag, 'last-modified': lastModified } = known?.headers ?? {}
  return {
    ...(etag === undefined ? {} : { 'if-none-match': etag }),
    ...(lastModified === undefined ? {} : { 'if-modified-since': lastModified }),
  }
}

// Nothing of the token, nor of what went wrong with it, reaches a message.
function checked(bearer: () => string): string {
  let token: string | undefined
  try {
    token = bearer()
  } catch {
    // Told below.
  }
  if (token !== undefined && /^[\x21-\x7e]+$/.test(token)) return token
  throw new Error('the bearer token for the keys cannot be read, or is not one word')
}

const present = (headers: FetchedDocument['headers']): FetchedDocument['headers'] =>
  Object.fromEntries(Object.entries(headers).filter(([, value]) => value !== undefined))

/** The place that discovery found is kept so long. A rush of unknown `kid`s then costs one request each time, not two. */
const rediscoverAfterMs = 5 * 60_000
