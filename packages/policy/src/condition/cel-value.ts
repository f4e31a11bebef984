/**
 * Data as CEL reads it: mappings as `Map`, in which no name of a prototype can be found, and whole numbers as `int`. Throws for
 * whatever is no data: a condition that does not see it could take it for absent.
 */
export function celValue(value: unknown, depth = 0): unknown {
  if (typeof value === 'string' || typeof value === 'boolean' || value === null) return value
  if (typeof value === 'number') return Number.isSafeInteger(value) ? BigInt(value) : value
  if (typeof value === 'bigint' && BigInt.asIntN(64, value) === value) return value
  return typeof value === 'object' ? celObject(value, depth) : refuse()
}

function celObject(value: object, depth: number): unknown {
  if (depth >= maxDepth) return refuse()
  if (Array.isArray(value)) return value.map((item) => celValue(item, depth + 1))
  if (value instanceof Date) return new Date(value)
  if (value instanceof Map || isPlain(value)) {
    const entries: readonly (readonly [unknown, unknown])[] =
      value instanceof Map ? [...value] : Object.entries(value)
    const known = entries.filter(([key, item]) => typeof key === 'string' && item !== undefined)
    return new Map(known.map(([key, item]) => [key, celValue(item, depth + 1)]))
  }
  return refuse()
}

/** Of what never changes, converted once. */
export function rememberedCelValue(value: object): unknown {
  let converted = remembered.get(value)
  if (converted === undefined) remembered.set(value, (converted = celValue(value)))
  return converted
}

// Also one of another realm, as test runners have them.
function isPlain(value: object): boolean {
  const prototype: unknown = Object.getPrototypeOf(value)
  return prototype === null || Object.getPrototypeOf(prototype) === null
}

function refuse(): never {
  throw Object.assign(new Error('a value that is no data'), { code: 'unsupported_value' })
}

const remembered = new WeakMap<object, unknown>()
const maxDepth = 64
