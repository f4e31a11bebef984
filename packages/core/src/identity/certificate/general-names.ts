import {
  contextContainer,
  contextTag,
  MalformedDer,
  readAll,
  readEach,
  readWhole,
  requireDer,
  tags,
  type DerElement,
  type DerReader,
} from './der.ts'
import { asciiOf, oidOf } from './der-values.ts'
import { takeName, type DistinguishedName } from './distinguished-name.ts'

/** One GeneralName (RFC 5280 §4.2.1.6), or the base of a name constraint, which looks alike. */
export type GeneralName =
  | { readonly kind: 'uri' | 'dns' | 'email'; readonly value: string }
  | { readonly kind: 'ip'; readonly value: Uint8Array }
  | { readonly kind: 'directory'; readonly value: DistinguishedName }
  /** otherName, x400Address, ediPartyName, registeredID: told apart by their tag, and not looked into. */
  | { readonly kind: 'other'; readonly value: number }

export type SubjectAltNames = readonly GeneralName[]

/**
 * Reads the value of a subjectAltName extension from its DER octets, in order. Undefined where a single octet is not as DER
 * demands. Text that Node renders from it is never used: a name may hold what looks like a separator (CVE-2021-44532).
 */
export function parseSubjectAltNames(der: Uint8Array): SubjectAltNames | undefined {
  try {
    requireDer(der)
    return readWhole(der, tags.sequence, (names) => readEach(names, maxNames, takeSubjectAltName))
  } catch (error) {
    if (error instanceof MalformedDer) return undefined
    throw error
  }
}

function takeSubjectAltName(reader: DerReader): GeneralName {
  const name = takeGeneralName(reader)
  const isAddress = name.kind !== 'ip' || name.value.length === 4 || name.value.length === 16
  if (!isAddress) throw new MalformedDer('an IP address of neither 4 nor 16 octets')
  if (isEmpty(name)) throw new MalformedDer('an empty name')
  return name
}

function isEmpty(name: GeneralName): boolean {
  if (name.kind === 'other') return false
  return name.kind === 'directory' ? name.value.parts.length === 0 : name.value.length === 0
}

/** The names of one of the kinds that are text, in order. Where they cannot be read there are none. */
export const textNames = (
  names: SubjectAltNames | 'unreadable' | undefined,
  kind: 'uri' | 'dns' | 'email',
): readonly string[] => readableNames(names).flatMap((name) => (name.kind === kind ? [name.value] : []))

/** The names that a certificate has, as far as they can be read. */
export const readableNames = (names: SubjectAltNames | 'unreadable' | undefined): SubjectAltNames =>
  names === undefined || names === 'unreadable' ? [] : names

/** Reads one GeneralName, which is the next value. How long an address may be depends on what it is for. */
export function takeGeneralName(reader: DerReader): GeneralName {
  const element = reader.take()
  const { tag, content } = element
  switch (tag) {
    case contextTag(6):
      return { kind: 'uri', value: asciiOf(content) }
    case contextTag(2):
      return { kind: 'dns', value: asciiOf(content) }
    case contextTag(1):
      return { kind: 'email', value: asciiOf(content) }
    case contextTag(7):
      return { kind: 'ip', value: content }
    case contextContainer(4):
      return { kind: 'directory', value: takeWholeName(content) }
    default:
      return { kind: 'other', value: checkOther(element) }
  }
}

// A Name is a CHOICE, so its tag stands around it (X.680 §31.2.7).
const takeWholeName = (content: Uint8Array): DistinguishedName => readAll(content, takeName)

function checkOther({ tag, content }: DerElement): number {
  switch (tag) {
    case contextTag(8):
      oidOf(content)
      return tag
    case contextContainer(0):
    case contextContainer(3):
    case contextContainer(5):
      return tag
    default:
      throw new MalformedDer('a name of no known kind')
  }
}

const maxNames = 256
