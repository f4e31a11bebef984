/** What to write in place of a name that nobody knows. */
export function suggestionFor(name: string, known: readonly string[]): string {
  const nearest = nearestTo(name, known)
  if (nearest !== undefined) return `did you mean \`${nearest}\`?`
  const some = known.slice(0, maxListed).map((each) => `\`${each}\``)
  if (some.length === 0) return 'none are declared'
  return `write one of ${some.join(', ')}${known.length > maxListed ? ' …' : ''}`
}

/** The known name that was probably meant, or undefined where none is near. */
function nearestTo(name: string, known: Iterable<string>): string | undefined {
  // Half of the letters at most: a short word is near to everything.
  let least = Math.min(2, Math.floor(name.length / 2)) + 1
  let nearest: string | undefined
  if (name.length > maxLength) return undefined
  for (const candidate of known) {
    if (Math.abs(candidate.length - name.length) >= least) continue
    const distance = candidate.toLowerCase() === name.toLowerCase() ? 0 : distanceOf(name, candidate)
    if (distance >= least) continue
    least = distance
    nearest = candidate
  }
  return nearest
}

/** Letters that have to be added, left out or replaced to make one of the other (Levenshtein). */
function distanceOf(from: string, to: string): number {
  let row = Array.from({ length: to.length + 1 }, (_, i) => i)
  for (let i = 0; i < from.length; i += 1) {
    const next = [i + 1]
    for (let j = 0; j < to.length; j += 1) {
      const replaced = (row[j] ?? 0) + (from[i] === to[j] ? 0 : 1)
      next.push(Math.min(replaced, (row[j + 1] ?? 0) + 1, (next[j] ?? 0) + 1))
    }
    row = next
  }
  return row.at(-1) ?? 0
}

const maxLength = 64
const maxListed = 20
