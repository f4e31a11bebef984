/** A decorator of classes, in the standard and in the legacy dialect: the latter passes no context. */
export type ClassDecorates = <Class extends AnyClass>(
  value: Class,
  context?: ClassDecoratorContext<Class>,
) => void

/** A decorator of methods that have a public name and belong to instances, in both dialects. */
export interface MethodDecorates {
  /** The standard dialect. */
  (value: AnyMethod, context: ClassMethodDecoratorContext & OfInstances): void
  /** The legacy dialect, `experimentalDecorators`. */
  <Method extends AnyMethod>(
    prototype: object & OfPrototypes,
    name: string | symbol,
    descriptor: TypedPropertyDescriptor<Method>,
  ): void
}

/** A decorator of classes and methods alike. */
export type EitherDecorates = ClassDecorates & MethodDecorates

type AnyClass = abstract new (...args: never) => object
type AnyMethod = (...args: never) => unknown

// A static method has no instance to be mounted with, and a private one is out of reach.
interface OfInstances {
  readonly static: false
  readonly private: false
}

// The legacy dialect passes the class itself for a static method.
interface OfPrototypes {
  readonly prototype?: never
}
