import { refusals, type Deny, type RefusalEntry } from '@countersign/core'
import { Metadata, status as Status, type ServerInterceptingCall } from '@grpc/grpc-js'

/** How a call ends. */
export type CallStatus = Parameters<ServerInterceptingCall['sendStatus']>[0]

/** A refusal as gRPC says it: a coarse code, the public sentence, the decision's id, and the challenge in trailing metadata. */
export function statusOf({ id, refusal, response }: Deny): CallStatus {
  const entry: RefusalEntry = refusals[refusal.code]
  return {
    code: codeOf(entry),
    details: `${entry.sentence} (decision ${id})`,
    metadata: withHeaders(undefined, response.headers),
  }
}

/**
 * gRPC's own words: `PERMISSION_DENIED` "must not be used if the caller cannot be identified". So whatever is wrong with a credential is
 * `UNAUTHENTICATED`, malformed ones included, and also certificates, for which HTTP has no 401.
 */
function codeOf({ stage, status }: RefusalEntry): Status {
  if (status === 503) return Status.UNAVAILABLE
  if (status === 500) return Status.INTERNAL
  const isIdentified = stage === 'policy' || stage === 'enforcement'
  return status === 403 && isIdentified ? Status.PERMISSION_DENIED : Status.UNAUTHENTICATED
}

/** Trailing metadata with those headers of a decision that mean something in gRPC. */
export function withHeaders(
  trailers: Metadata | null | undefined,
  headers: Readonly<Record<string, string>>,
): Metadata {
  const extended = trailers?.clone() ?? new Metadata()
  for (const name of ['www-authenticate', 'dpop-nonce', 'retry-after']) {
    const value = headers[name]
    if (value !== undefined) extended.set(name, value)
  }
  return extended
}

/** For what is wrong in the service itself. The caller is told no more than that. */
export const setUpWrongly: CallStatus = Object.freeze({
  code: Status.INTERNAL,
  details: refusals.declaration_misplaced.sentence,
})
