import { endOfString, walkNames } from './json-names.ts'
import { decodeText, parseWalked } from './json-object.ts'

/** What is presumably a JSON object, before anything is built of it. */
export interface GuessedObject {
  readonly members: Readonly<Record<string, unknown>>
  /** What `parseJsonObject` makes of the same octets. */
  parse(): Record<string, unknown> | undefined
}

/**
 * Members of what is presumably a JSON object, and of no object within it, read without building anything else: what nobody
 * has signed yet costs about as much as reading it once, whatever it holds. Of a member that is named twice it is the first,
 * and none whose name is written with escapes. A string is given as it is, any other value as one of its type. Undefined for
 * what `parseJsonObject` would not take for its octets, its start, its depth or the number of its values.
 *
 * INVARIANT: a guess. Nothing rests on it that the object does not confirm.
 */
export function guessMembers(
  octets: Uint8Array,
  names: readonly string[],
  maxValues: number,
): GuessedObject | undefined {
  const text = decodeText(octets)
  if (text === undefined || !/^[\t\n\r ]*\{/.test(text)) return undefined
  const found: Record<string, unknown> = {}
  let count = 0
  const isWithinLimits = walkNames(text, maxValues, (start, end, object) => {
    count += 1
    if (object !== 1) return
    for (const name of names) {
      const isIt = end - start - 1 === name.length && text.startsWith(name, start + 1)
      if (isIt && !Object.hasOwn(found, name)) found[name] = valueAfter(text, end)
    }
  })
  return isWithinLimits ? { members: found, parse: () => parseWalked(text, count) } : undefined
}

function valueAfter(text: string, nameEnd: number): unknown {
  const colon = skipBlanks(text, nameEnd + 1)
  const start = skipBlanks(text, colon + 1)
  const first = text[colon] === ':' ? text[start] : undefined
  if (first === '"') return stringAt(text, start)
  if (first === '{' || first === '[') return {}
  return first === 'n' ? null : first === 't' || first === 'f' ? true : 0
}

function skipBlanks(text: string, start: number): number {
  let at = start
  while (isBlank(text.charCodeAt(at))) at += 1
  return at
}

const isBlank = (code: number): boolean => code === 0x20 || code === 0x0a || code === 0x0d || code === 0x09

function stringAt(text: string, start: number): unknown {
  const end = endOfString(text, start)
  const inside = text.slice(start + 1, end)
  if (!inside.includes('\\')) return inside
  try {
    return JSON.parse(text.slice(start, end + 1))
  } catch {
    return {}
  }
}
