import type { Place } from '@countersign/core/adapter'

/** What is wrong in a document, and where. */
export interface PolicyProblem extends Place {
  /** What was expected, what is there, and what to write. */
  readonly message: string
}

/** Thrown for a document that cannot be used. Its message names every problem, one to a line: `file:line:column path: problem`. */
export class PolicyError extends Error {
  /** Stable across versions: branch on this, not on the message. */
  readonly code = 'policy_invalid'
  /** In the order of the document; 20 at most. */
  readonly problems: readonly PolicyProblem[]

  constructor(name: string, problems: readonly PolicyProblem[], untold: number) {
    const lines = problems.map(
      ({ path, line, column, message }) =>
        `${name}:${line}:${column} ${path === '' ? '' : `${path}: `}${message}`,
    )
    super([...lines, ...(untold === 0 ? [] : [`${name}: and ${untold} more`])].join('\n'))
    this.name = 'PolicyError'
    this.problems = Object.freeze(problems.map((problem) => Object.freeze(problem)))
  }
}
