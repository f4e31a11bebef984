import type { Clock } from '../../clock/clock.ts'
import { discover } from './discover.ts'
import { maxBytes, type FetchDocument, type FetchedDocument } from './fetch-document.ts'
import type { KeyAccess, KeyLocation } from './key-location.ts'
import { fetchReading, readDocumentFile, type Reading } from './reading.ts'

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
  async read(last: Reading | undefined, signal: AbortSignal): Promise<Reading> {
    const { location } = this.#options
    if (location.kind === 'file') return readDocumentFile(location.path, maxBytes, signal)
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

  #fetchKeys(url: URL, last: Reading | undefined, signal: AbortSignal): Promise<Reading> {
    return fetchReading(url, last, (at, conditions) => this.#get(at, conditions, signal))
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

/** The place that discovery found is kept so long. A rush of unknown `kid`s then costs one request each time, not two. */
const rediscoverAfterMs = 5 * 60_000
