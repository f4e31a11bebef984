// Middlewares are found by path. Those of Fastify are found by another router than its routes, which has read some spellings otherwise.
import { Refusal } from '@countersign/core/adapter'

let isAnythingAsked = false

/** From now on, something is asked of whatever is below some path. */
export function noteAskedByPath(): void {
  isAnythingAsked = true
}

/**
 * Why a request may not come to a handler of Nest on Fastify: its path is spelled so that nobody can tell whether it was asked what is
 * asked of all below some path (CVE-2026-22031 and others, in releases of @fastify/middie that Nest 11 brings along).
 */
export const oddlySpelled = (url: string): Refusal | undefined =>
  isAnythingAsked && !isPlain(url) ? oddSpelling : undefined

// In origin form, without empty segments and parameters of segments, and with nothing encoded that stands for itself (RFC 3986 §6.2.2.2).
function isPlain(url: string): boolean {
  const [path = ''] = url.split(/[?#]/, 1)
  return path.startsWith('/') && !/\/\/|[;\\]|%(?:2[1789ade]|3\d|[46][1-9a-f]|5[\daf]|7[\dae])/i.test(path)
}

const oddSpelling = new Refusal('route_undeclared', {
  expected: 'a path in its plain spelling, since something is asked of all below some path by `app.use`',
  actual: 'another spelling, such as with `//`, `;` or `%61`',
  advice:
    'have callers send the plain one, or put @RequireScopes above classes in the place of `app.use(path, requires(…))`',
})
