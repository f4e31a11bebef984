import { refusals, type Deny } from '@countersign/core'
import { addTrailers, grpcRefusal } from '@countersign/core/adapter'
import { Metadata, status as Status, type ServerInterceptingCall } from '@grpc/grpc-js'

/** How a call ends. */
export type CallStatus = Parameters<ServerInterceptingCall['sendStatus']>[0]

/** A refusal with its challenge in trailing metadata. */
export function statusOf(refused: Deny): CallStatus {
  const { status, details } = grpcRefusal(refused)
  return {
    code: Status[status],
    details,
    metadata: addTrailers(new Metadata(), refused.response.headers),
  }
}

/** The status of a call that was allowed, with what its decision has to say. */
export const withHeaders = (status: CallStatus, headers: Readonly<Record<string, string>>): CallStatus => ({
  ...status,
  metadata: addTrailers(status.metadata?.clone() ?? new Metadata(), headers),
})

/** For what is wrong in the service itself. The caller is told no more than that. */
export const setUpWrongly: CallStatus = Object.freeze({
  code: Status.INTERNAL,
  details: refusals.declaration_misplaced.sentence,
})
