import { ConfigurationError } from '@countersign/core'
import { MetadataScanner } from '@nestjs/core'
import type { Class, Handler } from './framework.ts'

const scanner = new MetadataScanner()

/** The methods of a class and of those that it extends, by name. */
export function methodsOf({ prototype }: Class): ReadonlyMap<string, Handler> {
  const methods = new Map<string, Handler>()
  for (const name of scanner.getAllMethodNames(prototype)) {
    const method: unknown = Reflect.get(prototype, name)
    if (typeof method === 'function') methods.set(name, method as Handler) // taken as Nest takes it
  }
  return methods
}

/**
 * The names of the methods that a handler is: one function may have several. Throws a ConfigurationError where it is none, so that
 * nobody could tell what is said of it.
 */
export function namesOf(controller: Class, handler: Handler): readonly string[] {
  const names = [...methodsOf(controller)].flatMap(([name, method]) => (method === handler ? [name] : []))
  if (names.length === 0) throw noMethod(controller, handler.name)
  return names
}

/** Throws a ConfigurationError where an instance holds something of its own in place of a method: Nest calls that. */
export function requireMethods(controller: Class, instance: unknown): void {
  for (const [name, method] of methodsOf(controller)) {
    if (Reflect.get(Object(instance), name) !== method) throw noMethod(controller, name)
  }
}

const noMethod = (controller: Class, name: string): ConfigurationError =>
  new ConfigurationError(
    `${controller.name}.${name}`,
    'instances have a function of their own in its place, of which nothing is declared: write the handler as a method of the class',
  )
