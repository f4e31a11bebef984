import type { FetchedDocument } from './fetch-document.ts'
import { readWholeFile } from './read-file.ts'

/** A published document as it was read. */
export interface Reading {
  readonly octets: Uint8Array
  /** What HTTP said beside them; nothing for a file. */
  readonly headers: FetchedDocument['headers']
  /** Where from, as an operator knows it. */
  readonly from: string
  /** The URL that was asked; undefined for a file. */
  readonly url?: URL
}

/** Asks a server for a document, with these headers beside its own. */
export type Get = (url: URL, headers: Readonly<Record<string, string>>) => Promise<FetchedDocument>

/** Reads a file of at most so many octets. Rejects with a sentence for the operator. */
export const readDocumentFile = async (
  path: string,
  maxBytes: number,
  signal: AbortSignal,
): Promise<Reading> => ({
  octets: await readWholeFile(path, signal, maxBytes),
  headers: {},
  from: `the file \`${path}\``,
})

/**
 * Fetches what is published at a URL. `last` is the reading in use: where it is still good, its own octets are returned. Rejects
 * with a sentence for the operator.
 */
export async function fetchReading(url: URL, last: Reading | undefined, get: Get): Promise<Reading> {
  const known = last?.url?.href === url.href ? last : undefined
  const { status, headers, octets } = await get(url, conditionsOf(known))
  if (status !== 304) return { octets, headers, from: 'the answer', url }
  if (known === undefined) throw new Error('expected status 200, got 304')
  // RFC 9111 §4.3.4: what the server says anew replaces what it said.
  return { ...known, headers: { ...known.headers, ...present(headers) } }
}

export const areSameReadings = (one: Reading, other: Reading): boolean =>
  Buffer.compare(one.octets, other.octets) === 0

// RFC 9110 §13.1.2, §13.1.3.
function conditionsOf(known: Reading | undefined): Record<string, string> {
  const { etag, 'last-modified': lastModified } = known?.headers ?? {}
  return {
    ...(isSendable(etag) ? { 'if-none-match': etag } : {}),
    ...(isSendable(lastModified) ? { 'if-modified-since': lastModified } : {}),
  }
}

// What somebody on the way once said is sent with every question that follows: too long, it would have each of them refused.
const isSendable = (value: string | undefined): value is string => value !== undefined && value.length <= 1024

const present = (headers: FetchedDocument['headers']): FetchedDocument['headers'] =>
  Object.fromEntries(Object.entries(headers).filter(([, value]) => value !== undefined))
