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
  try {
    // Asked before anything is built. Of text that is no JSON the answer means nothing, and the parser says so.
    const value: unknown = isPlain(text, maxValues) ? JSON.parse(text) : undefined
    return isRecord(value) ? value : undefined
  } catch {
    return undefined
  }
}

/** The text that octets of UTF-8 spell; undefined where they spell none, a byte order mark being a character as any other. */
export function decodeText(octets: Uint8Array): string | undefined {
  try {
    return utf8.decode(octets)
  } catch {
    return undefined
  }
}

const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })

export const isRecord = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value)

export const isOptionalString = (value: unknown): value is string | undefined =>
  value === undefined || typeof value === 'string'

/** Seconds since the epoch (RFC 7519 §2), up to the last second that JavaScript has a date for. NaN and infinity are beyond. */
export const isNumericDate = (value: unknown): value is number =>
  typeof value === 'number' && Math.abs(value) <= 8.64e12

/** Freezes JSON and all in it: one value after the other, since it can be nested deeper than the stack is. */
export function deeplyFreeze(json: unknown): void {
  const values = [json]
  for (const value of values) {
    if (typeof value !== 'object' || value === null) continue
    for (const member of Object.values(value)) values.push(member)
    Object.freeze(value)
  }
}

/** Whether no object names a member twice and the text keeps the limits. Throws where a name is none. */
function isPlain(text: string, maxValues: number): boolean {
  // By object: its only name so far, or all of them.
  const seen: (string | Set<string> | undefined)[] = []
  return walkNames(text, maxValues, (start, end, object) => {
    const name = nameAt(text, start, end)
    const names = seen[object]
    if (names instanceof Set) return names.size < names.add(name).size
    seen[object] = names === undefined ? name : new Set([names, name])
    return names !== name
  })
}

function nameAt(text: string, start: number, end: number): string {
  const raw = text.slice(start, end + 1)
  return raw.includes('\\') ? String(JSON.parse(raw)) : raw.slice(1, -1)
}
