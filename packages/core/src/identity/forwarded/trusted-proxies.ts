import { isIPv6, type BlockList } from 'node:net'
import type { HeaderField } from '../../request/identity-headers.ts'
import type { InboundRequest } from '../../request/inbound-request.ts'
import { Refusal } from '../../refusal.ts'
import { readField } from '../../evidence/forwarded/read-field.ts'
import type { CertificateVerification } from '../peer/certificate-verification.ts'
import { equalInConstantTime } from '../proof/equal-text.ts'

/** By what a proxy is known. Exactly one of these: a header is never believed for what it says of itself. */
export type ProxyRule =
  /** Its certificate on this connection is an SVID of one of these IDs. */
  | { readonly kind: 'spiffeId'; readonly ids: ReadonlySet<string> }
  /** It connected to a unix socket, which only it may open. */
  | { readonly kind: 'unixSocket'; readonly path: string }
  /** It knows a secret. Several, while one replaces another. */
  | { readonly kind: 'secret'; readonly header: string; readonly secrets: readonly string[] }
  /** It connected from one of these addresses, from which nobody else can. */
  | { readonly kind: 'addresses'; readonly addresses: BlockList }

/** Tells the proxies whose word counts from everybody else, by the connection and never by what is forwarded. */
export class TrustedProxies {
  readonly #rule: ProxyRule
  /** Connections that were found to be a proxy's: who opened one does not change. */
  readonly #known = new WeakSet<object>()

  constructor(rule: ProxyRule) {
    this.#rule = rule
  }

  /** The header that only this rule needs, which no handler may see; undefined where it needs none. */
  get secretHeader(): string | undefined {
    return this.#rule.kind === 'secret' ? this.#rule.header : undefined
  }

  /** Whether the connection's own certificate has to be verified to tell. */
  get needsCertificate(): boolean {
    return this.#rule.kind === 'spiffeId'
  }

  /** `certificate`: what is known of the connection's own, verified; it is asked for each request, since it may have died. */
  includes(
    { socket }: Pick<InboundRequest, 'socket'>,
    fields: readonly HeaderField[],
    certificate: CertificateVerification | Refusal | undefined,
  ): boolean {
    const rule = this.#rule
    if (rule.kind === 'secret') return holdsSecret(readField(fields, rule.header), rule.secrets)
    if (rule.kind === 'spiffeId') return isNamed(certificate, rule.ids)
    if (this.#known.has(socket)) return true
    const isProxy =
      rule.kind === 'unixSocket'
        ? listensOn(socket) === rule.path
        : isWithin(rule.addresses, remoteAddress(socket))
    if (isProxy) this.#known.add(socket)
    return isProxy
  }
}

const isNamed = (
  certificate: CertificateVerification | Refusal | undefined,
  ids: ReadonlySet<string>,
): boolean => certificate !== undefined && !(certificate instanceof Refusal) && ids.has(certificate.id)

// Every secret is compared, whichever fits: the time tells nothing about which are in use.
const holdsSecret = (value: string | undefined | Refusal, secrets: readonly string[]): boolean =>
  typeof value === 'string' && secrets.filter((secret) => equalInConstantTime(value, secret)).length > 0

/**
 * The path of the unix socket that a connection came in by. An address that is absent proves nothing: a TCP connection has none
 * either once its client has gone.
 */
function listensOn(socket: Shown): string | undefined {
  const { server } = socket
  if (typeof server !== 'object' || server === null || !('address' in server)) return undefined
  const address: unknown = typeof server.address === 'function' ? server.address() : undefined
  return typeof address === 'string' && remoteAddress(socket) === undefined ? address : undefined
}

const remoteAddress = ({ remoteAddress: address }: Shown): string | undefined =>
  typeof address === 'string' ? address : undefined

/** Asked by reading: what stands for the socket of an HTTP/2 session answers nothing else. */
interface Shown {
  readonly remoteAddress?: unknown
  readonly server?: unknown
}

// A socket that listens on IPv6 shows IPv4 peers as `::ffff:10.0.0.1`, which the list knows for what it is. An address with a
// zone (`fe80::1%eth0`) is nobody's in particular.
function isWithin(addresses: BlockList, address: string | undefined): boolean {
  if (address === undefined || address.includes('%')) return false
  return addresses.check(address, isIPv6(address) ? 'ipv6' : 'ipv4')
}
