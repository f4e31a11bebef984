import { extensionOids } from '../certificate/certificate-extensions.ts'
import { contextTag, MalformedDer, readEach, readWhole, tags, type DerReader } from '../certificate/der.ts'
import { asciiOf, takeOid } from '../certificate/der-values.ts'
import type { ParsedCertificate } from '../certificate/parsed-certificate.ts'

/**
 * Which of the responders that the operator has configured knows of a certificate: the one that it names itself, or the only one there
 * is. INVARIANT: the result is one of those given. What is written in a certificate, by whoever issued it, chooses among them
 * and never adds one: it would let any authority send this service's requests where it likes.
 */
export function chooseResponder<T extends { readonly url: URL }>(
  certificate: ParsedCertificate,
  responders: readonly T[],
): T | undefined {
  const [first, ...others] = responders
  // Nothing to choose, and so nothing to read.
  if (others.length === 0) return first
  const named = namedIn(certificate).map((location) => URL.parse(location)?.href)
  return responders.find(({ url }) => named.includes(url.href))
}

// RFC 5280 §4.2.2.1. Where it cannot be read nobody is named.
function namedIn({ extensions }: ParsedCertificate): readonly string[] {
  const access = extensions.get(extensionOids.authorityInfoAccess)
  if (access === undefined) return []
  try {
    return readWhole(access.value, tags.sequence, (list) =>
      readEach(list, maxDescriptions, () => takeLocation(list.enter(tags.sequence))),
    ).filter((location) => location !== undefined)
  } catch (error) {
    if (error instanceof MalformedDer) return []
    throw error
  }
}

function takeLocation(description: DerReader): string | undefined {
  const method = takeOid(description)
  const { tag, content } = description.take()
  description.end()
  return method === ocsp && tag === uniformResourceIdentifier ? asciiOf(content) : undefined
}

/** id-ad-ocsp */
const ocsp = '1.3.6.1.5.5.7.48.1'
const uniformResourceIdentifier = contextTag(6)
const maxDescriptions = 64
