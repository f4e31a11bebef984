import { ConfigurationError } from '@countersign/core'

/** Checks what was passed as a controller. `where` names the function, such as `mount(app, …)`. */
export function requireInstance(instance: unknown, where: string): object {
  const write = (name: string): string => where.replace('…', `new ${name}()`)
  if (typeof instance === 'function') {
    throw new ConfigurationError(
      where,
      `expected an instance, got a class: write ${write(instance.name || 'Orders')}`,
    )
  }
  if (typeof instance !== 'object' || instance === null) {
    throw new ConfigurationError(
      where,
      `expected an instance of a controller, got ${String(instance)}: write ${write('Orders')}`,
    )
  }
  // It inherits from its base class alone, so what its own class says would not count.
  if (isPrototype(instance)) {
    throw new ConfigurationError(where, `expected an instance, got a prototype: write ${write('Orders')}`)
  }
  return instance
}

function isPrototype(value: object): boolean {
  const constructor: unknown = Object.hasOwn(value, 'constructor')
    ? Reflect.get(value, 'constructor')
    : undefined
  return typeof constructor === 'function' && constructor.prototype === value
}
