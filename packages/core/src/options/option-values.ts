import { X509Certificate } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { ConfigurationError, describeValue } from '../configuration-error.ts'

/** A misspelt option would otherwise be a check that silently is not made. */
export function requireKnownKeys(value: unknown, option: string, known: readonly string[]): void {
  for (const key of Object.keys(requireObject(value, option === '' ? 'options' : option))) {
    if (known.includes(key)) continue
    throw new ConfigurationError(
      option === '' ? key : `${option}.${key}`,
      `there is no such option: write one of ${known.map((name) => `\`${name}\``).join(', ')}`,
    )
  }
}

/** A limit that is written and undefined is a variable that nobody has set, and would limit nothing. */
export function requireSetLimits(options: object, option: string, limits: readonly string[]): void {
  for (const [name, value] of Object.entries(options)) {
    if (value !== undefined || !limits.includes(name)) continue
    throw new ConfigurationError(
      `${option}.${name}`,
      'it is written and undefined, which would limit nothing: leave it out, or write what it shall be',
    )
  }
}

function requireObject<T>(value: T, option: string): T & object {
  if (typeof value === 'object' && value !== null && !Array.isArray(value)) return value
  throw new ConfigurationError(option, `expected an object, got ${describeValue(value)}`)
}

/** An object written as such: what a Map or a class instance holds would not be seen. */
export function requireEntries<T>(value: T, option: string): T & object {
  const entries = requireObject(value, option)
  const prototype: unknown = Object.getPrototypeOf(entries)
  if (prototype === Object.prototype || prototype === null) return entries
  throw new ConfigurationError(option, 'expected a plain object, such as { name: value }, got one of a class')
}

export function requireNumber(value: unknown, option: string, min: number, max: number): number {
  if (typeof value === 'number' && Number.isFinite(value) && value >= min && value <= max) return value
  throw new ConfigurationError(
    option,
    `expected a number from ${min} to ${max}, got ${typeof value === 'number' ? value : describeValue(value)}`,
  )
}

export function requireWhole(value: unknown, option: string, min: number, max: number): number {
  const number = requireNumber(value, option, min, max)
  if (Number.isInteger(number)) return number
  throw new ConfigurationError(option, `expected a whole number, got ${number}`)
}

export function requireStrings(value: unknown, option: string): readonly string[] {
  // Spread, since `every` passes over holes; a copy, since whoever wrote the array could change it later.
  const strings: readonly unknown[] = Array.isArray(value) ? [...value] : [undefined]
  if (strings.every((item): item is string => typeof item === 'string' && item !== '')) return strings
  throw new ConfigurationError(option, `expected an array of strings, got ${describeValue(value)}`)
}

/** PEM of certificate authorities, given as it is or by the path of its file; undefined where none is given. */
export function readCa(source: unknown, option: string): string | undefined {
  if (source === undefined) return undefined
  const pem = readPem(source, option)
  try {
    if (new X509Certificate(pem).raw.length > 0) return pem
  } catch {
    // Told below.
  }
  throw new ConfigurationError(option, 'expected PEM of certificates, or the path of a file with them')
}

/** A path for a message. What has no file name's ending may be a key without its armour, and is not repeated. */
export const namedFile = (path: string): string =>
  /^[^\r\n]{1,200}\.\w{1,5}$/.test(path) ? `the file \`${path}\`` : 'what was given'

/** PEM text, given as it is or by the path of its file. */
export function readPem(source: unknown, option: string): string {
  if (typeof source !== 'string' || source === '') {
    throw new ConfigurationError(
      option,
      `expected PEM text or the path of a PEM file, got ${describeValue(source)}`,
    )
  }
  if (source.includes('-----BEGIN')) return source
  try {
    return readFileSync(source, 'utf8')
  } catch {
    throw new ConfigurationError(
      option,
      `${namedFile(source)} cannot be read: write PEM text or the path of a readable PEM file`,
    )
  }
}
