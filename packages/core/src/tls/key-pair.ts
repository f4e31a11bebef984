import { X509Certificate } from 'node:crypto'
import { ConfigurationError } from '../configuration-error.ts'
import { readWholeFile } from '../identity/trust/read-file.ts'
import { parsePem } from '../options/certificate-sources.ts'
import { readPem } from '../options/option-values.ts'

/** A certificate chain, leaf first, and its private key: PEM text, or as options name them, also the path of a PEM file. */
export interface KeyPairPem {
  readonly cert: string
  readonly key: string
}

/** A certificate with the key that it was issued for, and while it is valid, in milliseconds since the epoch. */
export interface KeyPair extends KeyPairPem {
  /** SHA-256 of the leaf, as OpenSSL writes it. */
  readonly fingerprint: string
  readonly notBefore: number
  readonly notAfter: number
}

/** Whether anything of it is in a file, which may be replaced. */
export const isInFiles = ({ cert, key }: KeyPairPem): boolean => isPath(cert) || isPath(key)

/** Reads the pair when a server is made. Throws a ConfigurationError that says what to write instead. */
export const readPair = (source: KeyPairPem): KeyPairPem => ({
  cert: readPem(source.cert, 'cert'),
  key: readPem(source.key, 'key'),
})

/** Reads it once more. What was read while one of the files was being replaced is no pair, and is refused as such. */
export async function rereadPair({ cert, key }: KeyPairPem, signal: AbortSignal): Promise<KeyPairPem> {
  const read = async (source: string): Promise<string> =>
    isPath(source) ? (await readWholeFile(source, signal)).toString('utf8') : source
  return { cert: await read(cert), key: await read(key) }
}

export const areSamePair = (one: KeyPairPem, other: KeyPairPem): boolean =>
  one.cert === other.cert && one.key === other.key

/** Checks that a server can serve with it now. Throws a ConfigurationError that says what to write instead. */
export function parsePair({ cert, key }: KeyPairPem, nowMs: number): KeyPair {
  const leaf = parseChain(cert)
  requireBlocks(key, 'key', 'PRIVATE KEY')
  requireBelonging(cert, key)
  const notBefore = Date.parse(leaf.validFrom)
  const notAfter = Date.parse(leaf.validTo)
  // All of the last second belongs to it (RFC 5280 §4.1.2.5). A date that cannot be read is no time to be in.
  const isInTime = nowMs >= notBefore && nowMs < notAfter + 1000
  if (!isInTime) {
    throw new ConfigurationError(
      'cert',
      `the certificate is valid from ${leaf.validFrom} to ${leaf.validTo}, which is not now: write one that is`,
    )
  }
  return { cert, key, fingerprint: leaf.fingerprint256, notBefore, notAfter }
}

// A block that cannot be read is one that is just being written, and what follows it would be missing from the handshake.
function parseChain(pem: string): X509Certificate {
  requireBlocks(pem, 'cert', 'CERTIFICATE')
  const [leaf] = parsePem(pem).map((der, i) => {
    try {
      return new X509Certificate(der)
    } catch {
      throw new ConfigurationError('cert', `certificate ${i + 1} cannot be read: write each one whole`)
    }
  })
  if (leaf !== undefined) return leaf
  throw new ConfigurationError('cert', 'certificate 1 cannot be read: write each one whole')
}

function requireBlocks(pem: string, option: string, label: string): void {
  if (!pem.includes(`${label}-----`)) {
    throw new ConfigurationError(option, `expected a PEM block \`${label}\`, found none`)
  }
  if (countOf(pem, '-----BEGIN ') === countOf(pem, '-----END ')) return
  throw new ConfigurationError(option, 'expected whole PEM blocks, found one that does not end')
}

function requireBelonging(cert: string, key: string): void {
  try {
    process.getBuiltinModule('node:tls').createSecureContext({ cert, key, ca: [] })
  } catch {
    // OpenSSL's own words are left out: they can quote what they were given.
    throw new ConfigurationError(
      'key',
      'certificate and key cannot be used together: write the key that the certificate was issued for, without a passphrase',
    )
  }
}

const isPath = (source: string): boolean => !source.includes('-----BEGIN')
const countOf = (text: string, part: string): number => text.split(part).length - 1
