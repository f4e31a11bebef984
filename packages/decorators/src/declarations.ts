// What classes declare of themselves, by prototype and by method name: whoever wraps or replaces a method or a class
// afterwards changes nothing of it.
import { ConfigurationError, type Placement } from '@countersign/core'
import { claim } from './copy.ts'

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
  | { readonly says: 'exemptions allowed' }

/** What is declared, by the name of the method. */
export type Declarations = ReadonlyMap<Key, ReadonlySet<Declaration>>

/** The declarations of one kind. */
export type Said<Kind extends Declaration['says']> = Extract<Declaration, { says: Kind }>

type Growing = Map<Key, Set<Declaration>>

const ofPrototypes = new WeakMap<object, Growing>()
const ofFunctions = new WeakMap<object, Growing>()
const sealed = new WeakSet<object>()
const none: Declarations = new Map()

/** Adds to what a class declares. Saying the same again, as each new instance does, changes nothing. */
export function record(prototype: object, key: Key, declaration: Declaration, name: string): void {
  claim(prototype, name)
  const known = ofPrototypes.get(prototype)?.get(key) ?? new Set()
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
  add(ofPrototypes, prototype, key, declaration)
}

/** Remembers above which function a decorator stood: it tells which class of a hierarchy spoke, and goes where a mixin copies it. */
export function recordAbove(method: unknown, key: Key, declaration: Declaration): void {
  if (typeof method === 'function') add(ofFunctions, method, key, declaration)
}

/** What a class, or an instance made of it, has declared. */
export const declaredOf = (prototype: object): Declarations => ofPrototypes.get(prototype) ?? none

/** What was declared above a function, under this name. */
export const declaredAbove = (method: object, key: Key): ReadonlySet<Declaration> | undefined =>
  ofFunctions.get(method)?.get(key)

/** From here on this class may declare nothing more: it would come too late. */
export function seal(prototype: object): void {
  sealed.add(prototype)
}

function add(all: WeakMap<object, Growing>, holder: object, key: Key, declaration: Declaration): void {
  const held = all.get(holder) ?? new Map<Key, Set<Declaration>>()
  all.set(holder, held.set(key, (held.get(key) ?? new Set()).add(declaration)))
}
