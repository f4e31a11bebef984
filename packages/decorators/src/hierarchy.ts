// The classes that an instance is made of, and what each of them says.
import { classNameOf } from './class-name.ts'
import { rejectForeign } from './copy.ts'
import {
  declaredAbove,
  declaredOf,
  wholeClass,
  type Declaration,
  type Declarations,
  type Key,
  type Said,
} from './declarations.ts'

/** One class of a hierarchy. */
export interface Level {
  /** Of the class, for messages. */
  readonly name: string
  readonly declared: Declarations
  /** What was said above the functions that it holds now, wherever these were written. */
  readonly held: Declarations
  /** The names of what it defines. */
  readonly defines: ReadonlySet<Key>
}

const successors = new WeakMap<object, object>()

/** Remembers what has taken the place of a class. What is declared of either holds for both. */
export function supersede(prototype: object, successor: object): void {
  if (prototype !== successor) successors.set(prototype, successor)
}

/** The classes of the instances that inherit from a prototype, the oldest base class first. Nothing takes away from what a base says. */
export function levelsOf(prototype: object | null): readonly Level[] {
  const lineage: object[] = []
  for (
    let each = prototype;
    each !== null && each !== Object.prototype;
    each = Reflect.getPrototypeOf(each)
  ) {
    lineage.unshift(each)
  }
  // Each with what has taken its place.
  return [...new Set(lineage.flatMap((each) => [each, successors.get(each) ?? each]))].map(levelOf)
}

/** Every method that anything is said of, in the order in which that was said. */
export function methodsOf(levels: readonly Level[]): ReadonlySet<Key> {
  const keys = new Set<Key>()
  for (const { declared } of levels) for (const key of declared.keys()) keys.add(key)
  for (const { held } of levels) for (const key of held.keys()) keys.add(key)
  keys.delete(wholeClass)
  return keys
}

/** What a class, or all classes of a hierarchy, say of one method or of themselves. */
export const saidOf = (levels: readonly Level[], key: Key): readonly Declaration[] => [
  ...new Set(
    levels.flatMap(({ declared, held }) => [...(declared.get(key) ?? []), ...(held.get(key) ?? [])]),
  ),
]

/** Those declarations that are of one kind. */
export const ofKind = <Kind extends Declaration['says']>(
  said: readonly Declaration[],
  kind: Kind,
): readonly Said<Kind>[] => said.filter((each): each is Said<Kind> => each.says === kind)

function levelOf(prototype: object): Level {
  const name = classNameOf(prototype)
  rejectForeign(prototype, name)
  const defines = new Set(Reflect.ownKeys(prototype))
  const held = new Map<Key, ReadonlySet<Declaration>>()
  for (const key of defines) {
    const value: unknown = Reflect.getOwnPropertyDescriptor(prototype, key)?.value
    const said = typeof value === 'function' ? declaredAbove(value, key) : undefined
    if (said !== undefined) held.set(key, said)
  }
  return { name, declared: declaredOf(prototype), held, defines }
}
