import type { Experiment, Outcome } from '../calls/call.ts'

/** What came of an experiment: the call with what it led to, and the control. */
export interface Result {
  readonly experiment: Experiment
  readonly outcomes: readonly Outcome[]
  readonly control: Outcome | undefined
}

/** Shows results as they come in. */
export interface Report {
  show(result: Result): void
  end(results: readonly Result[], elapsedMs: number): void
}

/** All outcomes of a result, in the order in which they happened. */
export const outcomesOf = ({ outcomes, control }: Result): readonly Outcome[] =>
  control === undefined ? outcomes : [...outcomes, control]
