/** Thrown by the readers of this room and caught where a certificate is parsed: what a peer sends throws no further. */
export class MalformedDer extends Error {}

/** One value: its tag, its content, and both with the length between them. */
export interface DerElement {
  readonly tag: number
  readonly content: Uint8Array
  readonly whole: Uint8Array
}

/**
 * Reads DER (X.690 §10) from front to back, each octet once. Each value has one spelling, and everything else is refused:
 * readers that forgive see different things in the same octets.
 */
export class DerReader {
  readonly #octets: Uint8Array
  #at = 0

  constructor(octets: Uint8Array) {
    this.#octets = octets
  }

  get isAtEnd(): boolean {
    return this.#at === this.#octets.length
  }

  /** The tag of the next value; undefined at the end. */
  get nextTag(): number | undefined {
    return this.#octets[this.#at]
  }

  /** The next value, whatever it is. */
  take(): DerElement {
    const start = this.#at
    const content = this.#takeContent()
    return { tag: this.#octets[start] ?? 0, content, whole: this.#octets.subarray(start, this.#at) }
  }

  /** The content of the next value, which has this tag. */
  takeTagged(tag: number): Uint8Array {
    if (this.#octets[this.#at] !== tag) {
      throw new MalformedDer(`expected the tag ${hexOf(tag)}, got ${hexOf(this.#octets[this.#at])}`)
    }
    return this.#takeContent()
  }

  /** The content of the next value if it has this tag; undefined, and nothing is taken, where it has another. */
  takeOptional(tag: number): Uint8Array | undefined {
    return this.#octets[this.#at] === tag ? this.#takeContent() : undefined
  }

  /** A reader of what is in the next value, which has this tag. */
  enter(tag: number): DerReader {
    return new DerReader(this.takeTagged(tag))
  }

  /** INVARIANT: whoever enters a value ends it, so that no octet of a certificate stays unread. */
  end(): void {
    if (!this.isAtEnd) throw new MalformedDer('octets behind the last value')
  }

  #takeContent(): Uint8Array {
    const { start, end } = contentAt(this.#at, this.#octets, this.#octets.length)
    this.#at = end
    return this.#octets.subarray(start, end)
  }
}

/** Where the content of a value lies that begins in a container. Its length is definite, in the shortest form (X.690 §10.1). */
function contentAt(
  at: number,
  octets: Uint8Array,
  containerEnd: number,
): { readonly start: number; readonly end: number } {
  if (at >= containerEnd) throw new MalformedDer('a value is missing')
  // No tag of a certificate needs more than one octet.
  if (((octets[at] ?? 0) & 0x1f) === 0x1f) throw new MalformedDer('a tag of several octets')
  const first = at + 1 < containerEnd ? (octets[at + 1] ?? 0x80) : 0x80
  const count = first < 0x80 ? 0 : first & 0x7f
  let length = first
  if (first >= 0x80) {
    // Three octets hold more than any certificate may have.
    if (count === 0 || count > 3) throw new MalformedDer('a length that is missing, indefinite or huge')
    length = 0
    for (let i = 1; i <= count; i += 1) length = length * 256 + (octets[at + 1 + i] ?? 0)
    if (length < 0x80 || length < 256 ** (count - 1)) throw new MalformedDer('a length in a longer form')
  }
  const start = at + 2 + count
  if (start + length > containerEnd) throw new MalformedDer('a value that ends behind its container')
  return { start, end: start + length }
}

/**
 * Requires octets to be values in DER, and what is in containers as well, to the last one. Asked of all that is then read by its
 * meaning: parts that nobody here looks into have one spelling too.
 */
export const requireDer = (octets: Uint8Array): void => requireValues(octets, 0, octets.length, 0)

function requireValues(octets: Uint8Array, start: number, end: number, depth: number): void {
  if (depth > maxDepth) throw new MalformedDer(`values more than ${maxDepth} deep`)
  for (let at = start; at < end;) {
    const content = contentAt(at, octets, end)
    if (((octets[at] ?? 0) & 0x20) !== 0) requireValues(octets, content.start, content.end, depth + 1)
    at = content.end
  }
}

/** Reads octets to their end. */
export function readAll<T>(octets: Uint8Array, read: (reader: DerReader) => T): T {
  const reader = new DerReader(octets)
  const value = read(reader)
  reader.end()
  return value
}

/** Reads octets that are one value with this tag and nothing behind it. */
export const readWhole = <T>(octets: Uint8Array, tag: number, read: (content: DerReader) => T): T =>
  readAll(
    readAll(octets, (outer) => outer.takeTagged(tag)),
    read,
  )

/** Reads every value in a container, of which there is at least one and at most so many. */
export function readEach<T>(container: DerReader, max: number, read: (container: DerReader) => T): T[] {
  const values: T[] = []
  do {
    if (values.length >= max) throw new MalformedDer(`more than ${max} values`)
    values.push(read(container))
  } while (!container.isAtEnd)
  return values
}

export const tags = {
  boolean: 0x01,
  integer: 0x02,
  bitString: 0x03,
  octetString: 0x04,
  null: 0x05,
  oid: 0x06,
  enumerated: 0x0a,
  sequence: 0x30,
  set: 0x31,
} as const

/** Context-specific, as `[n]` is written in ASN.1: of one value, or of a container. */
export const contextTag = (number: number): number => 0x80 | number
export const contextContainer = (number: number): number => 0xa0 | number

const maxDepth = 32

const hexOf = (tag: number | undefined): string => (tag === undefined ? 'nothing' : `0x${tag.toString(16)}`)
