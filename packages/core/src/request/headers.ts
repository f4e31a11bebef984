/**
 * True if the field occurs more than once. Node keeps the first of a repeated `Authorization` and drops the rest,
 * so a proxy that reads the last and a service that reads the first would see two different callers.
 * `lowerCaseName` begins with a letter.
 */
export function isRepeated(rawHeaders: readonly string[], lowerCaseName: string): boolean {
  const first = lowerCaseName.charCodeAt(0)
  let candidates = 0
  for (let i = 0; i < rawHeaders.length; i += 2) {
    const name = rawHeaders[i]
    // By length and first letter, which is what tells most of them apart.
    if (name?.length === lowerCaseName.length && (name.charCodeAt(0) | 0x20) === first) candidates += 1
  }
  return candidates > 1 && occurrencesOf(lowerCaseName, rawHeaders) > 1
}

const occurrencesOf = (lowerCaseName: string, rawHeaders: readonly string[]): number =>
  rawHeaders.filter((name, i) => i % 2 === 0 && name.toLowerCase() === lowerCaseName).length
