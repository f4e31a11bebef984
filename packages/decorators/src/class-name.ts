/** The class of an instance, or of a prototype, as messages name it. */
export function classNameOf(instance: object): string {
  const constructor: unknown = Reflect.get(instance, 'constructor')
  return typeof constructor === 'function' && constructor.name !== '' ? constructor.name : 'an unnamed class'
}
