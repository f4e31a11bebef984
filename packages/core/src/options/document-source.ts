import type { Clock } from '../clock/clock.ts'
import type { TrustSources } from '../identity/peer/trust-sources.ts'
import type { FetchDocument } from '../identity/trust/fetch-document.ts'
import type { Reading } from '../identity/trust/reading.ts'
import type { Source } from '../identity/trust/supplied-value.ts'

/**
 * Where roots, or lists of what is revoked, come from: the text itself; the path of a file, which may be replaced at any time; a
 * URL, which is read again and again; or a source of your own.
 */
export type DocumentSource = string | UrlSource | Source

/** A URL, and the authorities that its server's certificate must chain to instead of the public ones. */
export interface UrlSource {
  readonly url: string
  /** PEM text, or the path of a PEM file. */
  readonly ca?: string
}

/** What all sources of a guard share. */
export interface LiveContext {
  readonly clock: Clock
  readonly fetch: FetchDocument
  readonly sources: TrustSources
  /** False where callers are accepted without it. */
  readonly isRequired: boolean
  /** Whether documents whose author nobody has to prove may come from this URL. */
  readonly mayUse: (url: URL) => boolean
}

/** One kind of documents. */
export interface DocumentKind<T> {
  /** What to write, for who wrote something else. */
  readonly expected: string
  /** True where a text is the document itself, and no path. */
  readonly isText: (text: string) => boolean
  /** Throws an Error for the operator. */
  readonly parse: (octets: Uint8Array, previous: T | undefined) => T
  /** How long after a fetch it is fetched again, in milliseconds. */
  readonly intervalOf: (reading: Reading, value: T) => number
  /** What was read goes on serving so much longer than it should. */
  readonly maxStaleMs: number
  readonly maxBytes: number
  readonly accept: string
  /** True where whoever reads it can tell who wrote it, so that it may come without TLS. */
  readonly isSigned: boolean
}
