/**
 * The http(s) URL without query and fragment, in the one spelling of RFC 3986 §6.2.2 and §6.2.3 (as RFC 9449 §4.3 has `htu`
 * compared), or undefined where it is no such URL. What could be two resources to anyone stays two: `%2F` is not decoded,
 * and neither letter case of a path nor its final slash is touched.
 */
export function normalizeUrl(url: string): string | undefined {
  const [, scheme, host, port, rest] = absoluteUrl.exec(url) ?? []
  if (scheme === undefined || host === undefined || rest === undefined) return undefined
  const path = normalizePath(withoutQuery(rest))
  if (path === undefined) return undefined
  const lowerScheme = scheme.toLowerCase()
  const isDefaultPort = port === undefined || port === '' || port === defaultPorts[lowerScheme]
  const authority = `${host.toLowerCase()}${isDefaultPort ? '' : `:${port}`}`
  return `${lowerScheme}://${authority}${removeDotSegments(path) || '/'}`
}

/**
 * What callers write in front of a path, from the URL at which they reach the service: origin and the prefix that a proxy
 * strips. Undefined where it is no http(s) URL.
 */
export function parseExternalUrl(url: string): string | undefined {
  const normalized = normalizeUrl(url)
  return normalized?.endsWith('/') === true ? normalized.slice(0, -1) : normalized
}

/**
 * The URLs under which a caller can have sent what arrived with this request target, given what stands in front of paths
 * for callers. None where the target is no plain path. Nothing that the caller says of the host (`Host`, `:authority`,
 * `X-Forwarded-*`) has any part in it.
 */
export function receivedUrls(externalUrls: readonly string[], target: string): readonly string[] {
  if (!target.startsWith('/') || target.includes('#')) return []
  const path = normalizePath(withoutQuery(target))
  // A router would take the dots for a name, a caller for a way up: one text for two resources.
  if (path === undefined || path !== removeDotSegments(path)) return []
  return externalUrls.flatMap((url) =>
    // A proxy that strips a prefix leaves `/` of both `/prefix` and `/prefix/`.
    path === '/' && hasPrefix(url) ? [`${url}/`, url] : [url + path],
  )
}

const hasPrefix = (url: string): boolean => url.includes('/', url.indexOf('://') + 3)

const withoutQuery = (text: string): string => text.replace(/[?#].*/s, '')

// In a path, whatever a URL may be written with, and what WHATWG parsers leave there as it is. Not a backslash, which they
// take for a slash; no spaces, controls or other alphabets, which they rewrite. User names belong to no request.
const absoluteUrl = /^(https?):\/\/([a-z0-9._~-]+|\[[0-9a-f:.]+\])(?::(\d{0,5}))?((?:[/?#][\x21-\x7E]*)?)$/i
const pathCharacters = /^(?:\/(?:[\x21-\x24\x26-\x5B\x5D-\x7E]|%[0-9A-F]{2})*)?$/i

/** Hexadecimal digits in capitals, and unreserved characters as themselves (RFC 3986 §6.2.2.1, §6.2.2.2). */
function normalizePath(path: string): string | undefined {
  if (!pathCharacters.test(path)) return undefined
  return path.replaceAll(/%[0-9A-F]{2}/gi, (escaped) => {
    const character = String.fromCharCode(Number.parseInt(escaped.slice(1), 16))
    return /[A-Za-z0-9._~-]/.test(character) ? character : escaped.toUpperCase()
  })
}

/** RFC 3986 §5.2.4, for a path that is empty or begins with a slash. */
function removeDotSegments(path: string): string {
  const kept: string[] = []
  const segments = path.split('/').slice(1)
  for (const [i, segment] of segments.entries()) {
    const isLast = i === segments.length - 1
    if (segment === '..') kept.pop()
    if (segment !== '.' && segment !== '..') kept.push(segment)
    else if (isLast) kept.push('')
  }
  return kept.map((segment) => `/${segment}`).join('')
}

const defaultPorts: Readonly<Record<string, string>> = { http: '80', https: '443' }
