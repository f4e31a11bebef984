import type { CedarValueJson, EntityJson, TypeAndId } from '@cedar-policy/cedar-wasm/nodejs'

/** The name of something in Cedar, such as `User::"alice"`. Made by `entity`. */
export class CedarEntity {
  readonly type: string
  readonly id: string

  /** Use `entity`. */
  constructor(type: string, id: string) {
    this.type = type
    this.id = id
    Object.freeze(this)
  }
}

/** A value of one of Cedar's extension types. Made by `extension`. */
export class CedarExtension {
  readonly fn: ExtensionName
  readonly arg: string

  /** Use `extension`. */
  constructor(fn: ExtensionName, arg: string) {
    this.fn = fn
    this.arg = arg
    Object.freeze(this)
  }
}

type ExtensionName = 'ip' | 'decimal' | 'datetime' | 'duration'

/** Names something in Cedar: `entity('User', 'alice')` is `User::"alice"`. */
export const entity = (type: string, id: string): CedarEntity => new CedarEntity(type, id)

/** A value that JSON has no form for: `extension('ip', '10.1.2.3')` is `ip("10.1.2.3")`. */
export const extension = (fn: ExtensionName, arg: string): CedarExtension => new CedarExtension(fn, arg)

/** What is known of an entity in one request. */
export interface CedarEntityData {
  readonly uid: CedarEntity
  /** Default: none. */
  readonly attrs?: Readonly<Record<string, unknown>>
  /** Default: none. */
  readonly parents?: readonly CedarEntity[]
}

/**
 * Data as Cedar reads it. INVARIANT: only `entity` and `extension` make references and extension values: Cedar would take objects
 * with the keys below for some, also out of a claim. Throws for whatever Cedar has no form for, rather than leave it out.
 */
function cedarValue(value: unknown, depth = 0): CedarValueJson {
  if (typeof value === 'string' || typeof value === 'boolean' || Number.isSafeInteger(value)) {
    return value as string | boolean | number // as just checked
  }
  if (value instanceof CedarEntity) return { __entity: typeAndId(value) }
  if (value instanceof CedarExtension) return { __extn: { fn: value.fn, arg: value.arg } }
  if (depth >= maxDepth) throw new Error('a value that is nested too deeply')
  if (Array.isArray(value)) return value.map((item: unknown) => cedarValue(item, depth + 1))
  return cedarRecord(value, depth)
}

/** The same of an object, without the members that are undefined. */
export function cedarRecord(value: unknown, depth = 0): Record<string, CedarValueJson> {
  if (!isPlain(value)) throw new Error('a value that is no data')
  const entries = Object.entries(value).filter(([, item]) => item !== undefined)
  if (entries.some(([key]) => reserved.has(key))) throw new Error('a key that Cedar keeps for itself')
  return Object.fromEntries(entries.map(([key, item]) => [key, cedarValue(item, depth + 1)]))
}

/** The name of an entity, where it is one. */
export function typeAndId(value: unknown): TypeAndId {
  if (!(value instanceof CedarEntity)) throw new Error('expected what `entity` makes')
  return { type: value.type, id: value.id }
}

export const entityData = ({ uid, attrs = {}, parents = [] }: CedarEntityData): EntityJson => ({
  uid: typeAndId(uid),
  attrs: cedarRecord(attrs),
  parents: parents.map(typeAndId),
})

// Also one of another realm, as test runners have them.
function isPlain(value: unknown): value is object {
  if (typeof value !== 'object' || value === null) return false
  const prototype: unknown = Object.getPrototypeOf(value)
  return prototype === null || Object.getPrototypeOf(prototype) === null
}

const reserved: ReadonlySet<string> = new Set(['__entity', '__extn', '__expr'])
const maxDepth = 32
