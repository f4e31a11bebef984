import { randomUUID } from 'node:crypto'
import { ConfigurationError } from './configuration-error.ts'

/** Kept equal to the package's version by a test. */
const version = '0.1.0'

// Two installed copies do not know each other's types, so each marks what it makes with a name that both can read.
const mark = Symbol.for('countersign.copy')
// No `import.meta`: a user's Jest compiles this file to CommonJS, and a bundle may hold two copies in one file.
const thisCopy: string = `${version}, copy ${randomUUID().slice(0, 8)}`

/** Signs an object as made by this copy of the library. */
export function markCopy(made: object): void {
  Object.defineProperty(made, mark, { value: thisCopy })
}

/** Refuses what another copy made: it would pass for nothing here, and nothing must never mean "allowed". */
export function rejectForeignCopy(value: unknown, option: string): void {
  if (typeof value !== 'object' || value === null || !(mark in value)) return
  const other = value[mark]
  if (other === thisCopy) return
  throw new ConfigurationError(
    option,
    `made by another copy of @countersign/core (${String(other)}) than the one that reads it (${thisCopy}); install one version only`,
  )
}
