// A strict reader of `WWW-Authenticate` (RFC 9110 §11.6.1), written without a look at how ours is made. It takes
// auth-params only, since no scheme here has a token68, and throws where a client could read anything else.

export interface Challenge {
  readonly scheme: string
  readonly parameters: Readonly<Record<string, string>>
}

export function parseChallenges(field: string): readonly Challenge[] {
  const challenges: { scheme: string; parameters: Record<string, string> }[] = []
  let rest = field
  const take = (pattern: RegExp): string | undefined => {
    const [found] = new RegExp(`^(?:${pattern.source})`).exec(rest) ?? []
    if (found !== undefined) rest = rest.slice(found.length)
    return found
  }
  do {
    // What has an equals sign is a parameter of the last scheme; what has none opens a new one.
    const name = take(token) ?? fail('a token', rest)
    if (take(/=/) === undefined) {
      challenges.push({ scheme: name, parameters: {} })
      // A scheme without parameters ends here; else exactly one space leads to them.
      if (rest === '' || rest.startsWith(', ')) continue
      if (take(/ /) === undefined || !parameterAhead.test(rest)) fail('a parameter', rest)
      const first = take(token) ?? fail('a token', rest)
      take(/=/)
      add(challenges.at(-1), first, take(quotedString) ?? fail('a quoted string', rest))
      continue
    }
    add(challenges.at(-1), name, take(quotedString) ?? fail('a quoted string', rest))
  } while (take(/, /) !== undefined)
  if (rest !== '') fail('the end', rest)
  return challenges
}

/** RFC 6750 §3 and RFC 9449 §7.1: no parameter stands twice in one challenge. */
function add(
  challenge: { parameters: Record<string, string> } | undefined,
  name: string,
  quoted: string,
): void {
  if (challenge === undefined) return fail('a scheme', name)
  if (Object.hasOwn(challenge.parameters, name)) fail(`\`${name}\` once`, 'twice')
  challenge.parameters[name] = quoted.slice(1, -1).replaceAll(/\\(.)/g, '$1')
  return undefined
}

function fail(expected: string, actual: string): never {
  throw new Error(`expected ${expected}, got ${JSON.stringify(actual)}`)
}

const token = /[!#$%&'*+\-.^_`|~0-9A-Za-z]+/
const quotedString = /"(?:[\t \x21\x23-\x5B\x5D-\x7E]|\\[\t \x21-\x7E])*"/
const parameterAhead = /^[!#$%&'*+\-.^_`|~0-9A-Za-z]+="/
