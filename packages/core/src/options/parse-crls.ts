import type { Clock } from '../clock/clock.ts'
import { MalformedDer } from '../identity/certificate/der.ts'
import { isOlder, supersedes } from '../identity/revocation/crl-age.ts'
import { maxCrlBytes, parseCrl, type ParsedCrl } from '../identity/revocation/crl.ts'
import { refreshIntervalOf, within } from '../identity/trust/refresh-times.ts'
import { parsePem } from './certificate-sources.ts'
import type { DocumentKind } from './document-source.ts'

/** Lists of revoked certificates: one in DER, or several in PEM. */
export const crlsAt = (clock: Clock): DocumentKind<readonly ParsedCrl[]> => ({
  expected: 'PEM text, the path of a file in PEM or DER, a URL, or a source with `follow`',
  isText: (text) => text.includes('-----BEGIN'),
  parse(octets, previous = []) {
    const ders = isPem(octets) ? parsePem(Buffer.from(octets).toString('latin1'), 'X509 CRL') : [octets]
    // Each is compared with each, and lists may come without TLS from whoever is on the way.
    if (ders.length > maxLists) throw new Error(`expected at most ${maxLists} lists, got ${ders.length}`)
    if (ders.length === 0) throw new Error('expected at least one PEM block `-----BEGIN X509 CRL-----`')
    const crls = ders.map((der, i) => {
      const crl = read(der, i)
      if (crl.unusable === undefined) return crl
      throw new Error(`list ${i + 1} says nothing that counts: it has ${crl.unusable}`)
    })
    return Object.freeze([...crls, ...keptOf(crls, previous, clock.now())])
  },
  intervalOf: (reading, crls) => Math.min(refreshIntervalOf(reading), aheadOfEnd(crls, clock.now())),
  // A list says itself how long it serves.
  maxStaleMs: Infinity,
  maxBytes: maxCrlBytes,
  accept: 'application/pkix-crl, application/x-pem-file, */*;q=0.1',
  isSigned: true,
})

function read(der: Uint8Array, i: number): ParsedCrl {
  try {
    return parseCrl(der)
  } catch (error) {
    throw new Error(
      `list ${i + 1} cannot be read: ${error instanceof MalformedDer ? error.message : 'unknown'}`,
      {
        cause: error,
      },
    )
  }
}

/**
 * Of the lists before, those that a newer reading does not take the place of: whoever serves an old list, or another one in between,
 * hides nothing by it, since a revocation on either counts. One that was asked about and found to be signed gives way to what the same
 * key has signed and to nothing else; of others nobody has checked the signatures yet, so neither can keep the other out.
 */
const keptOf = (
  crls: readonly ParsedCrl[],
  previous: readonly ParsedCrl[],
  nowMs: number,
): readonly ParsedCrl[] =>
  previous.filter((before) => {
    if ((before.nextUpdate ?? 0) < nowMs) return false
    if (before.provenSigner !== undefined) {
      const isSuperseded = (crl: ParsedCrl): boolean => supersedes(crl, before)
      return (
        !crls.some(isSuperseded) && !previous.some((other) => isOlder(before, other) && isSuperseded(other))
      )
    }
    return crls.some((crl) => isOlder(crl, before)) && !previous.some((other) => isOlder(before, other))
  })

// What a cache in between says of a list does not make it last: the next one is looked for before the first of them ends.
function aheadOfEnd(crls: readonly ParsedCrl[], nowMs: number): number {
  const left = Math.min(...crls.map(({ nextUpdate = Infinity }) => nextUpdate)) - nowMs
  return within(minIntervalMs, left * 0.8, maxIntervalMs)
}

const isPem = (octets: Uint8Array): boolean => Buffer.from(octets).includes('-----BEGIN')
const maxLists = 256
const minIntervalMs = 60_000
/** Lists are replaced ahead of their end when something happens. */
const maxIntervalMs = 3_600_000
