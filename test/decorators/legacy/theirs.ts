// Decorators of other people, in the legacy dialect: each puts something of its own in the place of what it is given.

/** Wraps a method. */
export function logged(
  _prototype: object,
  _name: string | symbol,
  descriptor: PropertyDescriptor,
): PropertyDescriptor {
  const method: unknown = descriptor.value
  if (typeof method !== 'function') throw new TypeError('expected a method')
  return {
    ...descriptor,
    value(this: unknown, ...args: readonly unknown[]): unknown {
      return Reflect.apply(method, this, args)
    },
  }
}

/** Binds a method to its instance, as popular libraries do it: by a getter. */
export function bound(
  _prototype: object,
  _name: string | symbol,
  { value, ...descriptor }: PropertyDescriptor,
): PropertyDescriptor {
  const method: unknown = value
  if (typeof method !== 'function') throw new TypeError('expected a method')
  return {
    configurable: true,
    enumerable: descriptor.enumerable ?? false,
    get(): unknown {
      return (...args: readonly unknown[]): unknown => Reflect.apply(method, this, args)
    },
  }
}

/** Puts a subclass in the place of a class. */
// oxlint-disable-next-line typescript/no-explicit-any -- TypeScript asks it of a class that extends a parameter
export function extended<Class extends new (...args: any[]) => object>(value: Class): Class {
  return class extends value {}
}

/** Puts a proxy in the place of a class. */
export function proxied<Class extends object>(value: Class): Class {
  return new Proxy(value, {})
}
