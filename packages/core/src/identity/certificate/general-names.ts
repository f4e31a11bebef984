/** The names of a subjectAltName extension that can matter to an identity. */
export interface SubjectAltNames {
  /** uniformResourceIdentifier [6], in order. */
  readonly uris: readonly string[]
  /** dNSName [2], in order. */
  readonly dnsNames: readonly string[]
  /** How many names of any other kind there are. */
  readonly others: number
}

/**
 * Reads the value of a subjectAltName extension (RFC 5280 §4.2.1.6: SEQUENCE OF GeneralName) from its DER octets.
 * Undefined where a single octet is not as DER demands. Text that Node renders from it is never used: a name may hold
 * what looks like a separator (CVE-2021-44532).
 */
export function parseSubjectAltNames(der: Uint8Array): SubjectAltNames | undefined {
  const sequence = readElement(der, 0)
  if (sequence === undefined || sequence.tag !== 0x30 || sequence.end !== der.length) return undefined
  const uris: string[] = []
  const dnsNames: string[] = []
  let others = 0
  let at = sequence.start
  while (at < sequence.end) {
    const name = readElement(der, at)
    if (name === undefined || name.end > sequence.end || !generalNameTags.has(name.tag)) return undefined
    if (uris.length + dnsNames.length + others >= maxNames) return undefined
    if (name.tag === uriTag || name.tag === dnsTag) {
      const text = asciiText(der.subarray(name.start, name.end))
      if (text === undefined) return undefined
      ;(name.tag === uriTag ? uris : dnsNames).push(text)
    } else others += 1
    at = name.end
  }
  return uris.length + dnsNames.length + others === 0 ? undefined : { uris, dnsNames, others }
}

interface Element {
  readonly tag: number
  /** Of the content. */
  readonly start: number
  readonly end: number
}

// One tag of one octet, then a length in the shortest form (X.690 §10.1): DER has one spelling for each value.
function readElement(der: Uint8Array, at: number): Element | undefined {
  const tag = der[at]
  const first = der[at + 1]
  if (tag === undefined || first === undefined || (tag & 0x1f) === 0x1f) return undefined
  if (first < 0x80) return within(der, tag, at + 2, first)
  const count = first & 0x7f
  if (count === 0 || count > 3) return undefined
  let length = 0
  for (let i = 0; i < count; i += 1) length = length * 256 + (der[at + 2 + i] ?? Number.NaN)
  const isShortest = length >= 0x80 && (count === 1 || length >= 2 ** (8 * (count - 1)))
  return isShortest ? within(der, tag, at + 2 + count, length) : undefined
}

const within = (der: Uint8Array, tag: number, start: number, length: number): Element | undefined =>
  start + length <= der.length ? { tag, start, end: start + length } : undefined

// IA5String; control characters, NUL above all, have no place in a name.
function asciiText(octets: Uint8Array): string | undefined {
  for (const octet of octets) if (octet < 0x20 || octet > 0x7e) return undefined
  return octets.length === 0 ? undefined : Buffer.from(octets).toString('latin1')
}

const uriTag = 0x86
const dnsTag = 0x82
// otherName, rfc822Name, dNSName, x400Address, directoryName, ediPartyName, URI, iPAddress, registeredID
const generalNameTags: ReadonlySet<number> = new Set([
  0xa0,
  0x81,
  dnsTag,
  0xa3,
  0xa4,
  0xa5,
  uriTag,
  0x87,
  0x88,
])
const maxNames = 256
