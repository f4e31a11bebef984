import { MalformedDer, tags, type DerReader } from './der.ts'

/** A BOOLEAN that DEFAULTs to FALSE: absent, or true. DER leaves a default out (X.690 §11.5), so FALSE has no spelling. */
export function takeFlag(reader: DerReader, tag: number = tags.boolean): boolean {
  const content = reader.takeOptional(tag)
  if (content === undefined) return false
  if (content.length !== 1 || content[0] !== 0xff) throw new MalformedDer('a boolean that is not 0xff')
  return true
}

/** The octets of an INTEGER in the shortest form (X.690 §8.3.2), two's complement. */
export function takeInteger(reader: DerReader): Uint8Array {
  return checkInteger(reader.takeTagged(tags.integer))
}

/** An INTEGER from 0 to 2³¹-1, such as a number of certificates; larger ones count as the largest. */
export function smallNumberOf(content: Uint8Array): number {
  const [first = 0] = checkInteger(content)
  if (first >= 0x80) throw new MalformedDer('a negative number')
  return content.length > 4 ? 0x7fff_ffff : content.reduce((sum, octet) => sum * 256 + octet, 0)
}

function checkInteger(content: Uint8Array): Uint8Array {
  const [first, second = 0] = content
  if (first === undefined) throw new MalformedDer('an integer without octets')
  const isPadded =
    content.length > 1 && ((first === 0 && second < 0x80) || (first === 0xff && second >= 0x80))
  if (isPadded) throw new MalformedDer('an integer in a longer form')
  return content
}

/** An OBJECT IDENTIFIER in dots. */
export function takeOid(reader: DerReader): string {
  return oidOf(reader.takeTagged(tags.oid))
}

export function oidOf(content: Uint8Array): string {
  const arcs: number[] = []
  let arc = 0
  let isInside = false
  for (const octet of content) {
    // A leading 0x80 is a zero in front of a number (X.690 §8.19.2).
    if (!isInside && octet === 0x80) throw new MalformedDer('an object identifier in a longer form')
    arc = arc * 128 + (octet & 0x7f)
    if (arc > Number.MAX_SAFE_INTEGER / 128) throw new MalformedDer('an object identifier with a huge arc')
    isInside = octet >= 0x80
    if (isInside) continue
    arcs.push(arc)
    arc = 0
  }
  const [first] = arcs
  if (first === undefined || isInside || arcs.length > 32) throw new MalformedDer('no object identifier')
  const root = Math.min(Math.trunc(first / 40), 2)
  return [root, first - root * 40, ...arcs.slice(1)].join('.')
}

/** The octets of a BIT STRING that has whole octets, as keys and signatures have. */
export function takeBits(reader: DerReader): Uint8Array {
  const content = reader.takeTagged(tags.bitString)
  if (content[0] !== 0) throw new MalformedDer('a bit string with unused bits')
  return content.subarray(1)
}

/** The bits of a list of named bits, first one first. Zeros at the end are left out (X.690 §11.2.2). */
export function namedBitsOf(content: Uint8Array): readonly boolean[] {
  const [unused = 0, ...octets] = content
  const last = octets.at(-1)
  // No bit at all says nothing, and whoever writes that means something else (RFC 5280 §4.2.1.3).
  if (last === undefined) throw new MalformedDer('a list of bits without any')
  const isShortest = unused <= 7 && ((last >> unused) & 1) === 1 && (last & ((1 << unused) - 1)) === 0
  if (!isShortest || octets.length > 2) throw new MalformedDer('bits in a longer form')
  return octets.flatMap((octet) => [7, 6, 5, 4, 3, 2, 1, 0].map((bit) => ((octet >> bit) & 1) === 1))
}

/**
 * A Time (RFC 5280 §4.1.2.5) in milliseconds since the epoch: UTCTime through 2049, GeneralizedTime from 2050, with seconds,
 * in UTC, and without fractions.
 */
export function takeTime(reader: DerReader): number {
  if (reader.nextTag === utcTime) {
    const content = reader.takeTagged(utcTime)
    const year = digitsAt(content, 0)
    return timeOf(content, year >= 50 ? 1900 + year : 2000 + year)
  }
  const time = takeGeneralizedTime(reader)
  if (time < year2050) throw new MalformedDer('a time before 2050 in the later form')
  return time
}

/** A Time where the next value is one. */
export const takeOptionalTime = (reader: DerReader): number | undefined =>
  reader.nextTag === utcTime || reader.nextTag === generalizedTime ? takeTime(reader) : undefined

/** A GeneralizedTime of any year, in milliseconds since the epoch, with seconds, in UTC, and without fractions. */
export function takeGeneralizedTime(reader: DerReader): number {
  const content = reader.takeTagged(generalizedTime)
  return timeOf(content.subarray(2), digitsAt(content, 0) * 100 + digitsAt(content, 2))
}

// A revocation list has a hundred thousand of them, so no text is made of the digits. `content` begins with two digits of the year.
function timeOf(content: Uint8Array, year: number): number {
  const month = digitsAt(content, 2)
  const day = digitsAt(content, 4)
  const hour = digitsAt(content, 6)
  const minute = digitsAt(content, 8)
  const second = digitsAt(content, 10)
  const isWhole = content.length === 13 && content[12] === letterZ
  if (!isWhole) throw new MalformedDer('a time in no form of RFC 5280')
  // `Date` takes the years of the first century for those of another one.
  const isDate = year >= 100 && day >= 1 && day <= daysIn(month, year)
  if (!isDate || hour > 23 || minute > 59 || second > 59) throw new MalformedDer('a time that is none')
  return Date.UTC(year, month - 1, day, hour, minute, second)
}

function daysIn(month: number, year: number): number {
  const isLeapYear = year % 4 === 0 && (year % 100 !== 0 || year % 400 === 0)
  return month === 2 && isLeapYear ? 29 : (daysOfMonths[month - 1] ?? 0)
}

function digitsAt(content: Uint8Array, at: number): number {
  const tens = (content[at] ?? 0) - 0x30
  const ones = (content[at + 1] ?? 0) - 0x30
  if (!(tens >= 0 && tens <= 9 && ones >= 0 && ones <= 9)) {
    throw new MalformedDer('a time in no form of RFC 5280')
  }
  return tens * 10 + ones
}

/** ASCII text without control characters, NUL above all: they have no place in a name. */
export function asciiOf(content: Uint8Array): string {
  for (const octet of content) {
    if (octet < 0x20 || octet > 0x7e) throw new MalformedDer('text with more than printable ASCII')
  }
  return latin1Of(content)
}

export const latin1Of = (octets: Uint8Array): string => bufferOf(octets).toString('latin1')
export const hexOf = (octets: Uint8Array): string => bufferOf(octets).toString('hex')

const bufferOf = ({ buffer, byteOffset, byteLength }: Uint8Array): Buffer =>
  Buffer.from(buffer, byteOffset, byteLength)

const utcTime = 0x17
const generalizedTime = 0x18
const letterZ = 0x5a
const daysOfMonths = [31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31]
const year2050 = Date.UTC(2050, 0)
