import { contextContainer, MalformedDer, readEach, readWhole, requireDer, tags, DerReader } from './der.ts'
import { isBelow } from './distinguished-name.ts'
import { takeGeneralName, type GeneralName } from './general-names.ts'
import { hostOfUri, isHost, isHostPattern, isWithin, parseEmail } from './host-names.ts'

/** What names an authority may certify, and those below it (RFC 5280 §4.2.1.10). */
export interface NameConstraints {
  /** Of a kind that is listed here, only what one of its entries covers. */
  readonly permitted: readonly GeneralName[]
  /** Never these, whatever is permitted. */
  readonly excluded: readonly GeneralName[]
}

/** Reads the value of a nameConstraints extension; undefined where it cannot be read, so that nothing can be held to it. */
export function parseNameConstraints(der: Uint8Array): NameConstraints | undefined {
  try {
    requireDer(der)
    return readWhole(der, tags.sequence, (reader) => {
      const permitted = takeSubtrees(reader, 0)
      const excluded = takeSubtrees(reader, 1)
      if (permitted.length + excluded.length === 0) throw new MalformedDer('no constraints')
      return { permitted, excluded }
    })
  } catch (error) {
    if (error instanceof MalformedDer) return undefined
    throw error
  }
}

function takeSubtrees(reader: DerReader, number: number): readonly GeneralName[] {
  const content = reader.takeOptional(contextContainer(number))
  if (content === undefined) return []
  return readEach(new DerReader(content), maxSubtrees, (subtrees) => {
    const subtree = subtrees.enter(tags.sequence)
    const base = takeGeneralName(subtree)
    // Neither `minimum`, which DER leaves out where it is 0, nor `maximum` may be there.
    subtree.end()
    if (!isReadable(base)) throw new MalformedDer('a constraint that is no name')
    return base
  })
}

function isReadable(base: GeneralName): boolean {
  if (base.kind === 'dns') return base.value === '' || isHost(base.value)
  if (base.kind === 'uri') return isHost(withoutDot(base.value))
  if (base.kind === 'email') return isHost(withoutDot(base.value)) || parseEmail(base.value) !== undefined
  return base.kind !== 'ip' || isSubnet(base.value)
}

/** How many comparisons of a name with a constraint there may be in all. A certificate can ask for tens of thousands. */
export interface ComparisonBudget {
  comparisons: number
}

/** The first name that the constraints do not allow; or 'too many' where the budget ends before that is known. */
export function findViolation(
  names: readonly GeneralName[],
  { permitted, excluded }: NameConstraints,
  budget: ComparisonBudget,
): GeneralName | 'too many' | undefined {
  for (const name of names) {
    budget.comparisons -= permitted.length + excluded.length
    if (budget.comparisons < 0) return 'too many'
    const rules = permitted.filter((base) => isOfOneKind(name, base))
    if (rules.length > 0 && !rules.some((base) => isPermitted(name, base))) return name
    if (excluded.some((base) => isOfOneKind(name, base) && isExcluded(name, base))) return name
  }
  return undefined
}

const isOfOneKind = (name: GeneralName, base: GeneralName): boolean =>
  name.kind === base.kind && (name.kind !== 'other' || name.value === base.value)

// INVARIANT: what cannot be read is covered by no permission, and by every exclusion of its kind.
function isPermitted(name: GeneralName, base: GeneralName): boolean {
  if (name.kind === 'dns' && base.kind === 'dns') {
    // A wildcard is one more label, so all that it stands for must be permitted.
    return isHostPattern(name.value) && isWithin(name.value, base.value)
  }
  return covers(name, base, (a, b) => a === b) === true
}

function isExcluded(name: GeneralName, base: GeneralName): boolean {
  if (name.kind === 'dns' && base.kind === 'dns') {
    if (!isHostPattern(name.value) || isWithin(name.value, base.value)) return true
    // A wildcard that could stand for something excluded is excluded (CVE-2025-61727).
    return name.value.startsWith('*.') && isWithin(base.value, name.value.slice(2))
  }
  // Mailboxes differ by case in theory (RFC 5321 §2.4), and in hardly any mail server.
  return covers(name, base, (a, b) => a.toLowerCase() === b.toLowerCase()) !== false
}

/** Whether a subtree covers a name, undefined where nobody can say. */
function covers(
  name: GeneralName,
  base: GeneralName,
  isSameMailbox: (a: string, b: string) => boolean,
): boolean | undefined {
  if (name.kind === 'uri' && base.kind === 'uri') {
    const host = hostOfUri(name.value)
    return host === undefined ? undefined : isHostCovered(host, base.value)
  }
  if (name.kind === 'email' && base.kind === 'email') {
    const address = parseEmail(name.value)
    if (address === undefined) return undefined
    const one = parseEmail(base.value)
    if (one === undefined) return isHostCovered(address.host, base.value)
    return isHostCovered(address.host, one.host) && isSameMailbox(address.mailbox, one.mailbox)
  }
  if (name.kind === 'ip' && base.kind === 'ip') return isInSubnet(name.value, base.value)
  if (name.kind === 'directory' && base.kind === 'directory') return isBelow(name.value, base.value)
  return undefined
}

// Of URIs and e-mail addresses: `.host` is everything below that host, and `host` is that host alone.
const isHostCovered = (host: string, base: string): boolean =>
  base.startsWith('.')
    ? host.toLowerCase().endsWith(base.toLowerCase())
    : host.toLowerCase() === base.toLowerCase()

// An address and a mask of its length: RFC 4632 has no masks with holes.
function isSubnet(octets: Uint8Array): boolean {
  if (octets.length !== 8 && octets.length !== 32) return false
  const mask = octets.subarray(octets.length / 2)
  const bits = Array.from(mask, (octet) => octet.toString(2).padStart(8, '0')).join('')
  return /^1*0*$/.test(bits)
}

function isInSubnet(address: Uint8Array, subnet: Uint8Array): boolean {
  const size = subnet.length / 2
  const differs = (octet: number, i: number): boolean =>
    ((octet ^ (subnet[i] ?? 0)) & (subnet[size + i] ?? 0)) !== 0
  return address.length === size && !address.some(differs)
}

const withoutDot = (host: string): string => (host.startsWith('.') ? host.slice(1) : host)

const maxSubtrees = 128
