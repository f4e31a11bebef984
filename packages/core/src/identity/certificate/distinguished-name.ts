import { DerReader, MalformedDer, tags, type DerElement } from './der.ts'
import { asciiOf, hexOf, latin1Of, takeOid } from './der-values.ts'

/** A Name (RFC 5280 §4.1.2.4), made fit for comparison. Never written to a log and never an identity as a whole. */
export interface DistinguishedName {
  /** Each relative name in a form in which equal ones are equal strings, outermost first. */
  readonly parts: readonly string[]
  /** All of them: equal for equal names. Empty for the empty name. */
  readonly comparable: string
  /** Attributes that hold text, as they were written, in order. */
  readonly attributes: readonly NameAttribute[]
}

export interface NameAttribute {
  /** Object identifier, such as 2.5.4.3 for a common name. */
  readonly type: string
  readonly text: string
}

/** Reads a Name, which is the next value: SEQUENCE OF SET OF AttributeTypeAndValue. */
export function takeName(reader: DerReader): DistinguishedName {
  const sequence = reader.enter(tags.sequence)
  const parts: string[] = []
  const attributes: NameAttribute[] = []
  while (!sequence.isAtEnd) {
    if (parts.length >= maxParts) throw new MalformedDer(`a name of more than ${maxParts} parts`)
    parts.push(takePart(sequence.enter(tags.set), attributes))
  }
  return { parts, comparable: parts.join('\n'), attributes }
}

/** One part of a name, from what is in its set, in the form in which equal ones are equal strings. */
export const takeRelativeName = (set: DerReader): string => takePart(set, [])

/** True where the name lies in the subtree of another one, which is its beginning (RFC 5280 §4.2.1.10). */
export const isBelow = (name: DistinguishedName, base: DistinguishedName): boolean =>
  base.parts.every((part, i) => part === name.parts[i])

function takePart(set: DerReader, attributes: NameAttribute[]): string {
  const comparable: string[] = []
  let previous: Uint8Array | undefined
  do {
    const { tag, content, whole } = set.take()
    if (tag !== tags.sequence) throw new MalformedDer('a name with something other than attributes')
    // X.690 §11.6: a set has one order, so that an attribute cannot hide behind another one.
    if (previous !== undefined && Buffer.compare(previous, whole) >= 0) {
      throw new MalformedDer('a name whose attributes are out of order')
    }
    previous = whole
    const attribute = new DerReader(content)
    const type = takeOid(attribute)
    const value = attribute.take()
    attribute.end()
    const text = textOf(value)
    if (text !== undefined) attributes.push({ type, text })
    comparable.push(comparableOf(type, value, text))
  } while (!set.isAtEnd)
  return comparable.toSorted().join('+')
}

// With its length in front, no text can look like the end of itself and the beginning of another attribute.
function comparableOf(type: string, { tag, content }: DerElement, text: string | undefined): string {
  if (text === undefined) return `${type}#${tag}:${hexOf(content)}`
  const prepared = prepare(text)
  return `${type}=${prepared.length}:${prepared}`
}

// RFC 5280 §7.1, RFC 4518: names differ neither by case, nor by white space, nor by the kind of string they are.
function prepare(text: string): string {
  const compatible = /^[ -~]*$/.test(text) ? text : text.normalize('NFKC')
  return compatible.toLowerCase().trim().replaceAll(/\s+/g, ' ')
}

function textOf({ tag, content }: DerElement): string | undefined {
  switch (tag) {
    case 0x0c:
      return utf8Of(content)
    // NumericString, PrintableString, IA5String, VisibleString
    case 0x12:
    case 0x13:
    case 0x16:
    case 0x1a:
      return asciiOf(content)
    // TeletexString: nobody has ever meant anything but Latin-1.
    case 0x14:
      return latin1Of(content)
    // BMPString
    case 0x1e:
      return utf16Of(content)
    default:
      return undefined
  }
}

function utf8Of(content: Uint8Array): string {
  try {
    return utf8.decode(content)
  } catch {
    throw new MalformedDer('text that is not UTF-8')
  }
}

function utf16Of(content: Uint8Array): string {
  if (content.length % 2 !== 0) throw new MalformedDer('text of two octets each with half a character')
  const characters = Array.from({ length: content.length / 2 }, (_, i) =>
    String.fromCharCode((content[2 * i] ?? 0) * 256 + (content[2 * i + 1] ?? 0)),
  )
  return characters.join('')
}

const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })
const maxParts = 64
