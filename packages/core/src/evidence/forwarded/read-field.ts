import { canonicalName, certificateHeaderNames, type HeaderField } from '../../request/identity-headers.ts'
import { Refusal } from '../../refusal.ts'

/**
 * The value of a header of which there must be one at most; undefined where it is absent or empty. A second line, or another
 * spelling beside it or in its place, is refused: proxies pass on names with underscores beside the genuine header, and nobody
 * could say which of the two the proxy wrote.
 */
export function readField(fields: readonly HeaderField[], name: string): string | undefined | Refusal {
  const lines = readLines(fields, name)
  if (lines instanceof Refusal) return lines
  const [value, second] = lines
  if (second !== undefined) return ambiguous(`one header \`${name}\``, `${lines.length} of it`)
  return value === '' ? undefined : value
}

/** The values of a header that may be split over several lines (RFC 9110 §5.3), in order. */
export function readLines(fields: readonly HeaderField[], name: string): readonly string[] | Refusal {
  const lines: string[] = []
  for (const [spelled, value] of fields) {
    if (canonicalName(spelled) !== name) continue
    if (spelled !== name) return ambiguous(`\`${name}\` in this spelling`, 'another spelling of it')
    lines.push(value)
  }
  return lines
}

/** A header that forwards a certificate in another format than the one that is read: whose word would it be? */
export function rivalOf(fields: readonly HeaderField[], own: readonly string[]): Refusal | undefined {
  const rival = fields.find(
    ([name]) => certificateHeaderNames.has(canonicalName(name)) && !own.includes(canonicalName(name)),
  )
  return rival === undefined
    ? undefined
    : ambiguous('a certificate in one format', `\`${canonicalName(rival[0])}\` as well`)
}

const ambiguous = (expected: string, actual: string): Refusal =>
  new Refusal('forwarded_certificate_ambiguous', {
    expected,
    actual,
    advice:
      'have the proxy delete whatever its clients send under this name, in every spelling, before it sets its own',
  })
