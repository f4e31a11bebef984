// What classes declare of themselves, by prototype and by method name: whoever wraps or replaces a method or a class
// afterwards changes nothing of it.
import { ConfigurationError, type Placement } from '@countersign/core'
import { classNameOf } from './class-name.ts'
import { claim, rejectForeign } from './copy.ts'

/** Stands in place of a method's name for what is said of the class. */
export const wholeClass: unique symbol = Symbol('the whole class')

/** The name of a method, or the whole class. */
export type Key = string | symbol

/** What one decorator says. */
export type Declaration =
  | { readonly says: 'controller'; readonly path: string }
  | { readonly says: 'route'; readonly method: string; readonly path: string }
  | { readonly says: 'requirement'; readonly placement: Placement }
  | { readonly says: 'exemption'; readonly placement: Placement }

const declared = new WeakMap<object, Map<Key, Set<Declaration>>>()
const successors = new WeakMap<object, object>()
const sealed = new WeakSet<object>()

/** Adds to what a class declares. Saying the same again, as each new instance does, changes nothing. */
export function record(prototype: object, key: Key, declaration: Declaration, name: string): void {
  claim(prototype, name)
  const ofClass = declared.get(prototype) ?? new Map<Key, Set<Declaration>>()
  const known = ofClass.get(key) ?? new Set()
  if (declaration.says === 'controller' && [...known].some(({ says }) => says === 'controller')) {
    throw new ConfigurationError(name, 'the class has two @Controller: leave one of them')
  }
  if (known.has(declaration)) return
  if (sealed.has(prototype)) {
    throw new ConfigurationError(
      name,
      'mounted before all its decorators had run: call mount(app, …) outside the class',
    )
  }
  declared.set(prototype, ofClass.set(key, known.add(declaration)))
}

/** Remembers what has taken the place of a class. What is declared of either holds for both. */
export function supersede(prototype: object, successor: object): void {
  if (prototype !== successor) successors.set(prototype, successor)
}

/** All that holds for an instance, what its base classes declare first. Nothing takes away from what a base says. */
export function declarationsFor(instance: object): ReadonlyMap<Key, ReadonlySet<Declaration>> {
  const all = new Map<Key, Set<Declaration>>()
  for (const prototype of lineageOf(instance)) {
    rejectForeign(prototype, classNameOf(prototype))
    for (const [key, declarations] of declared.get(prototype) ?? []) {
      all.set(key, new Set([...(all.get(key) ?? []), ...declarations]))
    }
  }
  return all
}

/** From here on the class of this instance may declare nothing more: it would come too late for its routes. */
export function seal(instance: object): void {
  sealed.add(Reflect.getPrototypeOf(instance) ?? instance)
}

/** The prototypes of an instance from the oldest base class on, each with what has taken its place. */
function lineageOf(instance: object): ReadonlySet<object> {
  const prototypes: object[] = []
  let prototype = Reflect.getPrototypeOf(instance)
  while (prototype !== null && prototype !== Object.prototype) {
    prototypes.unshift(prototype)
    prototype = Reflect.getPrototypeOf(prototype)
  }
  return new Set(prototypes.flatMap((each) => [each, successors.get(each) ?? each]))
}
