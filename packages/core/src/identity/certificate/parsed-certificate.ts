import { X509Certificate as NodeCertificate, type KeyObject } from 'node:crypto'
// @peculiar/x509 finds its parts by reflection, which this must have set up before.
import 'reflect-metadata'
import {
  BasicConstraintsExtension,
  ExtendedKeyUsageExtension,
  KeyUsageFlags,
  KeyUsagesExtension,
  X509Certificate,
} from '@peculiar/x509'
import { isRecord } from '../jws/json-object.ts'

/** What path validation needs to know of a certificate, parsed once. Nothing in it is proven. */
export interface ParsedCertificate {
  /** Hexadecimal DER of the names, compared whole. */
  readonly subject: string
  readonly issuer: string
  /** Milliseconds since the epoch; both ends are inclusive (RFC 5280 §4.1.2.5). */
  readonly notBefore: number
  readonly notAfter: number
  /** False for SHA-1, MD5, DSA and anything else outside the list of this file. */
  readonly isSignedStrongly: boolean
  /** False for RSA under 2048 or over 8192 bits and for curves other than P-256, P-384, P-521, Ed25519. */
  readonly hasStrongKey: boolean
  readonly isCa: boolean
  readonly pathLength: number | undefined
  /** Undefined where the extension is absent, which allows every use. */
  readonly keyUsage:
    | { readonly digitalSignature: boolean; readonly certSign: boolean; readonly crlSign: boolean }
    | undefined
  /** Object identifiers; undefined where the extension is absent. */
  readonly extendedKeyUsage: readonly string[] | undefined
  /** DER of the subjectAltName value; undefined where the extension is absent. */
  readonly subjectAltNames: Uint8Array | undefined
  /** Object identifier of an extension that constrains the path in a way that is not understood here. */
  readonly unsupportedExtension: string | undefined
  isSignedBy(issuer: ParsedCertificate): boolean
  readonly publicKey: KeyObject
}

/** Parses a certificate from DER, or undefined where it is none or states the same extension twice. */
export function parseCertificate(der: Uint8Array): ParsedCertificate | undefined {
  if (der.length > maxBytes) return undefined
  try {
    const read = new X509Certificate(Buffer.from(der))
    const checked = new NodeCertificate(der)
    // Node skips bytes behind the certificate: two readers must not see two things.
    if (checked.raw.length !== der.length) return undefined
    const { extensions } = read
    if (new Set(extensions.map(({ type }) => type)).size !== extensions.length) return undefined
    const constraints = read.getExtension(BasicConstraintsExtension)
    const usage = read.getExtension(KeyUsagesExtension)?.usages
    const names = extensions.find(({ type }) => type === subjectAltNameOid)
    return {
      subject: hex(read.subjectName.toArrayBuffer()),
      issuer: hex(read.issuerName.toArrayBuffer()),
      notBefore: read.notBefore.getTime(),
      notAfter: read.notAfter.getTime(),
      isSignedStrongly: isStrongSignature(read.signatureAlgorithm),
      hasStrongKey: isStrongKey(checked.publicKey),
      isCa: constraints?.ca ?? false,
      pathLength: constraints?.pathLength,
      keyUsage:
        usage === undefined
          ? undefined
          : {
              digitalSignature: (usage & KeyUsageFlags.digitalSignature) !== 0,
              certSign: (usage & KeyUsageFlags.keyCertSign) !== 0,
              crlSign: (usage & KeyUsageFlags.cRLSign) !== 0,
            },
      extendedKeyUsage: read.getExtension(ExtendedKeyUsageExtension)?.usages.map(String),
      subjectAltNames: names === undefined ? undefined : new Uint8Array(names.value),
      unsupportedExtension: extensions.find(isUnsupported)?.type,
      isSignedBy: (issuer) => checked.verify(issuer.publicKey),
      publicKey: checked.publicKey,
    }
  } catch {
    return undefined
  }
}

// Every critical extension must be understood (RFC 5280 §4.2), and name constraints even where they are not marked
// so: passing over them would let a constrained authority name whom it likes.
const isUnsupported = ({ type, critical }: { readonly type: string; readonly critical: boolean }): boolean =>
  (critical && !understood.has(type)) || type === nameConstraintsOid

// The library types this by the browser's `Algorithm`, which Node's types do not know.
function isStrongSignature(algorithm: object): boolean {
  const name = 'name' in algorithm ? algorithm.name : undefined
  if (name === 'Ed25519' || name === 'EdDSA') return true
  const hash = 'hash' in algorithm ? algorithm.hash : undefined
  const hashName = isRecord(hash) ? hash['name'] : hash
  return strongSchemes.has(name) && strongHashes.has(hashName)
}

function isStrongKey({ asymmetricKeyType: type, asymmetricKeyDetails: details }: KeyObject): boolean {
  if (type === 'ed25519') return true
  if (type === 'ec') return ['prime256v1', 'secp384r1', 'secp521r1'].includes(details?.namedCurve ?? '')
  const bits = details?.modulusLength ?? 0
  // A huge exponent is legal and makes each signature check take tens of milliseconds.
  if ((details?.publicExponent ?? 0n) > maxExponent) return false
  return (type === 'rsa' || type === 'rsa-pss') && bits >= 2048 && bits <= 8192
}

const hex = (octets: ArrayBuffer): string => Buffer.from(octets).toString('hex')

const subjectAltNameOid = '2.5.29.17'
const nameConstraintsOid = '2.5.29.30'
// keyUsage, subjectAltName, basicConstraints, extKeyUsage
const understood: ReadonlySet<string> = new Set(['2.5.29.15', subjectAltNameOid, '2.5.29.19', '2.5.29.37'])
const strongSchemes: ReadonlySet<unknown> = new Set(['ECDSA', 'RSASSA-PKCS1-v1_5', 'RSA-PSS'])
const strongHashes: ReadonlySet<unknown> = new Set(['SHA-256', 'SHA-384', 'SHA-512'])
const maxExponent = 2n ** 32n
const maxBytes = 16 * 1024
