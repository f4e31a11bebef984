import { readFileSync, statSync } from 'node:fs'
import { ConfigurationError, describeValue } from '../configuration-error.ts'
import { FixedValue, type Live } from '../identity/trust/live.ts'
import { LiveValue } from '../identity/trust/live-value.ts'
import { areSameReadings, fetchReading, readDocumentFile, type Reading } from '../identity/trust/reading.ts'
import { pollMs } from '../identity/trust/refresh-times.ts'
import { SuppliedValue, type Source } from '../identity/trust/supplied-value.ts'
import type { DocumentKind, DocumentSource, LiveContext, UrlSource } from './document-source.ts'
import { requireSafeUrl } from './issuer-url.ts'
import { namedFile, readCa, requireKnownKeys } from './option-values.ts'

/** Parses where a document comes from, and reads it where that is possible at once. Throws a ConfigurationError. */
export function parseLive<T>(
  source: DocumentSource,
  option: string,
  kind: DocumentKind<T>,
  context: LiveContext,
): Live<T> {
  if (typeof source === 'string' && source !== '') {
    if (kind.isText(source)) return new FixedValue(parseNow(Buffer.from(source), option, kind))
    return /^https?:/i.test(source)
      ? followUrl({ url: source }, option, kind, context)
      : followFile(source, option, kind, context)
  }
  if (typeof source === 'object' && source !== null) {
    if ('follow' in source && typeof source.follow === 'function') {
      return followSource(source, option, kind, context)
    }
    if ('url' in source) return followUrl(source, option, kind, context)
  }
  throw new ConfigurationError(option, `expected ${kind.expected}, got ${describeValue(source)}`)
}

function followFile<T>(path: string, option: string, kind: DocumentKind<T>, context: LiveContext): Live<T> {
  const octets = readNow(path, option, kind)
  const initial = {
    reading: { octets, headers: {}, from: `the file \`${path}\`` },
    value: parseNow(octets, option, kind),
    at: context.clock.now(),
  }
  return live(option, kind, context, {
    read: (_last, signal) => readDocumentFile(path, kind.maxBytes, signal),
    isWrittenInPlace: true,
    intervalOf: () => pollMs,
    retryAfter: () => pollMs,
    initial,
  })
}

function followUrl<T>(
  source: UrlSource,
  option: string,
  kind: DocumentKind<T>,
  context: LiveContext,
): Live<T> {
  requireKnownKeys(source, option, ['url', 'ca'])
  const may = kind.isSigned ? ({ protocol }: URL) => /^https?:$/.test(protocol) : context.mayUse
  const url = requireSafeUrl(source.url, option, may)
  const ca = readCa(source.ca, `${option}.ca`)
  const { maxBytes, accept } = kind
  return live(option, kind, context, {
    read: (last, signal) =>
      fetchReading(url, last, (at, headers) =>
        context.fetch(at, { ca, signal, maxBytes, headers: { accept, ...headers } }),
      ),
    intervalOf: kind.intervalOf,
  })
}

function followSource<T>(
  source: Source,
  option: string,
  { parse, maxStaleMs }: DocumentKind<T>,
  { clock, sources, isRequired }: LiveContext,
): Live<T> {
  // Said when the guard is made: when it is closed, whatever is closed after this one would stay open.
  const follow: Source['follow'] = (listener) => {
    const end: unknown = source.follow(listener)
    if (typeof end === 'function') return () => void end()
    throw new ConfigurationError(option, '`follow` has to return a function, which ends it')
  }
  return sources.add(
    { source: option, isRequired },
    (landed) => new SuppliedValue({ clock, source: { follow }, parse, maxStaleMs, landed }),
  )
}

type Reader<T> = Pick<
  ConstructorParameters<typeof LiveValue<Reading, T>>[0],
  'read' | 'isWrittenInPlace' | 'intervalOf' | 'retryAfter' | 'initial'
>

const live = <T>(
  option: string,
  { parse, maxStaleMs }: DocumentKind<T>,
  { clock, sources, isRequired }: LiveContext,
  reader: Reader<T>,
): Live<T> =>
  sources.add(
    { source: option, isRequired },
    (landed) =>
      new LiveValue<Reading, T>({
        ...reader,
        clock,
        areSame: areSameReadings,
        parse: ({ octets }, previous) => parse(octets, previous),
        maxStaleMs,
        landed,
      }),
  )

function readNow(
  path: string,
  option: string,
  { expected, maxBytes }: { readonly expected: string; readonly maxBytes: number },
): Uint8Array {
  try {
    const file = statSync(path)
    // A pipe would never end.
    if (file.isFile() && file.size <= maxBytes) return readFileSync(path)
  } catch {
    // Told below.
  }
  throw new ConfigurationError(
    option,
    `${namedFile(path)} cannot be read, or has more than ${maxBytes} bytes: write ${expected}`,
  )
}

function parseNow<T>(octets: Uint8Array, option: string, { parse }: DocumentKind<T>): T {
  try {
    return parse(octets, undefined)
  } catch (error) {
    throw new ConfigurationError(option, error instanceof Error ? error.message : 'cannot be read')
  }
}
