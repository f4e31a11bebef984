/**
 * JSON object of UTF-8 text, or undefined. Arrays are objects in JavaScript but never here, and an object that names
 * a member twice is none: two readers could see two different things in it (RFC 7515 §4, RFC 7519 §4). Nor is what is nested
 * deeper than anybody writes: whoever walks through it, or writes it down again, could run out of stack.
 */
export function parseJsonObject(octets: Uint8Array): Record<string, unknown> | undefined {
  try {
    const text = utf8.decode(octets)
    const value: unknown = JSON.parse(text)
    return isRecord(value) && isPlain(text) ? value : undefined
  } catch {
    return undefined
  }
}

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

// Only for text that has been parsed: then a quote opens or closes a string, and a string before a colon is a name.
function isPlain(text: string): boolean {
  const names: (Set<string> | undefined)[] = []
  for (const [token, name] of text.matchAll(tokens)) {
    if (names.length > maxDepth) return false
    if (token === '{') names.push(new Set())
    else if (token === '[') names.push(undefined)
    else if (token === '}' || token === ']') names.pop()
    else if (name !== undefined) {
      const seen = names.at(-1)
      const spelled = name.includes('\\') ? String(JSON.parse(name)) : name.slice(1, -1)
      if (seen?.has(spelled) === true) return false
      seen?.add(spelled)
    }
  }
  return true
}

const maxDepth = 64

// A string that is a name, any other string, or a bracket.
const tokens = /("(?:[^"\\]|\\.)*")\s*:|"(?:[^"\\]|\\.)*"|[{}[\]]/g

const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })
