/** What a path has in place of the names in a pattern; undefined where it does not fit. */
export function paramsIn(pattern: string, path: string): Readonly<Record<string, string>> | undefined {
  const names = pattern.split('/')
  const segments = path.split('/')
  if (names.length !== segments.length) return undefined
  const params: Record<string, string> = {}
  for (const [i, name] of names.entries()) {
    const segment = segments[i] ?? ''
    if (name.startsWith(':') && segment !== '') params[name.slice(1)] = segment
    else if (name !== segment) return undefined
  }
  return params
}
