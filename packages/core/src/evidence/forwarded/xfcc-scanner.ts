import { maxHeaderLength } from './malformed.ts'

/** A pair of an element. `key` is lower-case: keys are case-insensitive, values are not. */
export interface XfccPair {
  readonly key: string
  /** What stands between the quotes, its escapes untouched, or what stands there unquoted. */
  readonly value: string
}

/**
 * Takes an XFCC value apart in one pass, or undefined where it is none. Quotes are honoured: a separator within them separates
 * nothing. Envoy quotes Subject, Cert and Chain, and writes By, URI and DNS as they are, whatever is in them.
 */
export function scanXfcc(text: string): readonly (readonly XfccPair[])[] | undefined {
  if (text.length > maxHeaderLength) return undefined
  const elements: XfccPair[][] = []
  let element: XfccPair[] = []
  let at = 0
  while (elements.length < maxElements && element.length < maxPairs) {
    const equals = text.indexOf('=', at)
    const key = text.slice(at, equals)
    if (equals === -1 || !/^[A-Za-z]{1,32}$/.test(key)) return undefined
    const isQuoted = text.charCodeAt(equals + 1) === quote
    const start = isQuoted ? equals + 2 : equals + 1
    const end = isQuoted ? endOfQuoted(text, start) : endOfBare(text, start)
    if (end === undefined) return undefined
    element.push({ key: key.toLowerCase(), value: text.slice(start, end) })
    const next = isQuoted ? end + 1 : end
    const separator = text[next]
    if (separator !== ';') {
      elements.push(element)
      element = []
    }
    if (separator === undefined) return elements
    if (separator !== ';' && separator !== ',') return undefined
    at = next + 1
  }
  return undefined
}

// A backslash and what follows are one. In Subject they are RFC 2253's, where a name that ends in a backslash ends in two:
// who takes `\"` alone for an escape misses the quote behind it, and the name goes on into the pairs that follow.
function endOfQuoted(text: string, start: number): number | undefined {
  for (let at = start; at < text.length; at += 1) {
    const code = text.charCodeAt(at)
    if (code === quote) return at
    if (!isPrintable(code)) return undefined
    if (code === backslash) {
      at += 1
      if (!isPrintable(text.charCodeAt(at))) return undefined
    }
  }
  return undefined
}

// Unquoted values are names and digests. A quote, a backslash, a space or an equals sign in one is somebody else's syntax.
function endOfBare(text: string, start: number): number | undefined {
  let at = start
  for (; at < text.length; at += 1) {
    const code = text.charCodeAt(at)
    if (code === comma || code === semicolon) break
    if (!isPrintable(code) || code === space || code === quote || code === backslash || code === equalsSign) {
      return undefined
    }
  }
  return at
}

// NaN, which is what there is behind the end, is not.
const isPrintable = (code: number): boolean => code >= space && code <= 0x7e

const space = 0x20
const quote = 0x22
const comma = 0x2c
const semicolon = 0x3b
const equalsSign = 0x3d
const backslash = 0x5c
const maxElements = 20
const maxPairs = 64
