/**
 * True if the field occurs more than once. Node keeps the first of a repeated `Authorization` and drops the rest,
 * so a proxy that reads the last and a service that reads the first would see two different callers.
 */
export function isRepeated(rawHeaders: readonly string[], lowerCaseName: string): boolean {
  let seen = 0
  for (let i = 0; i < rawHeaders.length; i += 2) {
    const name = rawHeaders[i]
    if (name?.length !== lowerCaseName.length) continue
    if (name === lowerCaseName || name.toLowerCase() === lowerCaseName) seen += 1
  }
  return seen > 1
}
