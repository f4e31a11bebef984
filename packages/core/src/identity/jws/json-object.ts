import { isUtf8 } from 'node:buffer'
import { walkNames } from './json-names.ts'

/**
 * JSON object of UTF-8 text, or undefined. Arrays are objects in JavaScript but never here, and an object that names
 * a member twice is none: two readers could see two different things in it (RFC 7515 §4, RFC 7519 §4). Nor is what is nested
 * deeper than anybody writes, or has more than `maxValues` members and elements at all levels together.
 */
export function parseJsonObject(
  octets: Uint8Array,
  maxValues: number = Infinity,
): Record<string, unknown> | undefined {
  const text = decodeText(octets)
  if (text === undefined) return undefined
  let names = 0
  const isWithinLimits = walkNames(text, maxValues, () => (names += 1))
  return isWithinLimits ? parseWalked(text, names) : undefined
}

/** The same for text that `walkNames` has found within its limits, and with so many names. */
export function parseWalked(text: string, names: number): Record<string, unknown> | undefined {
  const value = parse(text)
  // Of a member that is named twice the parser keeps one: then there are fewer than there are names.
  return isRecord(value) && countMembers(value) === names ? value : undefined
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}

/** Members of an object and of all objects in it. INVARIANT: whatever is nested too deep for this was refused before. */
function countMembers(json: Record<string, unknown> | unknown[]): number {
  let count = 0
  if (Array.isArray(json)) {
    for (const element of json) if (isObject(element)) count += countMembers(element)
    return count
  }
  // Not `Object.values`: no list has to be made of what is only looked at.
  for (const name in json) {
    if (!Object.hasOwn(json, name)) continue
    count += 1
    const member = json[name]
    if (isObject(member)) count += countMembers(member)
  }
  return count
}

/** The text that octets of UTF-8 spell; undefined where they spell none, a byte order mark being a character as any other. */
export function decodeText(octets: Uint8Array): string | undefined {
  // Asked first: an exception costs as much as everything else that is done for a token which is refused.
  return isUtf8(octets) ? utf8.decode(octets) : undefined
}

const utf8 = new TextDecoder('utf-8', { ignoreBOM: true })

export const isRecord = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value)

export const isOptionalString = (value: unknown): value is string | undefined =>
  value === undefined || typeof value === 'string'

/** Seconds since the epoch (RFC 7519 §2), up to the last second that JavaScript has a date for. NaN and infinity are beyond. */
export const isNumericDate = (value: unknown): value is number =>
  typeof value === 'number' && Math.abs(value) <= 8.64e12

/** Freezes JSON and all in it: one value after the other, since it can be nested deeper than the stack is. */
export function deeplyFreeze(json: unknown): void {
  const objects = isObject(json) ? [json] : []
  for (const object of objects) {
    for (const member of Object.values(object)) if (isObject(member)) objects.push(member)
    Object.freeze(object)
  }
}

const isObject = (value: unknown): value is Record<string, unknown> | unknown[] =>
  typeof value === 'object' && value !== null
