// Decorators of other people, in the standard dialect: each puts something of its own in the place of what it is given.

type Method = (this: object, ...args: never) => unknown

/** Wraps a method. */
export function logged(
  method: Method,
  _context: ClassMethodDecoratorContext,
): (...args: readonly unknown[]) => unknown {
  return function (this: unknown, ...args) {
    return Reflect.apply(method, this, args)
  }
}

/** Binds a method to its instance, as the proposal itself shows it: by an own property. */
export function bound(method: Method, context: ClassMethodDecoratorContext<object>): void {
  context.addInitializer(function () {
    Reflect.set(this, context.name, method.bind(this))
  })
}

/** Puts a subclass in the place of a class. */
// oxlint-disable-next-line typescript/no-explicit-any -- TypeScript asks it of a class that extends a parameter
export function extended<Class extends new (...args: any[]) => object>(
  value: Class,
  _context: ClassDecoratorContext,
): Class {
  return class extends value {}
}

/** Puts a proxy in the place of a class. */
export function proxied<Class extends object>(value: Class, _context: ClassDecoratorContext): Class {
  return new Proxy(value, {})
}
