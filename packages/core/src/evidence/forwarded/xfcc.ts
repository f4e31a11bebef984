// Envoy's `x-forwarded-client-cert`: elements of the proxies that a request came through, the nearest one last.
import { Refusal } from '../../refusal.ts'
import { parseEscapedPem } from './escaped-pem.ts'
import { malformed } from './malformed.ts'
import { scanXfcc, type XfccPair } from './xfcc-scanner.ts'

/** What one proxy says of the client that called it. Nothing in it is proven. */
export interface XfccElement {
  /** URI names of the proxy's own certificate. */
  readonly by: readonly string[]
  /** SHA-256 of the client's certificate, 64 lower-case hexadecimal digits. */
  readonly hash: string | undefined
  /** DER of the client's certificate. */
  readonly leaf: Uint8Array | undefined
  /** DER of what the client presented behind its certificate. */
  readonly chain: readonly Uint8Array[]
  /** As RFC 2253 writes it. Never an identity. */
  readonly subject: string | undefined
  /** URI names of the client's certificate, as far as they can be told: Envoy does not escape what is in them. */
  readonly uris: readonly string[]
  readonly dnsNames: readonly string[]
}

/**
 * Parses an `x-forwarded-client-cert` field, as Envoy writes it, into its elements, the caller of the nearest proxy last. Answers a
 * Refusal to anything else. Nothing in it is proven: whoever can reach a service can send such a field.
 */
export function parseXfcc(value: string): readonly XfccElement[] | Refusal {
  const scanned = scanXfcc(value)
  if (scanned === undefined) return notXfcc
  const elements: XfccElement[] = []
  for (const pairs of scanned) {
    const element = parseElement(pairs)
    if (element instanceof Refusal) return element
    elements.push(element)
  }
  return elements
}

function parseElement(pairs: readonly XfccPair[]): XfccElement | Refusal {
  const all = (name: string): readonly string[] =>
    pairs.filter(({ key }) => key === name).map(({ value }) => value)
  // A name that holds `;Hash=` looks like a second one: nobody could say which the proxy wrote.
  if (singletons.some((name) => all(name).length > 1)) return repeated
  const [hash] = all('hash')
  if (hash !== undefined && !/^[0-9a-f]{64}$/.test(hash)) return noHash
  const certificates = parseCertificates(all('cert')[0], all('chain')[0])
  if (certificates instanceof Refusal) return certificates
  const [leaf, ...chain] = certificates
  const [subject] = all('subject')
  return { by: all('by'), hash, leaf, chain, subject, uris: all('uri'), dnsNames: all('dns') }
}

// `Chain` begins with the leaf. Where both are there they must agree: two readers must not see two callers.
function parseCertificates(
  cert: string | undefined,
  chain: string | undefined,
): readonly Uint8Array[] | Refusal {
  const alone = cert === undefined ? [] : parseEscapedPem(cert)
  const all = chain === undefined ? [] : parseEscapedPem(chain)
  if (alone instanceof Refusal || all instanceof Refusal) return noPem
  const [leaf, second] = alone
  const [first] = all
  if (second !== undefined) return noPem
  if (leaf === undefined || first === undefined) return leaf === undefined ? all : alone
  return Buffer.from(leaf).equals(first) ? all : noPem
}

const singletons = ['hash', 'cert', 'chain', 'subject']
const notXfcc = malformed('elements of `Key=value` pairs, as Envoy writes them')
const repeated = malformed('at most one Hash, Cert, Chain and Subject in an element', 'one of them twice')
const noHash = malformed('a Hash of 64 hexadecimal digits')
const noPem = malformed('Cert and Chain in percent-encoded PEM, with the same certificate first')
