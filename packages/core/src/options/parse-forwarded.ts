import { ConfigurationError, describeValue } from '../configuration-error.ts'
import { certificateHeaders, encodingNames } from '../evidence/forwarded/certificate-headers.ts'
import type { ForwardedFormat } from '../evidence/forwarded/forwarded-client.ts'
import { xfccHeader } from '../evidence/forwarded/xfcc-hops.ts'
import type { CertificateTrust } from '../identity/peer/certificate-trust.ts'
import { isTrustDomain } from '../identity/certificate/spiffe-id.ts'
import type { VerifyClient } from '../identity/forwarded/forwarded-peer.ts'
import { ForwardedTrust, verifiedByPath } from '../identity/forwarded/forwarded-trust.ts'
import { VouchedClients } from '../identity/forwarded/vouched-clients.ts'
import type { CertificateHeaderOptions, ForwardedOptions, XfccOptions } from './forwarded-options.ts'
import { requireHeaderName } from './header-names.ts'
import { requireEntries, requireKnownKeys, requireStrings } from './option-values.ts'
import { parseTrustedProxy } from './parse-trusted-proxy.ts'
import { requireSpiffeId } from './spiffe-names.ts'

/** Parses `certificates.forwarded`. `trust`: the trust domains whose roots are known; undefined where there are none. */
export function parseForwarded(
  options: ForwardedOptions,
  trust: CertificateTrust | undefined,
  trustDomains: readonly string[],
  maxCacheEntries: number,
): ForwardedTrust {
  const format = parseFormat(requireEntries(options, option))
  const vouched =
    options.verifiedByProxy === undefined ? undefined : requireTrustDomains(options.verifiedByProxy)
  if (vouched === undefined && trust === undefined) {
    throw new ConfigurationError(
      'certificates.trustDomains',
      "forwarded certificates are verified here: name the roots they may come from, such as { 'prod.example': './bundle.pem' }",
    )
  }
  const proxies = parseTrustedProxy(options.from, `${option}.from`, trustDomains)
  if (proxies.secretHeader !== undefined && format.headers.includes(proxies.secretHeader)) {
    throw new ConfigurationError(
      `${option}.from.secretHeader`,
      'it holds the certificate: the secret needs a header of its own',
    )
  }
  return new ForwardedTrust({
    proxies,
    format,
    verify:
      trust !== undefined && vouched === undefined
        ? verifiedByPath(trust)
        : vouchedFor(vouched, maxCacheEntries),
    refusesStrangers:
      requireOneOf(options.untrusted ?? 'delete', `${option}.untrusted`, ['delete', 'refuse']) === 'refuse',
    adviceWhereAbsent:
      options.sidecarOf === undefined
        ? undefined
        : adviceOf[requireOneOf(options.sidecarOf, `${option}.sidecarOf`, ['istio'])],
  })
}

function vouchedFor(domains: readonly string[] = [], maxCacheEntries: number): VerifyClient {
  const clients = new VouchedClients(new Set(domains), maxCacheEntries)
  return (client, nowMs) => clients.verify(client, nowMs)
}

function parseFormat(options: ForwardedOptions): ForwardedFormat {
  requireOneOf(options.format, `${option}.format`, ['xfcc', ...encodingNames])
  return options.format === 'xfcc' ? parseXfccOptions(options) : parseHeaders(options)
}

function parseXfccOptions(options: XfccOptions): ForwardedFormat {
  requireKnownKeys(options, option, [...relationship, 'self', 'relays'])
  const { self } = options
  const relays = requireStrings(options.relays ?? [], `${option}.relays`)
  if (self === undefined && relays.length > 0) {
    throw new ConfigurationError(
      `${option}.self`,
      'relays are told by the elements before its own: name the last proxy as well',
    )
  }
  const hops = [...(self === undefined ? [] : [self]), ...relays]
  for (const [i, hop] of hops.entries()) {
    const name = i === 0 ? `${option}.self` : `${option}.relays[${i - 1}]`
    requireSpiffeId(hop, name)
    if (hops.indexOf(hop) === i) continue
    throw new ConfigurationError(name, 'it is named twice: each proxy writes one element')
  }
  return xfccHeader({ self, relays })
}

function parseHeaders(options: CertificateHeaderOptions): ForwardedFormat {
  requireKnownKeys(options, option, [...relationship, 'header', 'chainHeader', 'verification'])
  const { format, chainHeader } = options
  const verification: readonly unknown[] = [...(options.verification ?? [])]
  if (chainHeader !== undefined && format === 'base64-list') {
    throw new ConfigurationError(
      `${option}.chainHeader`,
      'this format has the chain beside the certificate: leave it out',
    )
  }
  const parsed = {
    encoding: format,
    header: requireHeaderName(options.header, `${option}.header`),
    chainHeader:
      chainHeader === undefined ? undefined : requireHeaderName(chainHeader, `${option}.chainHeader`),
    verification: verification.map((one, i) => parseVerification(one, `${option}.verification[${i}]`)),
  }
  const ownFormat = certificateHeaders(parsed)
  for (const [i, name] of ownFormat.headers.entries()) {
    if (ownFormat.headers.indexOf(name) < i) {
      throw new ConfigurationError(
        `${option}.header`,
        `\`${name}\` is named for two purposes: each needs its own header`,
      )
    }
  }
  return ownFormat
}

function parseVerification(value: unknown, name: string): { header: string; verified: string; none: string } {
  requireKnownKeys(value, name, ['header', 'verified', 'none'])
  const { header, verified, none } = value as Record<string, unknown> // an object, as has just been checked
  if (typeof verified !== 'string' || typeof none !== 'string' || verified === none) {
    throw new ConfigurationError(
      name,
      "expected two values that differ, such as { header: 'ssl-client-verify', verified: 'SUCCESS', none: 'NONE' }",
    )
  }
  return { header: requireHeaderName(header, `${name}.header`), verified, none }
}

function requireTrustDomains(value: unknown): readonly string[] {
  const domains = requireStrings(value, `${option}.verifiedByProxy`)
  if (domains.length > 0 && domains.every(isTrustDomain)) return domains
  throw new ConfigurationError(
    `${option}.verifiedByProxy`,
    "expected trust domains such as ['prod.example']: lower case, no scheme, no path",
  )
}

function requireOneOf<const T extends string>(value: unknown, name: string, allowed: readonly T[]): T {
  const found = allowed.find((each) => each === value)
  if (found !== undefined) return found
  throw new ConfigurationError(
    name,
    `expected one of ${allowed.map((each) => `'${each}'`).join(', ')}, got ${describeValue(value)}`,
  )
}

const option = 'certificates.forwarded'
const relationship = ['format', 'from', 'verifiedByProxy', 'untrusted', 'sidecarOf']

// What users ask about most where a mesh should say who calls, and says nothing.
const adviceOf = {
  istio:
    'the sidecar names callers in `x-forwarded-client-cert` only where they came by mutual TLS: is PeerAuthentication STRICT for this ' +
    'workload, and has the caller a sidecar? Is the mesh in ambient mode? ztunnel writes no such header',
} as const
