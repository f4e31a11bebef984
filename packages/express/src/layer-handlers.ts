/** What holds a handler: a layer of a router. */
interface Holder {
  handle: object
}

const originals = new WeakMap<object, object>()

/** The handler of a layer as the application gave it. */
export const handlerOf = (layer: Holder): object => originals.get(layer.handle) ?? layer.handle

/** True if another handler was put in the place of the application's. */
export const isReplaced = (layer: Holder): boolean => originals.has(layer.handle)

/** Puts a handler in the place of the application's. A router is a function with members: it stays one to whoever looks at the layer. */
export function replaceHandler(layer: Holder, handler: object): void {
  const original = layer.handle
  Object.setPrototypeOf(handler, original)
  originals.set(handler, original)
  layer.handle = handler
}
