/** Levels of objects and arrays: whoever walks through JSON, or writes it down again, could run out of stack. */
export const maxJsonDepth = 64

/** A name: between which quotes it stands, and in which object of the text, counted from 1 as they open. */
export type OnName = (start: number, end: number, object: number) => void

/**
 * Walks through the names of JSON text without building anything of it: a plain read, whatever it holds. False where it nests
 * too deep, or has more than `maxValues` members and elements at all levels together.
 *
 * Of text that is no JSON the names mean nothing. INVARIANT: nothing rests on them that the parser does not confirm.
 */
export function walkNames(text: string, maxValues: number, onName: OnName): boolean {
  let depth = 0
  /** What is open: the number of an object, or `array`. */
  let inside = array
  let objects = 0
  let values = 0
  let expectsName = false
  let dull = 0
  for (let i = 0; i < text.length; i += 1) {
    const code = text.charCodeAt(i)
    const sign = code < signs.length ? signs[code] : 0
    if (sign === 0) {
      dull += 1
      // A long number or blank: a search is faster there, though not before.
      if (dull > maxDull) i = nextSign(text, i + 1) - 1
      continue
    }
    dull = 0
    if (sign === quote) {
      const end = endOfString(text, i)
      if (expectsName) onName(i, end, inside)
      expectsName = false
      i = end
    } else if (sign === comma) {
      values += 1
      expectsName = inside !== array
    } else if (sign === openBrace || sign === openBracket) {
      values += 1
      expectsName = sign === openBrace
      objects += expectsName ? 1 : 0
      if (depth >= maxJsonDepth || values > maxValues) return false
      around[depth] = inside
      depth += 1
      inside = expectsName ? objects : array
    } else {
      depth = Math.max(0, depth - 1)
      inside = around[depth] ?? array
    }
  }
  return values <= maxValues
}

/** Where the string that begins here ends; the end of the text where it does not. */
export function endOfString(text: string, start: number): number {
  const end = text.indexOf('"', start + 1)
  if (end !== -1 && text.charCodeAt(end - 1) !== backslash) return end
  let i = start + 1
  while (i < text.length && text.charCodeAt(i) !== quote) i += text.charCodeAt(i) === backslash ? 2 : 1
  return i
}

function nextSign(text: string, start: number): number {
  const length = text.slice(start).search(/["{}[\],]/)
  return length === -1 ? text.length : start + length
}

const array = 0
/** What the innermost stands in, from the outside: one for all texts, since none is begun within another. */
const around = new Float64Array(maxJsonDepth)
const maxDull = 16
const quote = 0x22
const comma = 0x2c
const openBracket = 0x5b
const backslash = 0x5c
const closeBracket = 0x5d
const openBrace = 0x7b
const closeBrace = 0x7d

/** What a reader turns at, by its code; zero for all else. */
const signs = new Uint8Array(128)
for (const sign of [quote, comma, openBracket, closeBracket, openBrace, closeBrace]) signs[sign] = sign
