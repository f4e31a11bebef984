import { ConfigurationError } from '@countersign/core'

/*
 * Two installed copies of this package do not see each other's declarations, and a floor that is not seen would be no
 * floor. So each writes down, where both can read it, which classes it knows; then the other refuses them.
 */
const registry = Symbol.for('countersign.decorators')

interface Copy {
  readonly name: string
}

const thisCopy: Copy = { name: '@countersign/decorators' }

/** Notes that this copy holds declarations of a class. */
export function claim(prototype: object, name: string): void {
  rejectForeign(prototype, name)
  owners().set(prototype, thisCopy)
}

/** Throws a ConfigurationError if another copy of this package holds declarations of a class. */
export function rejectForeign(prototype: object, name: string): void {
  const owner = owners().get(prototype)
  if (owner === undefined || owner === thisCopy) return
  throw new ConfigurationError(
    name,
    `decorated by another copy of ${owner.name} than the one that reads it; install one version only`,
  )
}

function owners(): WeakMap<object, Copy> {
  const shared: unknown = Reflect.get(globalThis, registry)
  if (shared instanceof WeakMap) return shared
  const fresh = new WeakMap<object, Copy>()
  Reflect.defineProperty(globalThis, registry, { value: fresh })
  return fresh
}
