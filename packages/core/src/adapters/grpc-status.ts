import type { Deny } from '../decision/decision.ts'
import { refusals, type RefusalEntry } from '../refusal.ts'

/** The names of those status codes of gRPC that refusals have. */
export type GrpcStatus = 'PERMISSION_DENIED' | 'INTERNAL' | 'UNAVAILABLE' | 'UNAUTHENTICATED'

/** A refusal as gRPC says it. */
export interface GrpcRefusal {
  readonly status: GrpcStatus
  /** The public sentence and the id of the decision. */
  readonly details: string
}

export const grpcRefusal = ({ id, refusal }: Deny): GrpcRefusal => {
  const entry: RefusalEntry = refusals[refusal.code]
  return { status: statusOf(entry), details: `${entry.sentence} (decision ${id})` }
}

/**
 * gRPC's own words: `PERMISSION_DENIED` "must not be used if the caller cannot be identified". So whatever is wrong with a credential is
 * `UNAUTHENTICATED`, malformed ones included, and also certificates, for which HTTP has no 401.
 */
function statusOf({ stage, status }: RefusalEntry): GrpcStatus {
  if (status === 503) return 'UNAVAILABLE'
  if (status === 500) return 'INTERNAL'
  const isIdentified = stage === 'policy' || stage === 'enforcement'
  return status === 403 && isIdentified ? 'PERMISSION_DENIED' : 'UNAUTHENTICATED'
}

/** Puts into trailing metadata those headers of a decision that mean something in gRPC. */
export function addTrailers<Trailers extends { set(name: string, value: string): void }>(
  trailers: Trailers,
  headers: Readonly<Record<string, string>>,
): Trailers {
  for (const name of ['www-authenticate', 'dpop-nonce', 'retry-after']) {
    const value = headers[name]
    if (value !== undefined) trailers.set(name, value)
  }
  return trailers
}
