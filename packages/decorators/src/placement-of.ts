import { ConfigurationError, type Placement } from '@countersign/core'
import { classNameOf } from './class-name.ts'
import { mayAwaitInstance } from './copy.ts'
import { seal } from './declarations.ts'
import { levelsOf } from './hierarchy.ts'
import { requireInstance } from './instance.ts'
import { placementIn } from './placement.ts'

/**
 * Who may call a method, by the rules of `mount`: for frameworks with decorators of their own, whose routes then get
 * `requires(placement)`. Undefined where nothing was declared: place nothing then, and the guard's `undeclared` decides.
 * Takes an instance that its constructor has made; in the legacy dialect the class will do. Throws a
 * ConfigurationError that says what to write.
 */
export function placementOf(controller: object, method: string | symbol): Placement | undefined {
  const isClass = typeof controller === 'function'
  const holder = isClass
    ? requirePrototype(controller, method)
    : requireInstance(controller, 'placementOf(…)')
  const name = `${classNameOf(holder)}.${String(method)}`
  if (!(method in holder)) {
    throw new ConfigurationError(name, 'expected the name of a method, got one that the class does not have')
  }
  const prototype = isClass ? holder : Reflect.getPrototypeOf(holder)
  const placement = placementIn(levelsOf(prototype), method, name)
  seal(prototype ?? holder)
  return placement
}

// Half of what holds for a method would be a weaker requirement than the one that was written.
function requirePrototype(controller: { readonly name: string }, method: string | symbol): object {
  const prototype: unknown = Reflect.get(controller, 'prototype')
  if (typeof prototype !== 'object' || prototype === null || mayAwaitInstance(method)) {
    throw new ConfigurationError(
      `placementOf(${controller.name}, …)`,
      `expected an instance, since standard decorators tell the class of a method only then: write placementOf(new ${controller.name || 'Orders'}(), '${String(method)}')`,
    )
  }
  return prototype
}
