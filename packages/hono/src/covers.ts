import { checkOptionalParameter, splitRoutingPath } from 'hono/utils/url'

/** True if every path that `path` matches is matched by `pattern`, for certain. Both as Hono has registered them. */
export const covers = (pattern: string, path: string): boolean =>
  spellingsOf(path).every((each) => spellingsOf(pattern).some((one) => coversOne(one, each)))

/** The segments of a path; of one with an optional parameter, with and without it. */
const spellingsOf = (path: string): readonly (readonly string[])[] =>
  (checkOptionalParameter(path) ?? [path]).map(splitRoutingPath)

function coversOne(pattern: readonly string[], path: readonly string[]): boolean {
  if (!isOpen(pattern)) return !isOpen(path) && path.length === pattern.length && begins(path, pattern)
  if (isOpen(path) && path.length < pattern.length) return false
  return fewest(path) >= fewest(pattern) && begins(path, pattern.slice(0, -1))
}

/** True for what ends in `*`: it stands for any number of segments there. */
const isOpen = (segments: readonly string[]): boolean => segments.at(-1) === '*'

// In `/*/*`, the last one stands for one segment at least.
const fewest = (segments: readonly string[]): number =>
  segments.length - (isOpen(segments) && segments.at(-2) !== '*' ? 1 : 0)

const begins = (path: readonly string[], pattern: readonly string[]): boolean =>
  pattern.every((segment, i) => coversSegment(segment, path[i] ?? ''))

const coversSegment = (pattern: string, segment: string): boolean =>
  pattern === '*' || /^:[^{}?]+$/.test(pattern) || pattern === segment
