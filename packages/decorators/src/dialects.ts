// Which dialect called a decorator, and what it stands above.
import { ConfigurationError } from '@countersign/core'
import { classNameOf } from './class-name.ts'
import { awaitInstance } from './copy.ts'
import { wholeClass, type Key } from './declarations.ts'
import { supersede } from './hierarchy.ts'

/** What a decorator stands above. */
interface Site {
  readonly key: Key
  /** For messages, such as `@Get('/:id') find`. */
  readonly name: string
  /** The method as the decorator was given it, or the class. */
  readonly value: unknown
  /** Tells the prototypes that the declaration belongs to, as soon as they are known. */
  eachPrototype(found: (prototype: object) => void): void
}

interface StandardContext {
  readonly kind: string
  readonly name: string | symbol | undefined
  readonly static?: boolean
  readonly private?: boolean
  addInitializer(initializer: (this: object) => void): void
}

/** Reads the arguments that a decorator was called with. `label` names it in messages. */
export function findSite(label: string, [target, where, descriptor]: readonly unknown[]): Site {
  if (isStandardContext(where)) {
    return where.kind === 'class' ? standardClass(label, target, where) : standardMethod(label, target, where)
  }
  return where === undefined ? legacyClass(label, target) : legacyMethod(label, target, where, descriptor)
}

function standardClass(label: string, target: unknown, context: StandardContext): Site {
  const name = `${label} ${String(context.name ?? 'class')}`
  return {
    key: wholeClass,
    name,
    value: target,
    // The initializer sees what is left when all decorators of the class have run. Another one may have put
    // something else in the place of what we were given, and instances may be of either.
    eachPrototype: (found) =>
      context.addInitializer(function () {
        const last = prototypeOf(this, name)
        supersede(prototypeOf(target, name), last)
        found(last)
      }),
  }
}

function standardMethod(label: string, value: unknown, context: StandardContext): Site {
  const name = `${label} ${String(context.name)}`
  if (context.kind !== 'method') throw notAMethod(name, `a ${context.kind}`)
  if (context.private === true) throw notAMethod(name, 'a private method, which nobody outside can call')
  if (context.static === true) throw notAMethod(name, 'a static method, which has no instance')
  const key = context.name ?? ''
  awaitInstance(key)
  return {
    key,
    name,
    value,
    // In this dialect a method does not know its class, but each instance does. Kept on the prototype, not on the
    // instance: a constructor may hand out a proxy of `this`.
    eachPrototype: (found) =>
      context.addInitializer(function () {
        found(Reflect.getPrototypeOf(this) ?? this)
      }),
  }
}

function legacyClass(label: string, target: unknown): Site {
  const name = `${label} ${typeof target === 'function' ? target.name : 'class'}`
  const prototype = prototypeOf(target, name)
  // Instances would not have what is said of such a prototype. The standard dialect tells what it has taken the place of.
  const { constructor } = prototype
  if (typeof constructor !== 'function' || constructor.prototype !== prototype) throw notAClass(name)
  return { key: wholeClass, name, value: target, eachPrototype: (found) => found(prototype) }
}

function legacyMethod(label: string, target: unknown, key: unknown, descriptor: unknown): Site {
  const method = `${label} ${String(key)}`
  if (typeof target === 'function') throw notAMethod(method, 'a static method, which has no instance')
  // A getter may be what another decorator made of the method, to bind it: what it yields is seen when it is mounted.
  if (typeof descriptor !== 'object' || descriptor === null) throw notAMethod(method, 'a field')
  if (typeof target !== 'object' || target === null || (typeof key !== 'string' && typeof key !== 'symbol')) {
    throw notAMethod(method, `a ${typeof target}`)
  }
  const name = `${label} ${classNameOf(target)}.${String(key)}`
  if (!Object.hasOwn(target, key)) throw notAMethod(name, 'one that the class only inherits')
  const value: unknown = 'value' in descriptor ? descriptor.value : undefined
  return { key, name, value, eachPrototype: (found) => found(target) }
}

function prototypeOf(target: unknown, name: string): object {
  const prototype: unknown = typeof target === 'function' ? target.prototype : undefined
  if (typeof prototype === 'object' && prototype !== null) return prototype
  throw notAClass(name)
}

function isStandardContext(value: unknown): value is StandardContext {
  return typeof value === 'object' && value !== null && 'kind' in value && 'addInitializer' in value
}

const notAClass = (name: string): ConfigurationError =>
  new ConfigurationError(
    name,
    'expected a class: a decorator that puts something else in its place must return a class that extends it',
  )

const notAMethod = (name: string, actual: string): ConfigurationError =>
  new ConfigurationError(
    name,
    `expected a public method of instances, got ${actual}: write the route as a plain method, such as find(req, res) {}`,
  )
