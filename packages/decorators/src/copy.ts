import { ConfigurationError } from '@countersign/core'

/*
 * Two installed copies of this package do not see each other's declarations, and a floor that is not seen would be no
 * floor. So each writes down, where both can read it, which classes it knows; then the other refuses them.
 */
const registry = Symbol.for('countersign.decorators')
const awaitingInstances = Symbol.for('countersign.decorators.awaiting')

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

/** Notes that a method of this name was decorated in the standard dialect: its class is not known before an instance is. */
export function awaitInstance(key: string | symbol): void {
  awaiting().add(key)
}

/** True if a class may have a declaration of this method that no instance has brought to it, whichever copy holds it. */
export const mayAwaitInstance = (key: string | symbol): boolean => awaiting().has(key)

function owners(): WeakMap<object, Copy> {
  const shared: unknown = Reflect.get(globalThis, registry)
  return shared instanceof WeakMap ? shared : share(registry, new WeakMap<object, Copy>())
}

function awaiting(): Set<string | symbol> {
  const shared: unknown = Reflect.get(globalThis, awaitingInstances)
  return shared instanceof Set ? shared : share(awaitingInstances, new Set<string | symbol>())
}

function share<Value>(name: symbol, value: Value): Value {
  Reflect.defineProperty(globalThis, name, { value })
  return value
}
