// What a fetch answers, where a test stands in for the network.
import type { FetchedDocument } from '@countersign/core'

/** A JSON answer with status 200. */
export const jsonDocument = (
  body: object,
  headers: Readonly<Record<string, string>> = {},
): FetchedDocument => ({
  status: 200,
  headers,
  octets: Buffer.from(JSON.stringify(body)),
})
