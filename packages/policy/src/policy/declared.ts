import type { PolicyCaller } from '@countersign/core/adapter'
import type { NameSets } from './read-zones.ts'

/** The names that routes can speak of. */
export interface Declared {
  readonly callers: ReadonlyMap<string, PolicyCaller>
  readonly zones: NameSets
}
