import type { Experiment, Outcome } from '../calls/call.ts'
import type { Records } from '../services/run-service.ts'
import type { ServiceName } from '../workloads.ts'

/** What came of an experiment: the call with what it led to, and the control. */
export interface Result {
  readonly experiment: Experiment
  readonly outcomes: readonly Outcome[]
  readonly control: Outcome | undefined
}

/** What the guards have recorded, by the service that they guard. */
export type RecordsOfAll = ReadonlyMap<ServiceName, Records>

/** Shows results as they come in. */
export interface Report {
  show(result: Result): void
  /** `records`: what each callee's guard has recorded by then. */
  end(results: readonly Result[], elapsedMs: number, records: RecordsOfAll): void
}

/** All outcomes of a result, in the order in which they happened. */
export const outcomesOf = ({ outcomes, control }: Result): readonly Outcome[] =>
  control === undefined ? outcomes : [...outcomes, control]
