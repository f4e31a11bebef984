import type { DecisionEvent, RefusalCode } from '@countersign/core'
import type { ServiceName } from '../workloads.ts'
import type { Credential } from './credentials.ts'

export type Verdict = 'allow' | RefusalCode

/** One call, and what is to come of it. */
export interface Call {
  readonly caller: ServiceName
  readonly callee: ServiceName
  /** The route as the callee's framework registered it, and as its decision events name it. */
  readonly route: string
  /** The path that is really asked for. Over gRPC, that of the method. */
  readonly path: string
  /** What the caller asks of its issuer where it presents a token of its own. */
  readonly scope: string
  /** What it presents, in words. */
  readonly credential: Credential
  readonly expect: Verdict
  /** Why the callee would refuse it, where it only observes so far. */
  readonly observed?: RefusalCode
  /** What the callee's candidate policy says of it, where that is something else. */
  readonly candidate?: Verdict
  /** The call that the callee makes in turn, in its own name. */
  readonly onward?: Call
}

/** A call, and beside each that is to be refused its control: the same call without the one defect. */
export interface Experiment {
  readonly call: Call
  readonly control?: Call
}

/** What came of a call. */
export interface Outcome {
  readonly call: Call
  readonly status: number
  readonly body: string
  readonly ms: number
  /** What the callee's guard recorded of it; undefined where that cannot be found. */
  readonly event: DecisionEvent | undefined
  /** What its candidate policy says; undefined where that is the same. */
  readonly candidate: Verdict | undefined
}
