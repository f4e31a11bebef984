import { endOfString, walkNames } from './json-names.ts'
import { decodeText } from './json-object.ts'

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
): Readonly<Record<string, unknown>> | undefined {
  const text = decodeText(octets)
  if (text === undefined || !/^[\t\n\r ]*\{/.test(text)) return undefined
  const found: Record<string, unknown> = {}
  const isWithinLimits = walkNames(text, maxValues, (start, end, object) => {
    if (object !== 1) return
    const name = text.slice(start + 1, end)
    if (names.includes(name) && !Object.hasOwn(found, name)) found[name] = valueAfter(text, end)
  })
  return isWithinLimits ? found : undefined
}

function valueAfter(text: string, nameEnd: number): unknown {
  const rest = text.slice(nameEnd + 1)
  const [colon = '', first] = /^[\t\n\r ]*:[\t\n\r ]*(.)?/s.exec(rest) ?? []
  if (first === '"') return stringAt(rest, colon.length - 1)
  if (first === '{' || first === '[') return {}
  return first === 'n' ? null : first === 't' || first === 'f' ? true : 0
}

function stringAt(text: string, start: number): unknown {
  try {
    return JSON.parse(text.slice(start, endOfString(text, start) + 1))
  } catch {
    return {}
  }
}
