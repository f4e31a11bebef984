import type { Caller, Decision } from '@countersign/core'
import {
  callerOf as ofContext,
  contextOf,
  decisionOf as decisionIn,
  requireCaller as required,
} from '@countersign/core/adapter'
import type { Metadata } from '@grpc/grpc-js'

/** What a handler is given: its call, or the metadata of it. */
export type CallOrMetadata = Metadata | { readonly metadata: Metadata }

/** Who calls, or undefined where the method may have no caller, and once a stream's access has ended. */
export const callerOf = (call: CallOrMetadata): Caller | undefined => ofContext(metadataOf(call))

/** Who calls. Throws a CallerUnavailableError where nobody was identified, or their access has ended. */
export const requireCaller = (call: CallOrMetadata): Caller => required(metadataOf(call))

/** What was decided for a call last, such as for `guard.explain(decision)`. Undefined where no guard saw it. */
export const decisionOf = (call: CallOrMetadata): Decision | undefined => decisionIn(metadataOf(call))

// The context hangs on the metadata object itself, which handlers are given as it is. Nothing that is sent can pass for it.
const metadataOf = (call: CallOrMetadata): object =>
  'metadata' in call && contextOf(call) === undefined ? call.metadata : call
