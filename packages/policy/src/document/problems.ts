import type { Place } from '@countersign/core/adapter'
import { PolicyError, type PolicyProblem } from '../policy-error.ts'

/** What is found wrong while a document is read, so that its author is told everything at once. */
export class Problems {
  readonly #found = new Map<string, PolicyProblem>()
  #untold = 0

  add({ path, line, column }: Place, message: string): void {
    // A candidate reads again what it takes over.
    const key = `${line}:${column} ${message}`
    if (this.#found.has(key)) return
    if (this.#found.size >= maxProblems) this.#untold += 1
    else this.#found.set(key, { path, line, column, message: cut(message) })
  }

  /** Hands back what was read, if nothing was wrong with it. `name` is what messages call the document. */
  requireNone<T>(value: T | undefined, name: string): T {
    const found = [...this.#found.values()]
    if (value !== undefined && found.length === 0) return value
    throw new PolicyError(
      cut(name),
      found.toSorted((a, b) => a.line - b.line || a.column - b.column),
      this.#untold,
    )
  }
}

// What the YAML library says can repeat what it read.
const cut = (text: string): string =>
  (text.length <= maxLength ? text : `${text.slice(0, maxLength)}…`).replaceAll(
    /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/gu,
    '?',
  )

const maxProblems = 20
const maxLength = 400
