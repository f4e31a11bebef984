import { checkOptionalParameter, splitRoutingPath } from 'hono/utils/url'

/** True if every path that `path` matches is matched by `pattern`, for certain. Both as Hono has registered them. */
export const covers = (pattern: string, path: string): boolean =>
  spellingsOf(path).every((each) => spellingsOf(pattern).some((one) => coversOne(one, each)))

/** The segments of a path; of one with an optional parameter, with and without it. */
const spellingsOf = (path: string): readonly (readonly string[])[] =>
  (checkOptionalParameter(path) ?? [path]).map(splitRoutingPath)

function coversOne(pattern: readonly string[], path: readonly string[]): boolean {
  const last = pattern.length - 1
  // At the end, `*` stands for any number of segments.
  const isOpen = pattern[last] === '*'
  const fixed = isOpen ? pattern.slice(0, last) : pattern
  const isOpenPath = path.at(-1) === '*'
  if (isOpenPath && (!isOpen || path.length < pattern.length)) return false
  if (isOpen ? path.length < fixed.length : path.length !== fixed.length) return false
  return fixed.every((segment, i) => coversSegment(segment, path[i] ?? ''))
}

const coversSegment = (pattern: string, segment: string): boolean =>
  pattern === '*' || /^:[^{}?]+$/.test(pattern) || pattern === segment
