import { ConfigurationError } from '@countersign/core'

/** A path starts with a slash, as the framework's own do: `/`, `/:id`. */
export type Path = `/${string}`

/** Checks a path. `where` names the decorator and what it stands above. */
export function requirePath(path: string, where: string): string {
  if (path.startsWith('/')) return path
  throw new ConfigurationError(where, `a path starts with a slash: write \`/${path}\``)
}

/** Checks what a decorator was called with: without its parentheses it gets the method in place of a path. */
export function requireText(path: unknown, decorator: string): string {
  if (typeof path === 'string') return path
  throw new ConfigurationError(
    `@${decorator}`,
    `expected a path, got a ${typeof path}: write @${decorator}() or @${decorator}('/path')`,
  )
}

/** `/orders` and `/:id` → `/orders/:id`; a `/` of either side adds nothing. */
export function joinPaths(base: string, path: string): string {
  const start = base.endsWith('/') ? base.slice(0, -1) : base
  return start === '' || path !== '/' ? start + path : start
}
